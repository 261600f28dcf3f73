"""Schedules and bookings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nephos.events.kinds.base import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleAdded:
    name: ClassVar[str] = "schedule.added"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Schedule {schedule} was added: {words}."
    subject: str
    schedule: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChanged:
    name: ClassVar[str] = "schedule.changed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Schedule {schedule} was changed: {words}."
    subject: str
    schedule: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRemoved:
    name: ClassVar[str] = "schedule.removed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Schedule {schedule} was removed."
    subject: str
    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideTaken:
    name: ClassVar[str] = "guide.taken"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{programmes} programmes of {channel} were taken from a guide."
    subject: str
    channel: str
    programmes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingAdded:
    name: ClassVar[str] = "booking.added"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} was booked on {channel} from {starts_at} for {length}."
    subject: str
    title: str
    channel: str
    starts_at: str
    length: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingStarted:
    name: ClassVar[str] = "booking.started"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is being recorded from {channel}."
    subject: str
    title: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFinished:
    name: ClassVar[str] = "booking.finished"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is recorded: {verdict}. {reason}"
    subject: str
    title: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMissed:
    name: ClassVar[str] = "booking.missed"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{title} of {starts_at} was missed: {reason}"
    subject: str
    title: str
    starts_at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPlanned:
    name: ClassVar[str] = "booking.planned"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} of {starts_at} is planned again: the clock was set back."
    subject: str
    title: str
    starts_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingSkipped:
    name: ClassVar[str] = "booking.skipped"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} of {starts_at} is skipped."
    subject: str
    title: str
    starts_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingStopped:
    name: ClassVar[str] = "booking.stopped"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} of {starts_at} was stopped by hand."
    subject: str
    title: str
    starts_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCutShort:
    name: ClassVar[str] = "booking.cut_short"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{title} of {starts_at} was stopped: only {free} are free on the disk."
    subject: str
    title: str
    starts_at: str
    free: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingExtended:
    name: ClassVar[str] = "booking.extended"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} of {starts_at} was extended by {length}."
    subject: str
    title: str
    starts_at: str
    length: str
