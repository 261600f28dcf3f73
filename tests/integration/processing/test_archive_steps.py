"""Each step of the archive pipeline, as a program, on the test broadcast."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.fakes import broadcast
from tests.support import waiting
from tests.support.steps import Set, srt_cues, streams

TWO_FRAMES = 0.08
TRACKS = ["show.cc1.srt", "show.ttx888.srt"]


def a_set(tmp_path: Path, content: bytes, *, name: str = "source.ts", **more: str) -> Set:
    source = tmp_path / name
    source.write_bytes(content)
    return Set(source, tmp_path / "set", more)


def zero_of(made: Set) -> float:
    """The mp4's beginning on the time line of the broadcast's cues."""
    facts = json.loads((made.folder / "probe.json").read_bytes())
    return float((facts["video"]["zero_stamp"] - broadcast.get().pts_start) / 90_000)


def assert_cues(made: Set, *, start: float, end: float, ahead: float = 0.0) -> None:
    """Both tracks hold the cues that were sent within the window, to the frame; only its edges may add something."""
    zero = zero_of(made)
    whole = [cue for cue in broadcast.get().cues if start + 1 <= cue.sent_from and cue.sent_to <= end]
    assert whole
    for name in TRACKS:
        found = {text: (first, last) for first, last, text in srt_cues(made.folder / name)}
        for cue in whole:
            first, last = found["\n".join(cue.lines)]
            assert abs(first - (cue.start - zero + ahead)) <= TWO_FRAMES, (name, cue)
            assert abs(last - (cue.end - zero + ahead)) <= TWO_FRAMES, (name, cue)
        assert set(found) <= {"\n".join(cue.lines) for cue in broadcast.get().cues}


def assert_plays(path: Path, *, seconds: float, tolerance: float = 0.2, sound: bool = True) -> None:
    found = streams(path)
    assert found["video"]["codec_name"] == "h264"
    assert abs(float(found["video"]["duration"]) - seconds) <= tolerance
    assert float(found["video"]["start_time"]) == 0.0
    assert ("audio" in found) is sound
    if sound:
        assert found["audio"]["codec_name"] == "aac"
        assert abs(float(found["audio"]["start_time"])) < 0.1
    head = path.read_bytes()[: 1 << 20]
    assert 0 < head.find(b"moov") < head.find(b"mdat")


def test_the_whole_broadcast_becomes_a_set_of_files(tmp_path: Path) -> None:
    shutil.copy(broadcast.get().path, tmp_path / "b.ts")
    about = {"title": "Evening 'news'", "channel": "One", "country": "ES", "language": "spa", "zone": "Europe/Madrid"}
    made = Set(tmp_path / "b.ts", tmp_path / "set", {**about, "starts-at": "2026-11-22T19:16:20Z"})

    kinds = made.make("probe", "video", "captions", "thumbnails", "manifest")

    assert sorted(path.name for path in made.folder.iterdir()) == [
        *("probe.json", "show.cc1.srt", "show.cc1.vtt", "show.files.json", "show.jpg", "show.mp4", "show.sheet.jpg"),
        *("show.ttx888.srt", "show.ttx888.txt", "show.ttx888.vtt", "show.txt"),
    ]
    assert kinds["video"][0]["way"] == "copied"
    assert_plays(made.folder / "show.mp4", seconds=64)
    wanted = [(cue.start, cue.end, "\n".join(cue.lines)) for cue in broadcast.get().cues]
    for name in TRACKS:
        assert srt_cues(made.folder / name) == wanted
    assert [(e["label"], e["language"]) for e in kinds["captions-vtt"]] == [("CC1", "spa"), ("Teletext 888", "eng")]
    assert "5 &lt; 6" in (made.folder / "show.cc1.vtt").read_text()
    assert "20261122191622.000|20261122191624.520|CC1|GOOD EVENING FROM NEPHOS" in (
        (made.folder / "show.txt").read_text()
    )
    assert streams(made.folder / "show.sheet.jpg")["video"]["width"] == 1280
    listed = json.loads((made.folder / "show.files.json").read_bytes())["files"]
    assert {entry["name"] for entry in listed} == {"b.ts", *(p.name for p in made.folder.iterdir())} - {
        "show.files.json"
    }


def test_a_recording_that_begins_anywhere_has_its_captions_in_place(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(4.3, 24)[77:])  # the head is cut within a packet

    kinds = made.make("probe", "video", "captions")

    assert kinds["video"][0]["way"] == "copied"
    assert_cues(made, start=4.3, end=24)
    assert_plays(made.folder / "show.mp4", seconds=24.3 - 0.58 - zero_of(made), tolerance=0.9)


def picture(path: Path, number: int) -> bytes:
    """One decoded picture, small and grey."""
    chosen = f"select=eq(n\\,{number}),scale=64:36"
    argv = ["ffmpeg", "-v", "error", "-i", f"file:{path}", "-map", "0:v", "-vf", chosen, "-frames:v", "1"]
    argv += ["-pix_fmt", "gray", "-f", "rawvideo", "-"]
    return subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout


def test_captions_stand_beneath_the_very_pictures_they_were_made_for(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(4.3, 16))

    made.make("video", "captions", "probe")

    first = srt_cues(made.folder / "show.cc1.srt")[0][0]
    shown = picture(made.folder / "show.mp4", round(first * 25))
    assert shown == picture(broadcast.get().path, round(broadcast.get().cues[1].start * 25))


def test_red_hen_times_come_from_the_recordings_manifest(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(8, 16))
    manifest = {"recorded_from": "2026-11-22T19:00:00.000Z", "recorded_to": "2026-11-22T19:00:08.000Z", "gaps": []}
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    made.parameters = {"manifest": str(tmp_path / "m.json"), "starts-at": "2020-01-01T00:00:00Z"}

    made.make("captions")

    cue = broadcast.get().cues[2]
    delay = (broadcast.get().pts_start - broadcast.get().pcr_start) / 90_000
    line = next(line for line in (made.folder / "show.txt").read_text().splitlines() if cue.lines[0] in line)
    assert abs(float(line[12:18]) - (cue.start + delay - 8)) <= 0.03
    assert line.startswith("202611221900")


def test_file_names_may_hold_anything(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 8), name="it's, a [weird]; job: 100% %d \\x\n.ts")
    made.stem = "it's, a [weird]; job: 100% %d"

    made.make("probe", "video", "captions", "thumbnails", "manifest")

    assert len(srt_cues(made.folder / f"{made.stem}.ttx888.srt")) == 2
    assert (made.folder / f"{made.stem}.sheet.jpg").stat().st_size


def test_lost_packets_still_give_the_whole_length(tmp_path: Path) -> None:
    chance = random.Random(4)
    whole = broadcast.part(0, 24)
    kept = b"".join(whole[at : at + 188] for at in range(0, len(whole), 188) if chance.random() > 0.005)
    made = a_set(tmp_path, kept)

    made.make("probe", "video", "captions")

    assert_plays(made.folder / "show.mp4", seconds=24.3, tolerance=0.3)


def test_a_hole_stays_a_hole_and_captions_after_it_stay_in_place(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 10) + broadcast.part(12, 24))

    made.make("probe", "video", "captions")

    assert_plays(made.folder / "show.mp4", seconds=24, tolerance=0.6)
    assert_cues(made, start=-1, end=9.9)
    assert_cues(made, start=12, end=24)


def test_a_long_hole_that_the_manifest_knows_stays_one_too(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 10) + broadcast.part(32, 42))
    gap = {"start": "2026-11-22T19:00:10.000Z", "seconds": 22.0}
    manifest = {"recorded_from": "2026-11-22T19:00:00Z", "recorded_to": "2026-11-22T19:00:42Z", "gaps": [gap]}
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    made.parameters = {"manifest": str(tmp_path / "m.json")}

    made.make("probe", "video", "captions")

    assert_plays(made.folder / "show.mp4", seconds=42, tolerance=0.6)
    assert_cues(made, start=32, end=42)


def test_a_jump_of_the_clock_is_closed_for_pictures_and_captions_alike(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 10) + broadcast.moved(broadcast.part(10, 24), seconds=4000))

    made.make("probe", "video", "captions")

    assert_plays(made.folder / "show.mp4", seconds=24, tolerance=0.6)
    assert_cues(made, start=11, end=24)


def test_the_wrap_of_the_clock_is_not_seen(tmp_path: Path) -> None:
    wrap = 2**33 / 90_000
    made = a_set(tmp_path, broadcast.moved(broadcast.part(0, 24), seconds=wrap - 20))

    made.make("probe", "video", "captions")

    assert_plays(made.folder / "show.mp4", seconds=24, tolerance=0.6)
    assert_cues(made, start=-1, end=24, ahead=zero_of(made))


def test_a_silent_broadcast_becomes_a_silent_mp4(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.without(broadcast.part(0, 8), 0x101))

    made.make("probe", "video")

    assert_plays(made.folder / "show.mp4", seconds=8, tolerance=0.6, sound=False)


def convert(source: Path, target: Path, *arguments: str) -> None:
    argv = ["ffmpeg", "-v", "error", "-y", "-i", f"file:{source}", *arguments, f"file:{target}"]
    subprocess.run(argv, check=True, timeout=60)


def test_a_recording_without_captions_says_so(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 8))
    clean = tmp_path / "clean.ts"
    without_messages = ["-bsf:v", "filter_units=remove_types=6"]
    convert(made.source, clean, "-map", "0:v", "-map", "0:a", "-c", "copy", *without_messages, "-f", "mpegts")
    made.source = clean

    kinds = made.make("captions")

    (entry,) = kinds["captions-redhen"]
    assert (entry["path"], entry["label"], entry["cues"]) == ("show.txt", "none", 0)
    assert "|SEG_00|No captions" in (made.folder / "show.txt").read_text()


def test_an_mp4_is_taken_as_it_is_and_keeps_its_name(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 8))
    convert(made.source, tmp_path / "show.mp4", "-map", "0:v", "-map", "0:a", "-c", "copy")
    made.source = tmp_path / "show.mp4"

    kinds = made.make("probe", "video", "captions", "thumbnails", "manifest")

    assert (kinds["video"][0]["path"], kinds["video"][0]["way"]) == ("show.web.mp4", "copied")
    assert_plays(made.folder / "show.web.mp4", seconds=8.2, tolerance=0.6)
    assert kinds["captions-redhen"][0]["label"] == "none"


def test_what_browsers_do_not_play_is_encoded_anew(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 6))
    old = tmp_path / "old.ts"
    mpeg2 = ["-c:v", "mpeg2video", "-b:v", "2M", "-flags", "+ilme+ildct", "-top", "1", "-c:a", "mp2"]
    convert(made.source, old, "-map", "0:v", "-map", "0:a", *mpeg2, "-f", "mpegts")
    made.source = old

    kinds = made.make("probe", "video")

    assert kinds["video"][0]["way"] == "all encoded anew"
    assert_plays(made.folder / "show.mp4", seconds=6.2, tolerance=0.6)
    assert streams(made.folder / "show.mp4")["video"]["field_order"] == "progressive"


def test_foreign_sound_alone_leaves_the_pictures_as_they_are(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 6))
    surround = tmp_path / "ac3.ts"
    convert(
        made.source, surround, "-map", "0:v", "-map", "0:a", "-c:v", "copy", "-c:a", "ac3", "-ac", "6", "-f", "mpegts"
    )
    made.source = surround

    kinds = made.make("probe", "video")

    assert kinds["video"][0]["way"] == "sound encoded anew"
    assert_plays(made.folder / "show.mp4", seconds=6.2, tolerance=0.6)
    assert streams(made.folder / "show.mp4")["audio"]["channels"] == 2


@pytest.mark.parametrize(
    ("refused", "way"), [("-c:a copy", "sound encoded anew"), ("-c:v copy", "all encoded anew"), ("-movflags", "")]
)
def test_when_one_way_fails_the_next_is_tried(tmp_path: Path, refused: str, way: str) -> None:
    made = a_set(tmp_path, broadcast.part(0, 4))
    stand_in = tmp_path / "bin" / "ffmpeg"
    stand_in.parent.mkdir()
    real = shutil.which("ffmpeg")
    stand_in.write_text(f'#!/bin/sh\ncase "$*" in *"{refused}"*) exit 1;; esac\nexec {real} "$@"\n')
    stand_in.chmod(0o755)
    made.environment = {"PATH": f"{stand_in.parent}:/usr/bin:/bin"}

    if way:
        assert made.make("video")["video"][0]["way"] == way
        assert_plays(made.folder / "show.mp4", seconds=4, tolerance=0.6)
    else:
        code, sentence = made.failure("video")
        assert code == 1
        assert sentence.startswith("No playable mp4 could be made; copied: ffmpeg ended with 1 and made nothing")
        assert list(made.work("video").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The source is empty."),
        (b"this is a text\n" * 500, "ffprobe cannot read this file: "),
        (random.Random(1).randbytes(200_000), ""),
        (None, "The source cannot be read: No such file or directory."),
    ],
    ids=["empty", "text", "noise", "missing"],
)
def test_a_source_that_is_no_video_is_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    made = a_set(tmp_path, content or b"")
    if content is None:
        made.source.unlink()

    for step in ("probe", "video", "captions"):
        code, said = made.failure(step)
        assert code == 1
        assert said.startswith(sentence)
        assert not (made.work(step) / "outputs.json").exists()


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 3))
    convert(made.source, tmp_path / "radio.ts", "-map", "0:a", "-c", "copy", "-f", "mpegts")
    made.source = tmp_path / "radio.ts"

    assert made.failure("probe") == (1, "This file holds only sound. A pipeline for video needs pictures.")


def test_without_ffmpeg_it_is_tried_again_later(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 3))
    made.environment = {"PATH": str(tmp_path)}

    code, sentence = made.failure("probe")

    assert code == 75
    assert sentence.startswith("The program ffprobe is not installed. On Debian: apt-get install")


def encoders(folder: Path) -> list[psutil.Process]:
    """Running programs whose working folder is the given one."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "ffmpeg" and process.info["cwd"] == str(folder):
            found.append(process)
    return found


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_step_that_is_killed_can_be_run_again(tmp_path: Path, sign: signal.Signals) -> None:
    made = a_set(tmp_path, broadcast.part(0, 12))
    # A source that must be encoded anew, so that there is time to kill.
    convert(made.source, tmp_path / "old.avi", "-map", "0:v", "-c:v", "mpeg4", "-q:v", "2", "-s", "1920x1080")
    made.source = tmp_path / "old.avi"
    step = made.start("video")
    folder = made.work("video")
    running = waiting.until(lambda: encoders(folder), seconds=20, what="ffmpeg")

    step.send_signal(sign)
    step.communicate(timeout=20)

    if sign == signal.SIGKILL:
        running[0].kill()  # the farm's guard does that
    assert waiting.until(lambda: not encoders(folder), seconds=5, what="the end of ffmpeg")
    assert not (folder / "outputs.json").exists()
    made.source = tmp_path / "source.ts"
    made.make("video")
    assert_plays(made.folder / "show.mp4", seconds=12, tolerance=0.6)


def test_the_captions_are_those_that_ffmpeg_reads(tmp_path: Path) -> None:
    made = a_set(tmp_path, broadcast.part(0, 12))
    film = "movie=source.ts[out0+subcc]"
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", film, "-map", "0:s", "-c:s", "srt", "-f", "srt", "-"]
    oracle = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True, timeout=60, text=True).stdout

    made.make("captions")

    for _, _, text in srt_cues(made.folder / "show.cc1.srt"):
        assert all(line in oracle for line in text.split("\n"))


def test_steps_need_no_database() -> None:
    names = ["probe", "video", "captions", "thumbnails", "manifest"]
    code = "import sys; import " + ", ".join(f"nephos.processing.steps.{name}" for name in names)

    done = subprocess.run([sys.executable, "-c", f"{code}; sys.exit('django' in sys.modules)"], timeout=30, check=False)

    assert done.returncode == 0
