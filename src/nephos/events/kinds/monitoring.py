"""Problems and what people are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nephos.events.kinds.base import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemOpened:
    name: ClassVar[str] = "problem.opened"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{what} {reason}"
    subject: str
    key: str
    kind: str
    about: str
    weight: str
    what: str
    reason: str
    retry: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemClosed:
    name: ClassVar[str] = "problem.closed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Over after {lasted}: {what}"
    subject: str
    key: str
    kind: str
    about: str
    what: str
    opened_at: str
    lasted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemMuted:
    name: ClassVar[str] = "problem.muted"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Muted until {until}: {what}"
    subject: str
    key: str
    until: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingsMissed:
    name: ClassVar[str] = "bookings.missed"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{number} missed: {titles}."
    subject: str
    number: str
    titles: str
    bookings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMade:
    name: ClassVar[str] = "digest.made"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "The day {day}: {summary}"
    subject: str
    day: str
    summary: str
    body: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTaken:
    name: ClassVar[str] = "update.taken"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Data taken over from {source}: {taken} new, {changed} changed, {refused} refused."
    subject: str
    source: str
    taken: int
    changed: int
    refused: int
    lines: list[dict[str, Any]]
