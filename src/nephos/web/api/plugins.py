"""People's own rules, processes and connection classes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.http import HttpRequest
from ninja import Router, Schema

from nephos.lib import errors
from nephos.plugins import builtin, runner
from nephos.web import current
from nephos.web.api import doors

router = Router(tags=["delivery"])


@dataclass(frozen=True, slots=True)
class PluginsView:
    """What there is, and which files of `config/plugins` could not be read."""

    rules: list[str]
    processes: list[str]
    connections: list[str]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a rule of a watch says of a file."""

    watch: str
    rule: str
    takes: bool | None
    because: str


class FileIn(Schema, extra="forbid"):
    """A file on the station's machine."""

    path: str


@router.get("/plugins", auth=doors.READ, response=PluginsView)
def list_(request: HttpRequest) -> PluginsView:
    """All rules, processes and connection classes."""
    with _running() as plugins:
        return PluginsView(**plugins.describe())


@router.post("/plugins/test", auth=doors.ADMIN, response=list[AnswerView])
def try_out(request: HttpRequest, body: FileIn) -> list[AnswerView]:
    """Ask every rule of every watch about a file, and each of people's own rules that no watch names."""
    path = Path(body.path).expanduser()
    if not path.is_absolute() or not body.path.isprintable() or not path.is_file():
        raise errors.Invalid(f"There is no file {body.path[:200]!r} on the station's machine.")
    with _running() as plugins:
        found: list[AnswerView] = []
        named: set[str] = set()
        for name, watch in current.loaded().settings.watch.items():
            for values in watch.rules:
                rule = str(values.get("rule", ""))
                named.add(rule)
                options = {key: value for key, value in values.items() if key != "rule"}
                found.append(_answer(plugins, name, rule, path, options))
        others = [rule for rule in plugins.describe()["rules"] if rule not in named | builtin.BUILT_IN]
        return found + [_answer(plugins, "", rule, path, {}) for rule in others]


def _answer(
    plugins: runner.Runner, watch: str, rule: str, path: Path, options: dict[str, str | int | float | bool | list[str]]
) -> AnswerView:
    try:
        return AnswerView(watch, rule, takes=plugins.takes(rule, path, options), because="")
    except runner.PluginFailed as error:
        return AnswerView(watch, rule, takes=None, because=error.message)


@contextlib.contextmanager
def _running() -> Iterator[runner.Runner]:
    plugins = runner.Runner(current.loaded().home.plugins)
    try:
        yield plugins
    finally:
        plugins.close()
