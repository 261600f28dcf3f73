"""Reading what ffmpeg writes of a teletext page."""

from __future__ import annotations

from nephos.processing import timeline
from nephos.processing.captions import teletext

WRITTEN = r"""WEBVTT

27:46:50.000 --> 27:46:51.000
GOOD\hEVENING 


27:46:51.000 --> 27:46:52.520
FIRST\hLINE 
AND\hSECOND 

"""


def test_events_are_placed_on_the_time_line_of_the_mp4() -> None:
    span = timeline.Span(offset=0, stamp=900_000, seconds=-0.5)

    found = list(teletext.parse(WRITTEN, span))

    assert [(round(start, 3), round(end, 3)) for start, end, _ in found] == [(-0.5, 0.5), (0.5, 2.02)]
    assert [" ".join(" ".join(lines).split()) for _, _, lines in found] == ["GOOD EVENING", "FIRST LINE AND SECOND"]


def test_events_are_placed_right_whatever_ffmpeg_makes_of_the_clock_wrap() -> None:
    wrap = 2**33 / 90_000
    span = timeline.Span(offset=0, stamp=2**33 - 90_000, seconds=0.0)  # one second before the wrap
    for at in (100_000 + wrap + 1, 100_000 + 1):
        hours, rest = divmod(at, 3600)
        minutes, seconds = divmod(rest, 60)
        moment = f"{int(hours):02d}:{int(minutes):02d}:{seconds:06.3f}"

        found = list(teletext.parse(f"WEBVTT\n\n{moment} --> {moment}\nx\n", span))

        assert round(found[0][0], 2) == 2.0


def test_nothing_is_made_of_nothing() -> None:
    assert list(teletext.parse("WEBVTT\n\n", timeline.Span(offset=0, stamp=0, seconds=0))) == []
