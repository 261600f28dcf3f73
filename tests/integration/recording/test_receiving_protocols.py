"""Each kind of source records a real sender, which stalls and goes on: the gap is known and nothing else is missing.

In short form here; `make soak-sources` sets NEPHOS_SOAK for 30 s with a stall of 20 s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nephos.config import load
from nephos.lib import clock
from nephos.recording import cuts, gaps, plan, segments
from tests.fakes import senders
from tests.support.recorder import Station

IS_SOAK = bool(os.environ.get("NEPHOS_SOAK"))
BEFORE, STALL, AFTER = (30.0, 20.0, 30.0) if IS_SOAK else (3.0, 6.0, 12.0)
KINDS = ("http", "hls", "rtsp", "srt", "rist", "pipe", "multicat", "multicat-rtp")


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return senders.material(tmp_path_factory.mktemp("material"))


@pytest.fixture
def sending(programme: Path, tmp_path: Path) -> Iterator[dict[str, senders.Sender]]:
    made = {kind: make() for kind, make in senders.everything(programme, tmp_path).items()}
    yield made
    for one in made.values():
        one.stop()


def settings(root: Path, pipe: senders.PipeSender) -> load.Loaded:
    home = load.load(root, environment={}).home
    home.create()
    home.config_file.write_text(
        f"[recording]\npre_roll_seconds = 0\n[source.tuner]\ncommand = [{toml(pipe.command)}]\n"
    )
    return load.load(root, environment={})


def toml(command: list[str]) -> str:
    return ", ".join(
        '"' + part.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' for part in command
    )


def gaps_of(station: Station, slug: str, window: gaps.Span) -> list[gaps.Gap]:
    found = [
        cuts.Source(one, segments.read_journal(one.journal), datetime.fromtimestamp(one.path.stat().st_mtime, UTC))
        for one in segments.list_segments(station.folder(slug))
    ]
    return gaps.find(cuts.cut(found, window).evidence, window)


@pytest.mark.timeout(900 if IS_SOAK else 300)  # a busy machine takes its time with eight senders
def test_every_kind_of_source_records_through_a_stall(sending: dict[str, senders.Sender], tmp_path: Path) -> None:
    assert senders.has_multicat(), "`script/setup tests` installs multicat"
    pipe = sending["pipe"]
    assert isinstance(pipe, senders.PipeSender)
    station = Station(settings(tmp_path / "home", pipe))
    for one in sending.values():
        one.start()
    time.sleep(4 if not IS_SOAK else 6)  # the playlist has its first segments
    start = clock.now()
    window = plan.Window(1, start, start + timedelta(minutes=10))
    station.plan(*(plan.Channel(kind, kind, one.url, "", (window,)) for kind, one in sending.items()))
    station.start()
    try:
        station.wait_until(lambda: all(station.receives(kind) for kind in KINDS), timeout=150)
        time.sleep(BEFORE)
        for one in sending.values():
            one.stall()
        stalled_at = clock.now()
        time.sleep(STALL)
        for one in sending.values():
            one.resume()
        resumed_at = clock.now()
        time.sleep(AFTER)
        shown = {one["slug"]: one for one in station.shown()}
    finally:
        station.end()

    checked = gaps.Span(stalled_at - timedelta(seconds=3), resumed_at + timedelta(seconds=AFTER - 1))
    for kind in KINDS:
        assert shown[kind]["state"] == "receiving", (kind, shown[kind])
        assert "hunter2" not in str(shown[kind])
        found = gaps_of(station, kind, checked)
        missing = sum(gap.seconds for gap in found)
        # A playlist has some seconds in hand; a connection that broke is made again with growing pauses.
        assert STALL - 4 <= missing <= STALL + AFTER - 2, (kind, found)
        assert max(found).start >= stalled_at - timedelta(seconds=2), (kind, found)
        recorded = station.recorded(kind)
        assert recorded[::188] == b"G" * (len(recorded) // 188), kind
        errors = sum(second.cc for second in station.seconds(kind))
        listed = ", ".join(f"{gap.seconds:.1f} s ({gap.cause})" for gap in found)
        print(  # noqa: T201 - the closing lines of the soak
            f"{kind}: stalled {STALL:.0f} s; gaps listed: {listed}; continuity errors at the seams: {errors}"
        )
        assert errors <= 20, (kind, errors)
