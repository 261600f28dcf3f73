"""The main job: a broadcast is recorded on schedule, processed, delivered to S3 and seen in a browser."""

from __future__ import annotations

import json
import random
import re
import subprocess
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from nephos.lib import clock
from tests.fakes import broadcast, s3
from tests.support import storage, waiting
from tests.support.station import Station

GROUP = f"239.254.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
PORT = 5006


def cues_wholly_recorded(recording: dict[str, str], report: Path) -> tuple[list[str], list[str]]:
    """Texts that were on the air wholly inside the window, and those that its edges cut."""
    start = clock.parse(recording["recorded_from"]).timestamp()
    end = clock.parse(recording["recorded_to"]).timestamp()
    whole, cut = [], []
    for zero in json.loads(report.read_bytes())["starts_unix"]:
        for cue in broadcast.get().cues:
            text = "\n".join(cue.lines)
            if start <= zero + cue.sent_from and zero + cue.sent_to <= end:
                whole.append(text)
            elif zero + cue.sent_from < end and zero + cue.sent_to > start:
                cut.append(text)
    return whole, cut


def texts_of(srt: Path) -> list[str]:
    """Caption texts of an SRT file."""
    return ["\n".join(block.split("\n")[2:]) for block in srt.read_text().strip().split("\n\n") if block]


def test_a_scheduled_recording_becomes_a_delivered_captioned_mp4(
    station: Station, s3_server: s3.S3Server, tmp_path: Path, artefacts: Path
) -> None:
    report = tmp_path / "on-air.json"
    station.environment.update(TEST_ACCESS=s3.ACCESS_KEY, TEST_SECRET=s3.SECRET_KEY)
    station.start()
    storage.add_channel(station, "Demo TV", group=GROUP, port=PORT)
    keys = ["--access-key", "env:TEST_ACCESS", "--secret-key", "env:TEST_SECRET"]
    station.run("connection", "add", "store", "s3", "--endpoint", s3_server.endpoint, *keys)
    base = ["--base", f"{s3.BUCKET}/tv", "--verify", "read-back"]
    station.run("destination", "add", "archive", "--connection", "store", *base)
    station.run("watch", "add", "recordings", "--sets", "--to", "archive")

    with broadcast.on_air(group=GROUP, port=PORT, seconds=160, report=report), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(station.login_link())
        page.get_by_role("button", name=re.compile("log in", re.IGNORECASE)).click()
        page.goto(f"http://127.0.0.1:{station.port}/recordings")
        page.screenshot(path=artefacts / "recordings-empty.png")

        start_at = (clock.now() + timedelta(seconds=5)).replace(microsecond=0)
        wall = ["--date", f"{start_at:%Y-%m-%d}", "--at", f"{start_at:%H:%M:%S}", "--zone", "UTC"]
        station.run("schedule", "add", "Demo TV", "--name", "Evening news", *wall, "--duration", "20s")

        # It appears without a reload while it is still growing.
        page.get_by_text("Evening news").first.wait_for(timeout=25_000)
        page.screenshot(path=artefacts / "recordings-growing.png")
        row = station.await_recording(["delivered"], seconds=120)
        see_it_played(page, station, row, artefacts)
        browser.close()

    check_files(station, s3_server, row, report)
    assert problems == []


def check_files(station: Station, server: s3.S3Server, row: dict[str, object], report: Path) -> None:
    """Verdict, video, captions and receipts of the delivered recording."""
    recording = row["recording"]
    assert isinstance(recording, dict)
    assert recording["verdict"] == "complete", recording
    assert recording["gaps"] == []
    files = row["files"]
    assert isinstance(files, list)
    paths = {file["name"]: station.root / file["place"] / file["path"] for file in files}
    video = next(paths[file["name"]] for file in files if file["kind"] == "video")
    probe = json.loads(
        subprocess.run(
            ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", video],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
    )
    assert abs(float(probe["format"]["duration"]) - 20) < 1.5
    assert {stream["codec_name"] for stream in probe["streams"]} >= {"h264", "aac"}

    whole, cut = cues_wholly_recorded(recording, report)
    assert len(whole) >= 2
    tracks = [file for file in files if file["kind"] == "captions-srt"]
    assert len(tracks) == 2
    for track in tracks:
        texts = texts_of(paths[track["name"]])
        assert [text for text in texts if text in whole or text not in cut] == whole, track["label"]

    receipts = [receipt for receipt in station.json("transfer", "receipts") if str(row["stem"]) in receipt["key"]]
    assert {receipt["proof"] for receipt in receipts} == {"read-back"}
    assert sorted(Path(receipt["key"]).name for receipt in receipts) == sorted(paths)
    for receipt in receipts:
        stored = server.bucket / receipt["key"].removeprefix(f"{s3.BUCKET}/")
        assert stored.read_bytes() == paths[stored.name].read_bytes()


def see_it_played(page: Page, station: Station, row: dict[str, object], artefacts: Path) -> None:
    """The recording's page plays the mp4 with a caption track, and seeking works."""
    page.goto(f"http://127.0.0.1:{station.port}/recordings/{row['id']}")
    page.wait_for_function("document.querySelector('video').readyState >= 2", timeout=20_000)
    played = page.evaluate(
        """async () => {
            const video = document.querySelector('video');
            video.muted = true;
            video.textTracks[0].mode = 'showing';
            video.currentTime = 12;
            await new Promise(done => video.addEventListener('seeked', done, {once: true}));
            await video.play();
            await new Promise(done => setTimeout(done, 1500));
            video.pause();
            return {time: video.currentTime, tracks: video.textTracks.length,
                    cues: [...video.textTracks[0].cues].map(cue => cue.text)};
        }"""
    )
    assert played["time"] > 12.5
    assert played["tracks"] == 2
    assert len(played["cues"]) >= 2
    for scheme in ("light", "dark"):
        for width in (1280, 500):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=artefacts / f"recording-{scheme}-{width}.png", full_page=True)


def test_an_mp4_dropped_into_a_folder_ends_thumbnailed_and_delivered(station: Station, tmp_path: Path) -> None:
    inbox, shelf = tmp_path / "inbox", tmp_path / "shelf"
    inbox.mkdir()
    station.start()
    station.run("connection", "add", "shelf", "file")
    station.run("destination", "add", "shelf", "--connection", "shelf", "--base", str(shelf))
    station.run("watch", "add", "inbox", "--folder", str(inbox), "--to", "shelf", "--pipeline", "archive")
    clip = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=5", "-f", "lavfi", "-i", "sine=d=5", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", *clip, tmp_path / "holiday film.mp4"], check=True, timeout=60)

    (tmp_path / "holiday film.mp4").rename(inbox / "holiday film.mp4")

    def delivered() -> dict[str, object] | None:
        rows = station.json("asset", "list")
        return rows[0] if rows and rows[0]["state"] == "delivered" else None

    row = waiting.until(delivered, seconds=90, what="the film to be delivered")
    asset = station.json("asset", "show", str(row["id"]))
    assert {"source", "video", "thumbnail", "contact-sheet"} <= {file["kind"] for file in asset["files"]}
    found = {path.name for path in shelf.rglob("*") if path.is_file()}
    assert found == {file["name"] for file in asset["files"]}
    assert (inbox / "holiday film.mp4").exists()


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment_runs_a_station(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    python = root / ".venv/bin/python"
    subprocess.run([python, "-m", "build", "-q", "--wheel", "-o", tmp_path, root], check=True, timeout=180)
    wheel = next(tmp_path.glob("nephos_station-*.whl"))
    subprocess.run(["python3", "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    bin_folder = tmp_path / "venv/bin"
    pip = [bin_folder / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel]
    subprocess.run(pip, check=True, timeout=170)
    station = Station(tmp_path / "home")
    station.environment["PATH"] = f"{bin_folder}:{station.environment['PATH']}"

    done = subprocess.run(
        [bin_folder / "nephos", "start", "--detach"],
        env=station.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    try:
        assert done.returncode == 0, done.stderr
        link = re.search(r"http://\S+/login/\S+", done.stdout)
        assert link
        with urllib.request.urlopen(link.group(), timeout=20) as answer:
            page = answer.read().decode()
        assert "<form" in page
        version = subprocess.run(
            [bin_folder / "nephos", "version"], capture_output=True, text=True, timeout=20, check=False
        )
        assert "Apache-2.0" in version.stdout
    finally:
        subprocess.run([bin_folder / "nephos", "stop", "--now"], env=station.environment, timeout=60, check=False)
