"""From what was typed to text and numbers.

Typer's own way (0.29) imports pydantic for every option that is no flag, which doubles the time a command takes to
start (measured: 140 of 270 ms). Enums and checked paths, which are rare, still go through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from typer._click.core import Command

_MOST = 2**63 - 1  # what databases and JSON readers take


@dataclass(frozen=True, slots=True)
class AsTyped:
    """Text, or several."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ARG002 - the signature is Typer's
        """The text itself."""
        return () if value is None and (param.multiple or param.nargs == -1) else value


@dataclass(frozen=True, slots=True)
class Number:
    """A number between bounds."""

    kind: type[int] | type[float]

    def coerce(self, value: Any, param: Any, ctx: Any) -> int | float | None:
        """Raises BadParameter."""
        if value is None:
            return None
        try:
            number = self.kind(value)
        except ValueError:
            what = "whole number" if self.kind is int else "number"
            raise typer.BadParameter(f"{value[:40]!r} is no {what}.", ctx=ctx, param=param) from None
        low, high = param.min, param.max
        if not (-_MOST if low is None else low) <= number <= (_MOST if high is None else high):  # nor is "nan"
            bounds = [f"at {word} {bound}" for word, bound in (("least", low), ("most", high)) if bound is not None]
            allowed = " and ".join(bounds) or "it is out of all bounds"
            raise typer.BadParameter(f"{str(value)[:40]} is not possible; {allowed}.", ctx=ctx, param=param)
        return number


def lighten(command: Command) -> None:
    """Give a command's parameters these coercions where they fit."""
    for parameter in command.params:
        descriptor = getattr(parameter, "type_descriptor", None)
        kind = getattr(descriptor, "annotation", None)
        if kind is str or kind == list[str]:
            parameter._runtime_param = AsTyped()  # type: ignore[attr-defined]  # Typer builds its own only if unset
        elif kind is int or kind is float:
            parameter._runtime_param = Number(kind)  # type: ignore[attr-defined]
    for verb in getattr(command, "commands", {}).values():
        lighten(verb)
