"""Pipelines by name: those of the settings first, then the ones that come with the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from nephos.config import schema
from nephos.config.home import Home
from nephos.processing import errors

_SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A job template with the parameters that its settings fix."""

    name: str
    template: str
    origin: str  # "built in", or the file
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)


def names(settings: schema.Settings) -> tuple[str, ...]:
    """All pipelines that can be asked for."""
    return tuple(sorted({*settings.pipeline, *_built_in()}))


def find(name: str, *, settings: schema.Settings, home: Home) -> Pipeline:
    """A pipeline, with its template read. Raises UnknownPipeline, which is an Invalid."""
    configured = settings.pipeline.get(name)
    wanted = configured.template if configured else name
    parameters = configured.parameters if configured else {}
    built_in = _built_in()
    if wanted in built_in:
        return Pipeline(name=name, template=built_in[wanted], origin="built in", parameters=parameters)
    if configured is None:
        known = ", ".join(names(settings))
        raise errors.UnknownPipeline(f"There is no pipeline {name[:60]!r}.", hint=f"There are: {known}.")
    path = _below(home.config, wanted, name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UnknownPipeline(f"The template {path} of the pipeline {name} cannot be read.") from error
    return Pipeline(name=name, template=text, origin=str(path), parameters=parameters)


def _built_in() -> dict[str, str]:
    folder = resources.files("nephos.processing") / "templates"
    return {
        entry.name.removesuffix(_SUFFIX): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(_SUFFIX)
    }


def _below(folder: Path, relative: str, name: str) -> Path:
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise errors.UnknownPipeline(
            f"The template of the pipeline {name} lies outside the folder {folder}.",
            hint="Templates are files below config/, or the name of a built-in one.",
        )
    return path
