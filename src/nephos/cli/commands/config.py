"""`nephos config`: settings and where each came from. Works on the file, whether the station runs or not."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from nephos.cli import lazy, options, output
from nephos.config import edit, load, schema
from nephos.lib import errors
from nephos.sync import mappings

app = lazy.noun("Settings and where each came from.")

Key = Annotated[str, typer.Argument(help="section.key, for example web.port.", show_default=False)]


@app.command()
def show(*, section: Annotated[str, typer.Argument(help="Only this table.")] = "") -> None:
    """Show every setting, its value and its origin."""
    loaded = load.load(options.here())
    values: dict[str, Any] = msgspec.to_builtins(loaded.settings)
    if section and section not in values:
        raise errors.NotFound(f"There is no section {section[:40]!r}.", hint=f"There are: {', '.join(values)}.")
    chosen = {section: values[section]} if section else values
    if options.current.json:
        output.as_json({"settings": chosen, "origins": dict(loaded.origins)})
        return
    found = [
        {"key": key, "value": value, "origin": loaded.origins.get(key, "default")} for key, value in _leaves(chosen)
    ]
    output.rows(found, [("SETTING", "key"), ("VALUE", _value), ("FROM", "origin")], empty="Nothing is set.")


@app.command()
def check() -> None:
    """Read the settings file and say whether it would be taken."""
    loaded = load.load(options.here())
    mappings.check(loaded.settings)
    left = edit.skipped(loaded.home)
    found = {"valid": True, "file": str(loaded.home.config_file), "skipped": left}
    told = "".join(f"\n{key} was skipped: nephos config set {key} VALUE" for key in left)
    output.done(found, f"{loaded.home.config_file} is fine.{told}")


@app.command("set")
def set_(key: Key, value: Annotated[str, typer.Argument(help="The new value.", show_default=False)]) -> None:
    """Change a setting; a bad value is refused and nothing is written."""
    place = load.load(options.here()).home
    if not place.config.is_dir():
        raise errors.NotNow(
            f"There is no Nephos home at {place.root}.",
            hint="`nephos init` makes one, and so does the first `nephos start`.",
        )
    edit.set_value(place, key, _typed(key, value), check=mappings.check)
    output.done({"key": key, "value": value}, f"{key} is {value} now.")


def _typed(key: str, value: str) -> edit.Plain:
    """The value as the setting wants it: a number for a number, a list for a list."""
    kinds, name = _kinds(key)
    if name in kinds:
        try:
            typed: edit.Plain = msgspec.to_builtins(
                msgspec.convert(_parts(value, kinds[name]), kinds[name], strict=False)
            )
        except msgspec.ValidationError as error:
            raise errors.Invalid(
                f"{key} cannot be {value[:60]!r}: {str(error)[:120]}.",
                hint=f"`nephos config show {key.partition('.')[0]}` shows what it is now.",
            ) from None
        return typed
    return value


def _kinds(key: str) -> tuple[dict[str, Any], str]:
    """The settings of the table that a key is in, and its name there."""
    *tables, name = key.split(".")
    kinds: dict[str, Any] = dict(schema.sections())
    for table in tables:
        found = kinds.get(table)
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            kinds = {field.name: field.type for field in msgspec.structs.fields(found)}
        else:
            kinds = {}
    return (kinds if tables else {}), name


def _parts(value: str, kind: Any) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if "list" in str(kind) else value


def _value(row: dict[str, Any]) -> object:
    return "(empty)" if row["value"] in ("", [], {}) else row["value"]


def _leaves(table: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        found += _leaves(value, f"{name}.") if isinstance(value, dict) and value else [(name, value)]
    return found
