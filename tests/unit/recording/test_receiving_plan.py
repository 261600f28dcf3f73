"""The plan file, the time line and the windows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.recording import plan, timeline, windows

T0 = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def window(booking: int, start: float, end: float) -> plan.Window:
    return plan.Window(booking=booking, start=after(start), end=after(end))


def some_plan() -> plan.Plan:
    return plan.Plan(
        made_at=T0,
        channels=(
            plan.Channel("one", "Éins", "udp://239.1.2.3:5004", "eth0", (window(1, 0, 10), window(2, 20, 30))),
            plan.Channel("two", "two", "rtp://192.0.2.1@232.1.2.3:5004"),
        ),
    )


def changed(**changes: Any) -> dict[str, Any]:
    raw = plan.document(some_plan())
    raw["channels"][0] |= changes
    return raw


class TestPlan:
    def test_a_plan_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        plan.write(tmp_path / "plan.json", some_plan())

        assert plan.read(tmp_path / "plan.json") == some_plan()

    def test_no_plan_yet_is_no_error(self, tmp_path: Path) -> None:
        assert plan.read(tmp_path / "plan.json") is None

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "null", '{"version": 2, "channels": []}', '{"version": 1}', "\xff"]
    )
    def test_a_broken_plan_is_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "plan.json").write_text(text, encoding="latin-1")

        with pytest.raises(plan.PlanBroken):
            plan.read(tmp_path / "plan.json")

    @pytest.mark.parametrize(
        "change",
        [
            {"slug": "../etc"},
            {"slug": ".."},
            {"slug": "a/b"},
            {"slug": ""},
            {"slug": None},
            {"slug": "a\n"},
            {"slug": "a" * 201},
            {"url": "gopher://x"},
            {"url": None},
            {"interface": "a b"},
            {"windows": None},
            {"windows": [{"booking": 1}]},
            {"windows": [{"booking": "x", "start": "2026-11-22T19:00:00Z", "end": "2026-11-22T20:00:00Z"}]},
            {"windows": [{"booking": 1, "start": "2026-11-22T19:00:00", "end": "2026-11-22T20:00:00"}]},
            {"windows": [{"booking": 1, "start": "2026-11-22T20:00:00Z", "end": "2026-11-22T19:00:00Z"}]},
        ],
    )
    def test_one_bad_channel_is_left_out_and_named(self, change: dict[str, Any]) -> None:
        read = plan.parse(changed(**change))

        assert [channel.slug for channel in read.channels] == ["two"]
        assert len(read.problems) == 1
        assert len(read.broken) == 1

    def test_a_channel_that_is_no_table_is_left_out(self) -> None:
        raw = plan.document(some_plan())
        raw["channels"][0] = 7

        assert [channel.slug for channel in plan.parse(raw).channels] == ["two"]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["slug", "url", "windows", "booking", "start", "end", "x"]), inner)
            ),
            max_leaves=8,
        )
    )
    def test_any_json_is_read_or_refused(self, entry: Any) -> None:
        read = plan.parse({"version": 1, "made_at": "2026-11-22T19:00:00Z", "channels": [entry]})

        assert len(read.channels) + len(read.problems) == 1
        json.dumps(plan.document(read))


class TestTimeline:
    def test_utc_goes_on_by_elapsed_time(self) -> None:
        line = timeline.Timeline.at(timeline.Reading(wall=1000.0, mono=5.0))

        assert line.utc(8.5) == 1003.5
        assert line.mono_at(1003.5) == 8.5

    @pytest.mark.parametrize("step", [-3600.0, -2.5, 2.5, 3600.0])
    def test_a_step_is_noticed_once(self, step: float) -> None:
        line = timeline.Timeline.at(timeline.Reading(wall=1000.0, mono=5.0))

        assert line.follow(timeline.Reading(wall=1001.0 + step, mono=6.0))
        assert not line.follow(timeline.Reading(wall=1002.0 + step, mono=7.0))
        assert line.utc(7.0) == 1002.0 + step

    def test_a_small_difference_is_worked_off_slowly(self) -> None:
        line = timeline.Timeline.at(timeline.Reading(wall=1000.0, mono=0.0))

        for second in range(1, 400):
            assert not line.follow(timeline.Reading(wall=1001.5 + second, mono=float(second)))
            assert line.utc(second) < 1000.0 + second * 1.006
        assert line.utc(399) == pytest.approx(1400.5)


class TestWindows:
    def make(self, *planned: plan.Window, pre_roll: float = 3) -> windows.Windows:
        made = windows.Windows(pre_roll=timedelta(seconds=pre_roll))
        made.replan(planned, wall=T0, mono=0.0)
        return made

    def at(self, which: windows.Windows, seconds: float, *, wall_ahead: float = 0.0) -> list[int]:
        which.turn(utc=after(seconds + wall_ahead), mono=seconds)
        return which.bookings

    def test_a_window_opens_with_its_pre_roll_and_closes_at_its_end(self) -> None:
        which = self.make(window(1, 10, 20))

        assert [self.at(which, s) for s in (6.9, 7.0, 19.9, 20.0)] == [[], [1], [1], []]

    def test_windows_overlap_and_touch(self) -> None:
        which = self.make(window(1, 10, 20), window(2, 15, 25), window(3, 25, 30))

        assert [self.at(which, s) for s in (10, 16, 21, 23, 25)] == [[1], [1, 2], [2], [2, 3], [3]]

    def test_a_late_start_takes_the_rest(self) -> None:
        which = self.make(window(1, 0, 60))

        assert self.at(which, 50) == [1]
        assert self.at(which, 60) == []

    @pytest.mark.parametrize("step", [-3600.0, -5.0, 5.0, 3600.0])
    def test_a_step_of_the_clock_neither_ends_nor_doubles_a_window(self, step: float) -> None:
        which = self.make(window(1, 10, 20))
        self.at(which, 10)

        assert self.at(which, 19.9, wall_ahead=step) == [1]
        assert self.at(which, 20.0, wall_ahead=step) == []
        assert self.at(which, 21.0, wall_ahead=step) == []

    def test_a_window_taken_out_closes_at_once(self) -> None:
        which = self.make(window(1, 10, 20))
        self.at(which, 10)

        which.replan((), wall=after(12), mono=12.0)

        assert which.bookings == []

    def test_a_window_that_only_looks_over_runs_its_length(self) -> None:
        which = self.make(window(1, 10, 20))
        self.at(which, 10)

        which.replan((), wall=after(3600), mono=12.0)

        assert self.at(which, 19) == [1]
        assert self.at(which, 20) == []

    def test_a_window_is_made_longer_and_shorter(self) -> None:
        which = self.make(window(1, 10, 20))
        self.at(which, 10)

        which.replan((window(1, 10, 30),), wall=after(12), mono=12.0)
        assert self.at(which, 29.9) == [1]
        which.replan((window(1, 10, 25),), wall=after(29.9), mono=29.9)
        assert self.at(which, 30) == []

    def test_a_window_that_is_over_opens_again_only_for_a_later_end(self) -> None:
        which = self.make(window(1, 10, 20))
        self.at(which, 10)
        self.at(which, 20)

        which.replan((window(1, 10, 20),), wall=after(15), mono=21.0)
        assert self.at(which, 21, wall_ahead=-6) == []
        which.replan((window(1, 10, 30),), wall=after(22), mono=22.0)
        assert self.at(which, 22) == [1]

    def test_the_next_change_is_known(self) -> None:
        which = self.make(window(1, 10, 20), window(2, 100, 110))

        assert which.next_change(utc=after(0), mono=0.0) == 7.0
        self.at(which, 8)
        assert which.next_change(utc=after(8), mono=8.0) == 20.0
        self.at(which, 20)
        assert which.next_change(utc=after(20), mono=20.0) == 97.0
