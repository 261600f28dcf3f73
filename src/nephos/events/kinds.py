"""One frozen dataclass per event: its fields are the facts, its sentence is what people read.

`subject` is what it happened to, as `kind:id` (`asset:12`, `channel:3`, `job:01j...`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
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


# --- the station -----------------------------------------------------------------------------------------------------


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


# --- channels, schedules, bookings -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAdded:
    name: ClassVar[str] = "channel.added"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Channel {channel} was added."
    subject: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChanged:
    name: ClassVar[str] = "channel.changed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Channel {channel} was changed."
    subject: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRemoved:
    name: ClassVar[str] = "channel.removed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Channel {channel} was removed."
    subject: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareAdded:
    name: ClassVar[str] = "share.added"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "A share for {email} was added."
    subject: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRemoved:
    name: ClassVar[str] = "share.removed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "The share for {email} was removed."
    subject: str
    email: str


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
class BookingExtended:
    name: ClassVar[str] = "booking.extended"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} of {starts_at} was extended by {length}."
    subject: str
    title: str
    starts_at: str
    length: str


# --- assets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetBegun:
    name: ClassVar[str] = "asset.begun"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is arriving."
    subject: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetArrived:
    name: ClassVar[str] = "asset.arrived"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} has arrived: {verdict}."
    subject: str
    title: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetEmpty:
    name: ClassVar[str] = "asset.empty"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{title} holds nothing: {reason}"
    subject: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetProcessing:
    name: ClassVar[str] = "asset.processing"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is being processed by {pipeline}."
    subject: str
    title: str
    pipeline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetProcessed:
    name: ClassVar[str] = "asset.processed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is processed."
    subject: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFailed:
    name: ClassVar[str] = "asset.failed"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{title} could not be processed: {reason}"
    subject: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDelivering:
    name: ClassVar[str] = "asset.delivering"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is being delivered by {watches}."
    subject: str
    title: str
    watches: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDelivered:
    name: ClassVar[str] = "asset.delivered"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is delivered."
    subject: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSkipped:
    name: ClassVar[str] = "flow.skipped"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "What should follow {event} could not be done: {reason}"
    subject: str
    event: str
    reason: str


# --- people and their keys -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdded:
    name: ClassVar[str] = "user.added"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Account {user} was added as {role}."
    subject: str
    user: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged:
    name: ClassVar[str] = "user.changed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Account {user} got {what}."
    subject: str
    user: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRemoved:
    name: ClassVar[str] = "user.removed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Account {user} was removed."
    subject: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUsed:
    name: ClassVar[str] = "user.link_used"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{user} came in by a login link."
    subject: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMade:
    name: ClassVar[str] = "token.made"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Token {token} was made with the scopes {scopes}."
    subject: str
    token: str
    scopes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked:
    name: ClassVar[str] = "token.revoked"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Token {token} was revoked."
    subject: str
    token: str


# --- the farm --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmitted:
    name: ClassVar[str] = "job.submitted"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} was submitted."
    subject: str
    job: str
    for_subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    name: ClassVar[str] = "job.started"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} has begun."
    subject: str
    job: str
    for_subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPaused:
    name: ClassVar[str] = "job.paused"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} is paused: what runs goes on, nothing new is begun."
    subject: str
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueued:
    name: ClassVar[str] = "job.queued"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} is queued again."
    subject: str
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    name: ClassVar[str] = "job.finished"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} is {state}. {reason}"
    subject: str
    job: str
    state: str
    ok: bool
    key: str
    for_subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    name: ClassVar[str] = "task.failed"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{step} {number} of job {job} failed for good: {reason}"
    subject: str
    job: str
    step: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJoined:
    name: ClassVar[str] = "worker.joined"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Worker {worker} has joined with {slots} slots."
    subject: str
    worker: str
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    name: ClassVar[str] = "worker.lost"
    level: ClassVar[Level] = Level.WARNING
    sentence: ClassVar[str] = "Worker {worker} is no longer heard of."
    subject: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnabled:
    name: ClassVar[str] = "worker.enabled"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Worker {worker} gets work."
    subject: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDisabled:
    name: ClassVar[str] = "worker.disabled"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Worker {worker} gets no more work."
    subject: str
    worker: str


# --- delivery --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferDelivered:
    name: ClassVar[str] = "transfer.delivered"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{path} is delivered to {destination}, proof: {proof}."
    subject: str
    watch: str
    destination: str
    path: str
    set: str
    key: str
    size_bytes: int
    sha256: str
    etag: str
    version: str
    proof: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferHeld:
    name: ClassVar[str] = "transfer.held"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{path} is held back from {destination}: {reason}"
    subject: str
    watch: str
    destination: str
    path: str
    set: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDelivered:
    name: ClassVar[str] = "set.delivered"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Watch {watch} has delivered all of {set}."
    subject: str
    set: str
    watch: str
    receipts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRefused:
    name: ClassVar[str] = "set.refused"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "Watch {watch} does not deliver {set}: {reason}"
    subject: str
    set: str
    watch: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesetSettled:
    name: ClassVar[str] = "fileset.settled"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{stem} is complete in the folder of watch {watch}."
    subject: str
    watch: str
    stem: str
    files: list[str]
