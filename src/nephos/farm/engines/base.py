"""What an engine is: it carries attempt ids to workers and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Slots:
    """A worker as its engine sees it."""

    host: str
    total: int
    free: int


class Engine(Protocol):
    """Only attempt ids cross it. It never tries anything again by itself and never moves work between workers."""

    def start(self) -> frozenset[str]:
        """Come up; names of workers of which it is certain that nothing they ever ran is alive.

        Raises NephosError if it cannot.
        """

    def submit(self, attempt: str, *, worker: str) -> None:
        """Have a worker attend to an attempt; the caller keeps to the free slots."""

    def free_slots(self) -> Mapping[str, Slots]:
        """Workers that are there now."""

    def known(self) -> frozenset[str]:
        """Attempts that were submitted and have not ended."""

    def stop(self) -> None:
        """End; attempts of slots in this process are given back."""
