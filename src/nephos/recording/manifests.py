"""The document beside a recording: what it is made of, what is missing, how good it is; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from nephos.lib import clock, urls
from nephos.library import grades
from nephos.recording import cuts, gaps, join, notices, verdicts

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was wanted."""

    booking: int
    channel: str
    schedule: str
    title: str
    url: str
    wanted: gaps.Span
    window: gaps.Span
    stopped: bool = False
    cut_short: bool = False  # by a full disk; what was wanted is longer than the window


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came of it."""

    recorded: gaps.Span | None
    gaps: Sequence[gaps.Gap]
    counters: Mapping[str, int]
    judgement: verdicts.Judgement


def find(order: Order, cut: cuts.Cut) -> Findings:
    """Judge a window by its journals."""
    found = gaps.find(cut.evidence, order.window)
    if order.cut_short and order.wanted.end > order.window.end:
        found.append(gaps.Gap(order.window.end, order.wanted.end, gaps.Cause.DISK))
    counts = verdicts.counters(cut.seconds) | {"bytes": cut.bytes}
    judgement = verdicts.judge(
        window=order.window,
        wanted=order.wanted,
        found=found,
        counts=counts,
        stopped=order.stopped,
        cut_short=order.cut_short,
    )
    recorded = gaps.recorded(cut.evidence, order.window) if cut.bytes else None
    return Findings(recorded=recorded, gaps=found, counters=counts, judgement=judgement)


def document(order: Order, findings: Findings, cut: cuts.Cut, joined: join.Joined) -> dict[str, Any]:
    """The manifest."""
    recorded = findings.recorded
    return {
        "version": VERSION,
        "booking": order.booking,
        "channel": order.channel,
        "schedule": order.schedule,
        "title": order.title,
        "url": urls.masked(order.url),
        "starts_at": clock.stamp(order.wanted.start),
        "ends_at": clock.stamp(order.wanted.end),
        "from_at": clock.stamp(order.window.start),
        "to_at": clock.stamp(order.window.end),
        "recorded_from": clock.stamp(recorded.start) if recorded else None,
        "recorded_to": clock.stamp(recorded.end) if recorded else None,
        "bytes": joined.bytes,
        "sha256": joined.sha256,
        "segments": [asdict(piece) for piece in joined.pieces],
        "gaps": [gap.document() for gap in findings.gaps],
        "counters": dict(findings.counters),
        "verdict": str(findings.judgement.verdict),
        "reason": findings.judgement.reason,
        "score": findings.judgement.score,
        "grade": grades.grade(findings.judgement.score),
        "notices": notices.find(cut.strip, cut.steps),
        "seconds": [[clock.stamp(one.second.utc), one.offset, one.second.bytes, one.second.cc] for one in cut.strip],
    }


def is_of(manifest: Mapping[str, Any], order: Order) -> bool:
    """Whether a manifest answers exactly this order: a seal from before a change of the booking does not."""
    return manifest.get("booking") == order.booking and [manifest.get("from_at"), manifest.get("to_at")] == [
        clock.stamp(order.window.start),
        clock.stamp(order.window.end),
    ]


def moment(text: str | None) -> datetime | None:
    """A stamp of the manifest, None if there is none."""
    return clock.parse(text) if text else None
