"""One state language: each state of anything has a glyph, a word and a tone; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """A colour's name in the style sheets; never the only sign."""

    CALM = "calm"
    BUSY = "busy"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown."""

    glyph: str
    tone: Tone


PLANNED = Look("○", Tone.CALM)
WAITING = Look("⋯", Tone.CALM)
RUNNING = Look("●", Tone.BUSY)
DONE = Look("✓", Tone.GOOD)
WARNING = Look("▲", Tone.WARN)
FAILED = Look("✗", Tone.BAD)
CANCELLED = Look("–", Tone.CALM)  # noqa: RUF001 - the dash is the sign

_WORDS: dict[Look, str] = {
    PLANNED: "planned queued todo unknown disabled",
    WAITING: "waiting ready settling paused pending",
    RUNNING: "running recording arriving arrived processing delivering sending verifying dispatched receiving current",
    DONE: "closed done recorded processed delivered complete up online enabled good info told",
    WARNING: "open warning late silent complete_with_gaps held lost aborted stopped warn",
    FAILED: "failed error critical damaged empty missed no_space down bad",
    CANCELLED: "cancelled skipped freed",
}
_LOOKS = {word: look for look, words in _WORDS.items() for word in words.split()}


def of(state: str) -> Look:
    """The look of a state; one we do not know is shown as waiting."""
    return _LOOKS.get(str(state), WAITING)


def word(state: str) -> str:
    """The state as people read it."""
    return str(state).replace("_", " ")
