"""What pages, API and commands show of pipelines."""

from __future__ import annotations

from dataclasses import dataclass

from nephos.config.load import Loaded
from nephos.farm import errors as farm_errors
from nephos.farm import templates
from nephos.processing import errors
from nephos.processing import pipelines as pipeline_files


@dataclass(frozen=True, slots=True)
class PipelineView:
    """A pipeline; `problem` says why it cannot be used, if so."""

    name: str
    origin: str
    description: str
    steps: tuple[str, ...]
    problem: str


def pipelines(loaded: Loaded) -> list[PipelineView]:
    """All pipelines that can be asked for, those that are broken included."""
    return [_view(name, loaded) for name in pipeline_files.names(loaded.settings)]


def _view(name: str, loaded: Loaded) -> PipelineView:
    try:
        found = pipeline_files.find(name, settings=loaded.settings, home=loaded.home)
        template = templates.decode(found.template)
    except (errors.UnknownPipeline, farm_errors.BadTemplate) as error:
        return PipelineView(name=name, origin="", description="", steps=(), problem=error.message)
    steps = tuple(str(step.name) for step in template.steps)
    return PipelineView(
        name=name, origin=found.origin, description=str(template.description or ""), steps=steps, problem=""
    )
