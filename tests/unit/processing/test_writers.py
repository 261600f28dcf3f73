"""SubRip, WebVTT and Red Hen text, and the cues that they are made of."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nephos.processing.captions import cue, redhen, srt, webvtt

TRACK = cue.Track(
    tag="cc1",
    label="CC1",
    language="eng",
    cues=(cue.make(1.5, 3.0, ["Rain & wind", "5 < 6"]), cue.make(3661.042, 3662, ["a|b"])),
)
HEADING = redhen.Heading(
    stem="news_2026-11-22_191620Z",
    starts_at=datetime(2026, 11, 22, 19, 16, 20, 500_000, tzinfo=UTC),
    length=timedelta(seconds=3665.25),
    width=640,
    height=360,
    source="La Uno",
    title="Evening\nnews | late",
    country="ES",
    zone="Europe/Madrid",
)


def test_srt_numbers_its_cues_and_leaves_text_alone() -> None:
    assert srt.write(TRACK) == (
        "1\n00:00:01,500 --> 00:00:03,000\nRain & wind\n5 < 6\n\n2\n01:01:01,042 --> 01:01:02,000\na|b\n"
    )


def test_webvtt_escapes_what_would_be_markup() -> None:
    assert webvtt.write(TRACK) == (
        "WEBVTT\n\n00:00:01.500 --> 00:00:03.000\nRain &amp; wind\n5 &lt; 6\n\n01:01:01.042 --> 01:01:02.000\na|b\n"
    )


def test_a_track_without_cues_is_still_a_file_that_players_take() -> None:
    assert webvtt.write(replace(TRACK, cues=())) == "WEBVTT\n"


def test_red_hen_text_has_its_header_captions_in_utc_and_an_end() -> None:
    lines = redhen.write(HEADING, TRACK).splitlines()

    assert lines[:2] == ["TOP|20261122191620|news_2026-11-22_191620Z", "COL|Nephos"]
    assert uuid.UUID(lines[2].removeprefix("UID|")).version == 1
    assert lines[3:] == [
        "DUR|1:01:05.25",
        "VID|640x360|640x360",
        "SRC|La Uno ES",
        "TTL|Evening news / late",
        "CMT|",
        "LAN|ENG",
        "LBT|2026-11-22 20:16:20|CET|Europe/Madrid",
        "20261122191622.000|20261122191623.500|CC1|Rain & wind 5 < 6",
        "20261122201721.542|20261122201722.500|CC1|a/b",
        "END|20261122201725|news_2026-11-22_191620Z",
    ]


def test_red_hen_text_of_a_teletext_track_names_its_page() -> None:
    assert "TTP|888" in redhen.write(HEADING, replace(TRACK, page=888)).splitlines()


def test_red_hen_text_without_captions_spans_the_show_and_says_so() -> None:
    assert "20261122191620.500|20261122201725.750|SEG_00|No captions" in redhen.write(HEADING, None).splitlines()


def test_red_hen_text_is_the_same_each_time() -> None:
    assert redhen.write(HEADING, TRACK) == redhen.write(HEADING, TRACK)
    assert redhen.write(HEADING, TRACK) != redhen.write(replace(HEADING, stem="other"), TRACK)


def test_text_loses_control_characters_and_empty_lines() -> None:
    assert cue.make(0, 1, ["a\x00b\x7f  c", " \x1b ", "d\u2028e"]).lines == ("a b c", "d e")


def test_touching_repeats_are_joined_and_cues_before_the_first_picture_cut() -> None:
    cues = [
        cue.make(4, 5, ["again"]),
        cue.make(-2, -1, ["gone"]),
        cue.make(-1, 1, ["half"]),
        cue.make(3, 4, ["again"]),
        cue.make(6, 7, ["again"]),
        cue.make(8, 8, ["no time"]),
        cue.make(9, 10, ["", " "]),
    ]

    found = [(one.start.total_seconds(), one.end.total_seconds(), one.text) for one in cue.tidy(cues)]

    assert found == [(0, 1, "half"), (3, 5, "again"), (6, 7, "again")]
