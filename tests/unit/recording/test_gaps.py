"""Gap maps, verdicts and cuts from journals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nephos.library.states import Verdict
from nephos.recording import cuts, gaps, segments, verdicts

START = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
RATE = 188 * 100


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def window(start: float, end: float) -> gaps.Span:
    return gaps.Span(at(start), at(end))


def line(second: int, *, offset: int | None = None, **more: object) -> segments.Second:
    values: dict[str, object] = {
        "utc": at(second),
        "mono": 1000.0 + second,
        "offset": second % 10 * RATE if offset is None else offset,
        "bytes": RATE,
        "packets": 100,
        "datagrams": 15,
        "first": 0.01,
        "last": 0.99,
    }
    return segments.Second(**(values | more))  # type: ignore[arg-type]


def silent(second: int, *, offset: int) -> segments.Second:
    return segments.Second(utc=at(second), mono=1000.0 + second, offset=offset)


def source(
    start: int,
    lines: list[segments.Second],
    *,
    resumes: list[segments.Resume] | None = None,
    size: int | None = None,
    written: float | None = None,
) -> cuts.Source:
    end = max((one.offset + one.bytes for one in lines), default=0)
    segment = segments.Segment(
        path=Path(f"/x/{segments.name(int(at(start).timestamp()))}"),
        start=at(start),
        bytes=end if size is None else size,
    )
    # A second with the offset of a restart or more was written after it.
    told = [
        replace(
            one,
            lines_before=sum(
                1
                for line in lines
                if line.offset + max(1, line.bytes) <= one.offset or line.utc + timedelta(seconds=1) <= one.last_write
            ),
        )
        for one in resumes or ()
    ]
    journal = segments.Journal(seconds=tuple(lines), resumes=tuple(told))
    return cuts.Source(segment, journal, at(start + 10 if written is None else written))


def slots(*numbers: int) -> list[cuts.Source]:
    return [source(10 * n, [line(10 * n + second) for second in range(10)]) for n in numbers]


def found(sources: list[cuts.Source], span: gaps.Span) -> list[tuple[float, float, str]]:
    gap_map = gaps.find(cuts.cut(sources, span).evidence, span)
    return [
        (round((gap.start - START).total_seconds(), 3), round((gap.end - START).total_seconds(), 3), str(gap.cause))
        for gap in gap_map
    ]


def test_an_unbroken_stream_has_no_gap() -> None:
    assert found(slots(0, 1, 2), window(0, 30)) == []


def test_silence_under_a_second_is_no_gap() -> None:
    lines = [line(second) for second in range(10)]
    lines[4] = replace(lines[4], last=0.45)
    lines[5] = replace(lines[5], first=0.40)

    assert found([source(0, lines)], window(0, 10)) == []


def test_silence_of_half_a_second_is_a_gap_if_packets_are_missing_after_it() -> None:
    lines = [line(second) for second in range(10)]
    lines[4] = replace(lines[4], last=0.4)
    lines[5] = replace(lines[5], first=0.2, cc=4)

    assert found([source(0, lines)], window(0, 10)) == [(4.4, 5.2, "packets were lost on the way")]


def test_a_sender_that_pauses_makes_one_gap_without_signal() -> None:
    lines = [line(0), line(1, last=0.5), silent(2, offset=2 * RATE), line(3, offset=2 * RATE, first=0.25)]

    assert found([source(0, lines)], window(0, 4)) == [(1.5, 3.25, "no signal")]


def test_a_sender_that_comes_late_or_leaves_early_makes_a_gap_at_the_edge() -> None:
    lines = [silent(n, offset=0) for n in range(4)] + [line(4, offset=0), line(5, offset=RATE, last=0.2)]
    lines += [silent(n, offset=2 * RATE) for n in range(6, 10)]

    assert found([source(0, lines)], window(0, 10)) == [(0, 4.01, "no signal"), (5.2, 10, "no signal")]


def test_a_kill_is_one_gap_from_the_last_write_to_the_first_arrival_after_it() -> None:
    lines = [line(0), line(1), line(2)]
    # Killed at 3.62: 60 packets of second 3 are in the file, no line of it; back at 4.31, bytes again from 4.38 on.
    resumed = segments.Resume(at=at(4.31), offset=3 * RATE + 60 * 188, last_write=at(3.6))
    lines += [line(4, offset=3 * RATE + 60 * 188, first=0.38, bytes=188 * 60), line(5, offset=3 * RATE + 120 * 188)]

    assert found([source(0, lines, resumes=[resumed])], window(0, 6)) == [(3.6, 4.38, "the recorder was not running")]


def test_a_restart_that_is_noted_after_its_first_second_is_one_gap() -> None:
    # As the recorder really wrote it: the restart is noted when the first batch is handed over, a second's end later.
    lines = [line(26, offset=0, first=0.0, last=0.901), line(27, offset=RATE, first=0.0, last=0.901)]
    resumed = segments.Resume(at=at(29), offset=2 * RATE + 188 * 40, last_write=at(28.395))
    lines += [
        line(28, offset=2 * RATE + 188 * 40, bytes=1316, first=0.957, last=0.957),
        line(29, offset=2 * RATE + 188 * 47, first=0.0, last=0.957),
    ]

    assert found([source(20, lines, resumes=[resumed])], window(26, 30)) == [
        (28.395, 28.957, "the recorder was not running")
    ]


def test_a_restart_within_a_moment_is_still_told() -> None:
    lines = [line(0), line(1, last=0.5), line(1, offset=2 * RATE, first=0.6, last=0.99), line(2, offset=3 * RATE)]
    resumed = segments.Resume(at=at(1.58), offset=2 * RATE, last_write=at(1.5))

    assert found([source(0, lines, resumes=[resumed])], window(0, 3)) == [(1.5, 1.6, "the recorder was not running")]


def test_a_kill_over_the_border_of_two_segments_is_one_gap() -> None:
    first = source(0, [line(n) for n in range(9)], size=9 * RATE + 188 * 80, written=9.8)
    resumed = segments.Resume(at=at(10.3), offset=0, last_write=at(9.8))
    second = source(10, [line(10, offset=0, first=0.4), line(11, offset=RATE)], resumes=[resumed])

    assert found([first, second], window(0, 12)) == [(9.8, 10.4, "the recorder was not running")]


def test_a_recorder_told_to_end_between_two_datagrams_leaves_one_gap() -> None:
    # Seen in an upgrade: the line of the second that had just begun is empty and stands for the whole of it.
    first = source(0, [*(line(n) for n in range(7)), line(7, last=0.901), silent(8, offset=8 * RATE)])
    second = source(10, [line(14, offset=0, first=0.145), line(15, offset=RATE)])

    assert found([first, second], window(0, 16)) == [(7.901, 14.145, "the recorder was not running")]


def test_a_recorder_that_comes_back_to_silence_makes_two_gaps() -> None:
    lines = [line(0), line(1), segments.Second(utc=at(4), mono=0, offset=2 * RATE)]
    lines += [silent(n, offset=2 * RATE) for n in (5, 6)] + [line(7, offset=2 * RATE, first=0.5)]
    resumed = segments.Resume(at=at(4.5), offset=2 * RATE, last_write=at(1.99))

    assert found([source(0, lines, resumes=[resumed])], window(0, 8)) == [
        (1.99, 4.5, "the recorder was not running"),
        (4.5, 7.5, "no signal"),
    ]


def test_a_late_start_is_a_gap_at_the_start() -> None:
    assert found(slots(2), window(0, 30)) == [(0, 20.01, "started late")]


def test_a_recorder_that_never_came_back_is_a_gap_at_the_end() -> None:
    killed = source(0, [line(n) for n in range(5)], size=5 * RATE + 188 * 50, written=5.5)

    assert found([killed], window(0, 10)) == [(5.5, 10, "the recorder was not running")]


def test_a_restart_before_the_window_is_not_its_business() -> None:
    lines = [line(2, offset=0), line(3, offset=RATE)]
    resumed = segments.Resume(at=at(1.2), offset=0, last_write=at(0.5))

    assert found([source(0, lines, resumes=[resumed])], window(2, 4)) == []


def test_a_full_disk_is_told_apart_from_a_silent_sender() -> None:
    lines = [line(0), line(1), line(2, bytes=0, unwritten=RATE), line(3, offset=2 * RATE, bytes=0, unwritten=RATE)]
    lines += [line(4, offset=2 * RATE)]

    assert found([source(0, lines)], window(0, 5)) == [(1.99, 4.01, "disk full or too slow")]


def test_an_empty_window_is_one_gap() -> None:
    assert found([], window(0, 5)) == [(0, 5, "started late")]
    assert found([source(0, [silent(n, offset=0) for n in range(5)])], window(0, 5)) == [(0, 5, "no signal")]


def test_windows_that_meet_share_no_byte_and_lose_none() -> None:
    sources = slots(0, 1, 2)

    pieces = [cuts.cut(sources, window(a, b)) for a, b in ((0, 7), (7, 20), (20, 21), (21, 30))]
    whole = cuts.cut(sources, window(0, 30))

    ranges = [(part.path.name, part.start + step) for cut in pieces for part in cut.parts for step in (0, part.length)]
    assert sum(cut.bytes for cut in pieces) == whole.bytes == 30 * RATE
    assert len(set(ranges)) == len(ranges) - 2  # two borders inside segments; two fall between segments
    assert all(part.start % 188 == 0 and part.length % 188 == 0 for cut in pieces for part in cut.parts)


def test_a_cut_is_at_whole_packets_even_if_a_journal_is_not() -> None:
    lines = [line(0, bytes=RATE + 5), line(1, offset=RATE + 5, bytes=RATE - 5), line(2)]

    first, second = (cuts.cut([source(0, lines)], window(a, a + 1)) for a in (0, 1))

    assert first.parts[0].length == RATE + 188
    assert second.parts[0].start == RATE + 188


def test_pre_roll_is_cut_away_and_a_tail_is_kept() -> None:
    lines = [line(n, offset=(n - 7) * RATE) for n in (7, 8, 9)]
    killed = source(10, [line(10), line(11)], size=2 * RATE + 188 * 30, written=12.3)

    cut = cuts.cut([source(0, lines), killed], window(10, 20))

    assert [(part.start, part.length) for part in cut.parts] == [(0, 2 * RATE + 188 * 30)]


def test_a_tail_behind_the_end_of_the_window_is_left_out() -> None:
    killed = source(0, [line(0), line(1)], size=2 * RATE + 188 * 30, written=2.3)

    assert cuts.cut([killed], window(0, 2)).bytes == 2 * RATE
    assert cuts.cut([killed], window(0, 3)).bytes == 2 * RATE + 188 * 30


def test_a_tail_of_an_earlier_segment_is_no_part_of_a_later_window() -> None:
    killed = source(0, [line(0), line(1)], size=2 * RATE + 188 * 30, written=2.3)
    later = source(20, [line(20 + n) for n in range(10)])

    cut = cuts.cut([killed, later], window(22, 30))

    assert [part.path for part in cut.parts] == [later.segment.path]
    assert cuts.cut([killed, later], window(2, 30)).bytes == 188 * 30 + 10 * RATE


def test_a_kill_before_the_first_line_loses_nothing() -> None:
    first = source(0, [], size=188 * 70, written=0.8)
    resumed = segments.Resume(at=at(1.5), offset=188 * 70, last_write=at(0.8))
    again = source(0, [line(1, offset=188 * 70, first=0.6), line(2, offset=188 * 70 + RATE)], resumes=[resumed])

    assert cuts.cut([first], window(0, 3)).bytes == 188 * 70
    assert cuts.cut([again], window(0, 3)).bytes == 188 * 70 + 2 * RATE
    assert found([again], window(0, 3)) == [(0.8, 1.6, "the recorder was not running")]


def test_the_strip_points_into_the_joined_file() -> None:
    cut = cuts.cut(slots(0, 1), window(5, 15))

    assert [one.offset for one in cut.strip] == [n * RATE for n in range(10)]
    assert [one.second.utc for one in cut.strip] == [at(n) for n in range(5, 15)]


def judged(sources: list[cuts.Source], span: gaps.Span, **more: object) -> verdicts.Judgement:
    cut = cuts.cut(sources, span)
    return verdicts.judge(
        window=span,
        wanted=span,
        found=gaps.find(cut.evidence, span),
        counts=verdicts.counters(cut.seconds),
        **more,  # type: ignore[arg-type]
    )


def test_a_whole_recording_is_complete() -> None:
    judgement = judged(slots(0, 1), window(0, 20))

    assert judgement == verdicts.Judgement(verdict=Verdict.COMPLETE, reason="Everything was received.", score=100)


def test_one_gap_is_told_in_words() -> None:
    lines = [line(0), line(1, last=0.5), silent(2, offset=2 * RATE), line(3, offset=2 * RATE, first=0.25)]
    sources = [source(0, lines + [line(n, offset=(n - 1) * RATE) for n in range(4, 10)]), *slots(1, 2)]

    judgement = judged(sources, window(0, 30))

    assert judgement.verdict == Verdict.COMPLETE_WITH_GAPS
    assert judgement.reason == "1 gap of 1.8 s: no signal for 1.8 s at 20:00:01 UTC."
    assert 90 <= judgement.score <= 95


def test_stopping_by_hand_is_said_and_costs_nothing() -> None:
    judgement = judged(slots(0), window(0, 10), stopped=True)

    assert judgement.verdict == Verdict.COMPLETE
    assert judgement.reason == "Stopped by hand after 10 s. Everything was received."
    assert judgement.score == 100


@pytest.mark.parametrize(
    ("change", "verdict", "word"),
    [
        ({"cc": 2}, Verdict.DAMAGED, "continuity"),
        ({"scrambled": 50}, Verdict.DAMAGED, "scrambled"),
        ({"sync": RATE}, Verdict.DAMAGED, "no transport stream"),
        ({"null": 100}, Verdict.DAMAGED, "stuffing"),
        ({"bytes": 0, "first": None, "last": None}, Verdict.EMPTY, "no signal"),
        ({"bytes": 0, "unwritten": RATE}, Verdict.NO_SPACE, "disk was full"),
    ],
)
def test_bad_packets_are_judged(change: dict[str, object], verdict: Verdict, word: str) -> None:
    lines = [replace(line(n), **change) for n in range(10)]  # type: ignore[arg-type]

    judgement = judged([source(0, lines)], window(0, 10))

    assert judgement.verdict == verdict
    assert word in judgement.reason
    assert judgement.score < 100


def test_a_recorder_that_ended_early_aborted_the_recording() -> None:
    assert judged(slots(0), window(0, 30)).verdict == Verdict.ABORTED


def test_half_of_it_missing_is_damaged_and_a_late_start_by_less_is_not() -> None:
    assert judged(slots(2), window(0, 30)).verdict == Verdict.DAMAGED
    assert judged(slots(1, 2), window(0, 30)).verdict == Verdict.COMPLETE_WITH_GAPS


def test_gaps_in_the_padding_hardly_cost_anything() -> None:
    cut = cuts.cut(slots(1, 2), window(0, 30))
    found_gaps = gaps.find(cut.evidence, window(0, 30))

    judgement = verdicts.judge(
        window=window(0, 30), wanted=window(10, 30), found=found_gaps, counts=verdicts.counters(cut.seconds)
    )

    assert judgement.score >= 80


def test_counters_are_summed_and_a_restarted_second_counts_once() -> None:
    lines = [line(0), line(1), line(1, offset=2 * RATE, cc=3), silent(2, offset=3 * RATE)]

    counts = verdicts.counters(lines)

    assert counts["seconds"] == 3
    assert counts["silent"] == 1
    assert counts["cc"] == 3
    assert counts["bytes"] == 3 * RATE


def test_scrambling_and_stuffing_cost_points() -> None:
    window = gaps.Span(at(0), at(100))
    clean = {"bytes": 188_000, "packets": 1000}

    def score(**counts: int) -> int:
        return verdicts.judge(window=window, wanted=window, found=[], counts={**clean, **counts}).score

    assert score() == 100
    assert score(scrambled=20) == 96
    assert score(scrambled=900) == 1
    assert score(null=1000) == 5
    assert score(null=300) == 100
