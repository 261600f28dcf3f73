"""One frozen dataclass per event: its fields are the facts, its sentence is what people read.

`subject` is what it happened to, as `kind:id` (`asset:12`, `channel:3`, `job:01j...`).
"""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Any, ClassVar, Protocol


class Level(StrEnum):
    """How much it matters to a person."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Kind(Protocol):
    """What every event has."""

    name: ClassVar[str]
    level: ClassVar[Level]
    sentence: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def subject(self) -> str: ...


def text(event: Kind) -> str:
    """The sentence with its facts filled in."""
    return event.sentence.format(**facts(event), subject=event.subject)


def facts(event: Kind) -> dict[str, Any]:
    """All fields but the subject."""
    return {key: value for key, value in asdict(event).items() if key != "subject"}
