"""S2, S6, S8 and S9: the station is killed twice, the disk runs full, ffmpeg is away for a while."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nephos.lib import clock
from tests.fakes import broadcast, multicast, untagged
from tests.support import storage, waiting
from tests.support.station import Station


def configure(station: Station, text: str) -> None:
    (station.root / "config").mkdir(parents=True, exist_ok=True)
    (station.root / "config/nephos.toml").write_text(text)


def flowing(station: Station) -> bool:
    receivers = station.beat("recorder").get("details", {}).get("receivers", [])
    return any(one["state"] == "receiving" and one["bookings"] for one in receivers)


@pytest.mark.alone
def test_s2_a_station_that_is_killed_twice_makes_one_recording_of_three_parts(station: Station) -> None:
    configure(station, '[recording]\npipeline = ""\n')
    station.start()
    with multicast.MulticastSender(multicast.free_group(), multicast.free_port(), bits_per_second=1e6) as sender:
        storage.add_channel(station, "One", group=sender.group, port=sender.port)
        station.run("record", "One", "--duration", "36s")
        waiting.until(lambda: flowing(station), seconds=20, what="the first bytes")
        for _ in range(2):
            time.sleep(4)
            station.kill()
            station.start()
        row = station.await_recording(["processed", "arrived"], seconds=90)
        sent = sender.sent

    [_] = station.recordings()
    gaps = row["recording"]["gaps"]
    assert [gap["seconds"] < 5.0 for gap in gaps] == [True, True], gaps
    [file] = [file for file in row["files"] if file["kind"] == "recording"]
    content = (station.root / file["place"] / file["path"]).read_bytes()
    parts = pieces(content, sent)
    assert len(parts) == 3
    assert b"".join(parts) == content


def pieces(content: bytes, sent: bytes) -> list[bytes]:
    """A recording cut where something is missing between two packets of what was sent."""
    found, begin, place = [], 0, sent.index(content[:188])
    for offset in range(0, len(content), 188):
        packet = content[offset : offset + 188]
        if sent[place : place + 188] != packet:
            found.append(content[begin:offset])
            begin, place = offset, sent.index(packet, place)
        place += 188
    return [*found, content[begin:]]


@pytest.fixture
def small_disk(station: Station) -> Iterator[Path]:
    """The recordings of the station on a volume of 40 MiB of its own."""
    folder = station.root / "recordings"
    folder.mkdir(parents=True)
    argv = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(argv, capture_output=True, check=False).returncode != 0:
        pytest.skip("volumes can be mounted by root only")
    try:
        yield folder
    finally:
        station.stop()
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


@pytest.mark.usefixtures("small_disk")
def test_s6_a_full_volume_ends_the_least_important_recording_cleanly(station: Station) -> None:
    floors = f"soft_floor_bytes = 0\nhard_floor_bytes = {22 * 1024**2}"
    configure(station, f'[recording]\npipeline = ""\n{floors}\n')
    station.start()
    senders = {
        name: multicast.MulticastSender(multicast.free_group(), multicast.free_port(), bits_per_second=rate, salt=rate)
        for name, rate in (("Small", 500_000), ("Large", 12_000_000))
    }
    for name, sender in senders.items():
        storage.add_channel(station, name, group=sender.group, port=sender.port)
        sender.start()
    wall = time.gmtime(time.time() + 4)
    at = ["--date", time.strftime("%Y-%m-%d", wall), "--at", time.strftime("%H:%M:%S", wall), "--zone", "UTC"]
    for name, priority in (("Small", "0"), ("Large", "-1")):
        options = ["--name", name, "--duration", "24s", "--priority", priority]
        station.run("schedule", "add", name, *at, *options)

    def judged() -> dict[str, dict[str, Any]]:
        rows = {row["title"]: row for row in station.recordings() if row["recording"]["verdict"]}
        return rows if len(rows) == 2 else {}

    rows = waiting.until(judged, seconds=90, what="two verdicts")
    for sender in senders.values():
        sender.stop()

    assert rows["Small"]["recording"]["verdict"] == "complete"
    large = rows["Large"]["recording"]
    assert large["verdict"] == "no_space"
    assert "the disk was almost full" in large["reason"]
    assert large["gaps"][-1]["cause"] == "disk full or too slow"
    for name, row in rows.items():
        [file] = [f for f in station.json("recording", "show", str(row["id"]))["files"] if f["kind"] == "recording"]
        content = (station.root / file["place"] / file["path"]).read_bytes()
        assert len(content) % 188 == 0
        assert content in senders[name].sent
    assert any(event["kind"] == "booking.cut_short" for event in station.json("event", "list", "--limit", "200"))


@pytest.fixture
def tools(station: Station, tmp_path: Path) -> Path:
    """A folder of programs that comes first for the station; ffmpeg is nowhere else on its path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in ("/usr/local/bin", "/usr/bin", "/bin"):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            if not (folder / program.name).exists() and not program.name.startswith("ff"):
                (folder / program.name).symlink_to(program)
    station.environment["PATH"] = str(folder)
    return folder


def test_s8_s9_work_waits_for_ffmpeg_and_captions_without_languages_are_kept(station: Station, tools: Path) -> None:
    """S9: nothing is lost while ffmpeg is away. S8: no language tags, captions on page 888."""
    station.start()
    stream = untagged.stream()
    rate = broadcast.get().bits_per_second
    with multicast.MulticastSender(
        multicast.free_group(), multicast.free_port(), source=stream, bits_per_second=rate, keep=False
    ) as sender:
        storage.add_channel(station, "One", group=sender.group, port=sender.port)
        station.run("channel", "edit", "One", "--language", "")
        station.run("record", "One", "--duration", "20s", "--title", "Untagged")

        def waits() -> bool:
            jobs = station.json("job", "list")
            return bool(jobs) and "not installed" in json.dumps(station.json("job", "show", jobs[0]["id"]))

        waiting.until(waits, seconds=60, what="a step that misses ffmpeg")
    assert station.recordings()[0]["recording"]["verdict"] == "complete"
    for name in ("ffmpeg", "ffprobe"):
        (tools / name).symlink_to(str(shutil.which(name)))
    row = station.await_recording(["processed", "delivered"], seconds=120)

    kinds = {file["kind"] for file in row["files"]}
    assert {"video", "captions-srt", "captions-vtt", "captions-redhen", "thumbnail"} <= kinds
    paths = {file["name"]: station.root / file["place"] / file["path"] for file in row["files"]}
    [srt] = [path for name, path in paths.items() if name.endswith(".ttx888.srt")]
    [red_hen] = [path for name, path in paths.items() if name.endswith(".ttx888.txt")]
    lasting = {"\n".join(cue.lines): cue.end - cue.start for cue in broadcast.get().cues}
    cues = list(read_srt(srt.read_text()))
    whole = cues[1:-1]  # the edges of the recording may cut the first and the last
    assert len(whole) >= 1
    for text, seconds in whole:
        assert seconds == pytest.approx(lasting[text], abs=0.041), text  # one frame
    lines = re.findall(r"^(\d{14}\.\d{3})\|(\d{14}\.\d{3})\|[A-Z0-9_]+\|(.+)$", red_hen.read_text(), re.MULTILINE)
    spoken = {text.replace("\n", " ") for text, _ in whole}
    assert spoken <= {text.strip() for _, _, text in lines}
    assert abs(clock.parse(row["recording"]["starts_at"]).timestamp() - time.time()) < 300


def read_srt(text: str) -> Iterator[tuple[str, float]]:
    """Text and length of each cue."""
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        start, end = (seconds(part) for part in lines[1].split(" --> "))
        yield "\n".join(lines[2:]), end - start


def seconds(stamp: str) -> float:
    hours, minutes, rest = stamp.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)
