"""The house stands as ARCHITECTURE.md says."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tools import render_states

from nephos.core import states

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "nephos"

THINKING = [
    "nephos.lib",
    "nephos.config",
    "nephos.client",
    "nephos.plugins",
    "nephos.daemon",
    "nephos.core.states",
    "nephos.core.logs",
    "nephos.library.states",
    "nephos.library.naming",
    "nephos.recording.states",
    "nephos.recording.rules",
    "nephos.recording.sources",
    "nephos.recording.health",
    "nephos.recording.segments",
    "nephos.recording.plan",
    "nephos.recording.recorder",
    "nephos.recording.gaps",
    "nephos.processing.steps",
    "nephos.processing.captions",
    "nephos.processing.pipelines",
    "nephos.farm.states",
    "nephos.farm.planner",
    "nephos.farm.templates",
    "nephos.farm.runner",
    "nephos.farm.guard",
    "nephos.farm.ledger",
    "nephos.farm.worker",
    "nephos.farm.engines",
    "nephos.sync.states",
    "nephos.sync.planner",
    "nephos.sync.engine",
    "nephos.sync.orders",
    "nephos.sync.queries",
    "nephos.sync.connections",
    "nephos.cli",
]


def modules_of(name: str) -> list[str]:
    """A module, or every module of a package."""
    folder = SOURCE.joinpath(*name.split(".")[1:])
    if not folder.is_dir():
        return [name]
    paths = sorted(folder.rglob("*.py"))
    dotted = [".".join(path.relative_to(SOURCE.parent).with_suffix("").parts) for path in paths]
    return [item.removesuffix(".__init__") for item in dotted if not item.endswith("__main__")]


@pytest.mark.parametrize("name", THINKING)
def test_thinking_modules_load_without_django(name: str) -> None:
    code = f"import sys, importlib\nfor m in {modules_of(name)!r}: importlib.import_module(m)\n"
    code += "sys.exit('django' in sys.modules or 'ninja' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        path: len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py") if "migrations" not in path.parts
    }

    assert {str(path): length for path, length in lengths.items() if length > 400} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    found = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > 60 and "migrations" not in path.parts:
                    found.append((str(path.relative_to(ROOT)), node.name, length))

    assert found == []


def test_no_module_is_called_by_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "common", "misc", "manager"}

    assert [str(path) for path in SOURCE.rglob("*.py") if path.stem in empty_words] == []


def test_state_diagrams_are_in_step_with_the_tables() -> None:
    assert render_states.render() == render_states.PAGE.read_text()


@pytest.mark.parametrize("path", render_states.TABLES.values())
def test_every_state_can_be_reached_and_every_move_is_between_known_states(path: str) -> None:
    table = render_states.table(path)
    known = set(type(table.first))

    reached, fresh = {table.first}, {table.first}
    while fresh:
        fresh = {after for before in fresh for after in table.moves.get(before, frozenset())} - reached
        reached |= fresh

    assert reached == known
    assert all(table.allows(before, after) for before, after in table.pairs())
    refused = [(a, b) for a in known for b in known if (a, b) not in set(table.pairs())]
    assert not any(table.allows(before, after) for before, after in refused)


def test_state_tables_are_tables() -> None:
    assert all(isinstance(render_states.table(path), states.Table) for path in render_states.TABLES.values())
