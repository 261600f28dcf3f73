"""What a table of states is; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Table(Generic[State]):
    """The allowed moves of one kind of row. `first` is the state it is born in."""

    first: State
    moves: Mapping[State, frozenset[State]]

    def allows(self, before: State | str, after: State | str) -> bool:
        """Whether a row may go from one state to another."""
        return after in self.moves.get(type(self.first)(before), frozenset())  # a member equals its value

    def ends(self) -> frozenset[State]:
        """States that nothing leaves."""
        return frozenset(state for state in type(self.first) if not self.moves.get(state))

    def pairs(self) -> Iterator[tuple[State, State]]:
        """Every allowed move, for diagrams and tests."""
        for before, afters in self.moves.items():
            for after in sorted(afters):
                yield before, after


def mermaid(table: Table[State]) -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {table.first}"]
    lines += [f"    {before} --> {after}" for before, after in table.pairs()]
    lines += [f"    {end} --> [*]" for end in sorted(table.ends())]
    return "\n".join(lines)
