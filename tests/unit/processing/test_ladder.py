"""Which way to the mp4 is tried, and when one is believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nephos.processing import ladder, media
from nephos.processing.ladder import Rung

AUDIO = media.Audio(index=1, codec="aac", channels=2, samples_per_second=48_000, language="")
VIDEO = media.Video(
    index=0,
    codec="h264",
    width=640,
    height=360,
    frames_per_second=25.0,
    pixels="yuv420p",
    interlaced=False,
    key_found=True,
    zero_seconds=11.0,
    zero_decode_seconds=10.92,
    zero_stamp=990_000,
)
FACTS = media.Media(
    container="mpegts",
    size_bytes=10_000_000,
    seconds=60.0,
    start_seconds=10.5,
    lead_seconds=0.5,
    fold_seconds=10.0,
    stride=188,
    video=VIDEO,
    audio=AUDIO,
    streams=(),
    spans=(),
)


@pytest.mark.parametrize(
    ("video", "audio", "rungs"),
    [
        (VIDEO, AUDIO, (Rung.COPY, Rung.SOUND, Rung.ALL)),
        (VIDEO, None, (Rung.COPY, Rung.ALL)),
        (VIDEO, replace(AUDIO, codec="mp2"), (Rung.SOUND, Rung.ALL)),
        (VIDEO, replace(AUDIO, codec="ac3"), (Rung.SOUND, Rung.ALL)),
        (replace(VIDEO, codec="mpeg2video"), AUDIO, (Rung.ALL,)),
        (replace(VIDEO, pixels="yuv422p10le"), AUDIO, (Rung.ALL,)),
        (replace(VIDEO, key_found=False), AUDIO, (Rung.ALL,)),
    ],
)
def test_only_what_browsers_play_is_copied(
    video: media.Video, audio: media.Audio | None, rungs: tuple[Rung, ...]
) -> None:
    assert ladder.plan(replace(FACTS, video=video, audio=audio)) == rungs


def arguments(rung: Rung, facts: media.Media = FACTS) -> str:
    return " ".join(ladder.arguments(rung, facts, source=Path("/a/b.ts"), title="T", target="out.mp4"))


def test_a_copy_names_the_filter_that_skips_broken_sound() -> None:
    assert "-c:v copy -c:a copy -bsf:a aac_adtstoasc" in arguments(Rung.COPY)


def test_a_copy_is_cut_by_decoding_time_and_moved_so_that_the_first_picture_is_at_zero() -> None:
    assert "-ss 0.419500 -output_ts_offset -0.080500" in arguments(Rung.COPY)


def test_what_is_encoded_anew_is_cut_at_the_first_picture() -> None:
    assert "-ss 0.500000" in arguments(Rung.ALL)
    assert "-output_ts_offset" not in arguments(Rung.ALL)
    assert "bwdif=mode=send_frame:deint=interlaced" in arguments(Rung.ALL)


def test_a_file_without_sound_asks_for_none() -> None:
    silent = arguments(Rung.COPY, replace(FACTS, audio=None))

    assert "-c:a" not in silent
    assert "0:1" not in silent


@pytest.mark.parametrize(
    ("seconds", "gaps", "explained"),
    [
        (60.0, (), True),
        (59.0, (), True),
        (61.0, (), True),
        (58.0, (), False),
        (58.0, (2.0,), True),
        (55.0, (2.0,), False),
        (63.0, (5.0,), False),
        (0.0, (60.0,), False),
    ],
)
def test_a_length_must_be_right_or_explained_by_the_gaps(
    seconds: float, gaps: tuple[float, ...], *, explained: bool
) -> None:
    assert ladder.is_explained(seconds, expected=60.0, gaps_seconds=gaps) is explained
