"""Step 3: every caption track as SubRip, WebVTT and Red Hen text."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nephos.lib import files
from nephos.processing import media
from nephos.processing.captions import cue, pictures, redhen, srt, teletext, webvtt
from nephos.processing.steps import base


def work(order: base.Order) -> list[base.Output]:
    """Make the files of all tracks; a recording without captions gets one Red Hen text that says so."""
    facts = order.media()
    base.progress(0.1, "reading captions")
    found = _tracks(order, facts)
    base.progress(0.8, "writing captions")
    heading = _heading(order, facts)
    outputs = []
    for number, track in enumerate(found):
        outputs += _write(order, heading, track, first=number == 0)
    if not found:
        name = f"{order.stem}.txt"
        files.write_atomic(order.work / name, redhen.write(heading, None))
        outputs.append(base.Output(kind="captions-redhen", name=name, more={"label": "none", "cues": 0}))
    return outputs


def _tracks(order: base.Order, facts: media.Media) -> list[cue.Track]:
    if not facts.stride:
        return []
    found = pictures.tracks(order.source, facts)
    limit = timedelta(seconds=300 + facts.size_bytes / 1_000_000)
    found += teletext.tracks(order.source, facts, limit=limit)
    return [track if track.language else replace(track, language=order.language) for track in found]


def _write(order: base.Order, heading: redhen.Heading, track: cue.Track, *, first: bool) -> list[base.Output]:
    named = f"{order.stem}.{track.tag}"
    texts = [
        ("captions-srt", f"{named}.srt", srt.write(track)),
        ("captions-vtt", f"{named}.vtt", webvtt.write(track)),
        ("captions-redhen", f"{order.stem}.txt" if first else f"{named}.txt", redhen.write(heading, track)),
    ]
    more = {"label": track.label, "language": track.language, "cues": len(track.cues)}
    for _, name, text in texts:
        files.write_atomic(order.work / name, text)
    return [base.Output(kind=kind, name=name, more=more) for kind, name, _ in texts]


def _heading(order: base.Order, facts: media.Media) -> redhen.Heading:
    return redhen.Heading(
        stem=order.stem,
        starts_at=_first_picture_at(order, facts),
        length=timedelta(seconds=facts.seconds),
        width=facts.video.width,
        height=facts.video.height,
        source=order.channel,
        title=order.title,
        country=order.country,
        zone=order.zone,
    )


def _first_picture_at(order: base.Order, facts: media.Media) -> datetime:
    """When viewers saw the first picture: the recording knows when its first byte came; others know less."""
    recorded_from = order.airing().recorded_from
    if recorded_from is not None:
        return recorded_from + timedelta(seconds=facts.lead_seconds)
    return order.starts_at or datetime.fromtimestamp(order.source.stat().st_mtime, UTC)


if __name__ == "__main__":
    sys.exit(base.run(work))
