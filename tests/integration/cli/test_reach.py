"""Every operation of the API is reached by a command, and commands reach nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil

from nephos.cli import commands, operations, table
from nephos.web.api import root

# Programs' own: workers speak to the ledger through nephos.client.ledger.
NOT_FOR_PEOPLE = {("POST", "/ledger/{verb}")}


def declared() -> dict[tuple[str, str], list[str]]:
    """Operations by the modules that declare and use them."""
    found: dict[tuple[str, str], list[str]] = {}
    for info in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"nephos.cli.commands.{info.name}")
        for name, value in vars(module).items():
            if isinstance(value, operations.Operation):
                found.setdefault((value.method, value.path), []).append(f"{info.name}.{name}")
    return found


def served() -> set[tuple[str, str]]:
    """Operations that the API has."""
    paths = root.document()["paths"]
    return {(method.upper(), path.removeprefix("/api/v1")) for path, methods in paths.items() for method in methods}


def test_every_operation_has_a_command() -> None:
    assert served() - set(declared()) == NOT_FOR_PEOPLE


def test_no_command_calls_what_is_not_there() -> None:
    assert set(declared()) - served() == set()


def test_what_a_command_declares_is_called_somewhere() -> None:
    called: set[str] = set()
    for info in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"nephos.cli.commands.{info.name}")
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called.add(f"{info.name}.{node.func.id}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                called.add(f"{owner.id}.{node.func.attr}" if isinstance(owner, ast.Name) else "")

    assert {use for uses in declared().values() for use in uses} <= called


def test_every_module_is_in_the_table() -> None:
    modules = {info.name for info in pkgutil.iter_modules(commands.__path__)}

    assert modules == {entry.module for entry in table.TABLE.values()}
