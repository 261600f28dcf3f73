"""The station itself and its journey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nephos.events.kinds.base import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStarted:
    name: ClassVar[str] = "station.started"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "The station started, version {version}."
    subject: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsRefused:
    name: ClassVar[str] = "settings.refused"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "A change of the settings was refused, the old ones stay in force: {reason}"
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSkipped:
    name: ClassVar[str] = "flow.skipped"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "What should follow {event} could not be done: {reason}"
    subject: str
    event: str
    reason: str
