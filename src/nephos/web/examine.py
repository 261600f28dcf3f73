"""Examine a channel for people: what the doctor found, as the page and the API tell it and as it is kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta

from nephos.core import bootstrap
from nephos.lib import urls
from nephos.library import services, states
from nephos.library.models import Channel
from nephos.recording import doctor
from nephos.recording.sources import registry


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer of the examination: ok, warn, fail or skipped."""

    layer: str
    grade: str
    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream of a programme."""

    pid: int
    codec: str
    language: str
    captions: list[str]


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """One programme of the transport stream."""

    number: int
    streams: list[StreamView]


@dataclass(frozen=True, slots=True)
class CheckView:
    """What was heard, layer by layer."""

    channel: str
    address: str
    status: str
    reason: str
    protocol: str
    datagrams: int
    packets: int
    null_packets: int
    scrambled_packets: int
    continuity_errors: int
    bits_per_second: int
    took: timedelta
    layers: list[LayerView]
    programmes: list[ProgrammeView]
    captions: list[str]


def channel(one: Channel, *, seconds: float = 3) -> CheckView:
    """Listen to a channel, layer by layer, and keep what was found."""
    given = registry.options(bootstrap.loaded().settings)
    report = doctor.examine(one.address, given, listen=timedelta(seconds=seconds))
    status = states.ChannelStatus.UP if report.is_up else states.ChannelStatus.DOWN
    view = _view(one, status, report)
    kept = {**dataclasses.asdict(view), "took": view.took.total_seconds()}
    services.note_channel_status(channel=one, status=status, found=kept)
    return view


def _view(channel: Channel, status: states.ChannelStatus, report: doctor.Report) -> CheckView:
    heard = report.heard
    return CheckView(
        channel=channel.name,
        address=urls.masked(channel.address),
        status=status,
        reason=report.verdict,
        protocol=heard.protocol,
        datagrams=heard.datagrams,
        packets=heard.packets,
        null_packets=heard.null_packets,
        scrambled_packets=heard.scrambled_packets,
        continuity_errors=heard.continuity_errors,
        bits_per_second=heard.bits_per_second,
        took=heard.took,
        layers=[LayerView(one.layer, one.grade, one.found, one.advice) for one in report.findings],
        programmes=[
            ProgrammeView(one.number, [StreamView(s.pid, s.codec, s.language, list(s.captions)) for s in one.streams])
            for one in report.programmes
        ],
        captions=list(report.captions),
    )
