"""Deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nephos.events.kinds.base import Level


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
