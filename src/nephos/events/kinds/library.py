"""Channels, shares and assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nephos.events.kinds.base import Level


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
class AssetBegun:
    name: ClassVar[str] = "asset.begun"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is arriving."
    subject: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetGrowing:
    name: ClassVar[str] = "asset.growing"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} may be delivered while it is still being recorded."
    subject: str
    title: str
    path: str
    expected_bytes: int


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
class AssetKept:
    name: ClassVar[str] = "asset.kept"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title}: {what}."
    subject: str
    title: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFreed:
    name: ClassVar[str] = "asset.freed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{title} is freed from this machine ({files}, {size}): {reason}"
    subject: str
    title: str
    files: str
    size: str
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUndelivered:
    name: ClassVar[str] = "asset.undelivered"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{title} could not be handed over: {reason}"
    subject: str
    title: str
    reason: str
