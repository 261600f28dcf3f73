"""What comes is cut into seconds; the desk and the receiver around it."""

from __future__ import annotations

import selectors
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nephos.lib import heartbeats, ports
from nephos.recording import batch, cutter, desk, receiver, timeline
from nephos.recording.sources import base
from tests.fakes import sources

NOTHING = base.Load(b"", ())


@dataclass
class Lane:
    """Remembers what was handed in."""

    slug: str = "one"
    batches: list[batch.Batch] = field(default_factory=list)
    decoders: list[Any] = field(default_factory=list)
    continuity_errors: int = 0
    protocol: str = ""
    trouble: str = ""
    problem: str = ""

    def put(self, fresh: batch.Batch) -> None:
        self.batches.append(fresh)

    def decode_with(self, decoder: Any) -> None:
        self.decoders.append(decoder)

    @property
    def ended(self) -> list[tuple[int, int]]:
        """Seconds with an end, and the bytes handed in for each."""
        sums: dict[int, int] = {}
        for one in self.batches:
            sums[one.second] = sums.get(one.second, 0) + (len(one.load.raw) if one.load else 0)
        return [(one.second, sums[one.second]) for one in self.batches if one.ends is not None]


def load(*sizes: int) -> base.Load:
    return base.Load(b"x" * sum(sizes), list(sizes))


def reading(mono: float, wall: float | None = None) -> timeline.Reading:
    return timeline.Reading(wall=1000.0 + mono if wall is None else wall, mono=mono)


class TestCutter:
    def make(self) -> tuple[cutter.Cutter, Lane]:
        lane = Lane()
        return cutter.Cutter(lane, reading(0.25)), lane  # type: ignore[arg-type]

    def test_each_second_ends_once_with_what_came_in_it(self) -> None:
        cut, lane = self.make()

        for mono, size in ((0.4, 10), (0.9, 20), (1.001, 5), (1.5, 7), (2.0, 8), (3.01, 0)):
            cut.heard(mono)
            cut.put(load(size) if size else NOTHING, mono)

        assert lane.ended == [(1000, 35), (1001, 15), (1002, 0)]
        assert [one.ends.first for one in lane.batches if one.ends] == [0.4, 0.5, 1.0]

    def test_a_silent_second_ends_too(self) -> None:
        cut, lane = self.make()

        cut.put(NOTHING, 1.01)

        assert lane.ended == [(1000, 0)]
        assert lane.batches[0].ends == batch.Arrivals()

    def test_what_came_during_a_standstill_is_dealt_out(self) -> None:
        cut, lane = self.make()

        cut.put(load(*[10] * 30), 3.05)

        assert lane.ended == [(1000, 100), (1001, 100), (1002, 100)]

    def test_a_long_standstill_is_a_gap(self) -> None:
        cut, lane = self.make()

        cut.put(load(10), 100.5)
        cut.put(load(10), 101.5)

        assert lane.ended == [(1000, 10), (1100, 10)]

    def test_drops_belong_to_the_second_that_ends(self) -> None:
        cut, lane = self.make()

        cut.dropped(3)
        cut.dropped(4)
        cut.put(NOTHING, 1.0)
        cut.put(NOTHING, 2.0)

        assert [one.ends.dropped for one in lane.batches if one.ends] == [7, 0]

    def test_handing_over_is_due_five_times_a_second_and_at_its_end(self) -> None:
        cut, _ = self.make()

        assert cut.next_cut(0.25) == pytest.approx(0.4)
        assert cut.next_cut(0.95) == pytest.approx(1.0, abs=0.002)

    def test_after_a_step_seconds_go_on_from_the_new_time(self) -> None:
        cut, lane = self.make()
        cut.put(load(10), 0.5)

        cut.anchor(reading(0.6, wall=5000.6), era=1)
        cut.put(load(5), 1.01)

        assert lane.ended == [(1000, 10), (5000, 5)]


class TestReceiver:
    @pytest.fixture
    def pipe(self) -> Any:
        made = sources.PipeSource()
        yield made
        made.end()

    def make(self, pipe: sources.PipeSource) -> tuple[receiver.Receiver, Lane]:
        lane = Lane()
        selector = selectors.DefaultSelector()
        made = receiver.Receiver(pipe, lane=lane, selector=selector, now=reading(0.0))  # type: ignore[arg-type]
        selector.close()
        made._selector = selectors.SelectSelector()
        if made._is_joined:
            made._selector.register(pipe, selectors.EVENT_READ, made)
        return made, lane

    def test_it_waits_receives_falls_silent_and_joins_again(self, pipe: sources.PipeSource) -> None:
        one, _ = self.make(pipe)
        states = [one.state]

        pipe.give(b"abc")
        assert one.arrived(0.5) == 3
        states.append(one.state)
        for tenth in range(6, 300):
            one.turn(reading(tenth / 10))
        states.append(one.state)
        pipe.give(b"abc")
        one.arrived(30.1)
        states.append(one.state)

        assert states == ["waiting", "receiving", "silent", "receiving"]
        assert pipe.opened >= 2

    def test_what_cannot_be_joined_is_tried_again(self, pipe: sources.PipeSource) -> None:
        pipe.breaks = True
        one, lane = self.make(pipe)
        assert one.facts()["reason"] == "no such interface"

        for tenth in range(1, 30):
            one.turn(reading(tenth / 10))
        pipe.breaks = False
        for tenth in range(30, 300):
            one.turn(reading(tenth / 10))

        assert pipe.opened == 1 or one.state is receiver.State.SILENT
        assert len(lane.ended) == 29

    def test_a_source_that_breaks_is_left_and_joined_again(self, pipe: sources.PipeSource) -> None:
        one, _ = self.make(pipe)
        pipe.breaks = True

        one.arrived(0.1)
        pipe.breaks = False
        one.turn(reading(12.0))

        assert pipe.opened == 2

    def test_drops_are_asked_for_once_a_second_and_none_is_forgotten(self, pipe: sources.PipeSource) -> None:
        one, lane = self.make(pipe)

        for tenth in range(1, 35):
            pipe.dropped += 1
            pipe.give(b"abc")
            one.arrived(tenth / 10)
            one.turn(reading(tenth / 10))
        pipe.dropped += 5
        one.close(reading(3.5))

        assert sum(batch.ends.dropped for batch in lane.batches if batch.ends) == 39
        assert one.facts()["drops"] == 39
        assert pipe.asked <= 6  # at the join, three seconds, the end

    def test_closing_hands_over_the_rest(self, pipe: sources.PipeSource) -> None:
        one, lane = self.make(pipe)
        pipe.give(b"abcd")

        one.close(reading(0.3))

        assert lane.ended == [(1000, 4)]
        assert [len(b.load.raw) for b in lane.batches if b.load] == [4]
        assert lane.batches[-1].closes


class TestDesk:
    def make(self, tmp_path: Path, **options: Any) -> desk.Desk:
        return desk.Desk(
            recordings=tmp_path,
            floor_bytes=options.get("floor_bytes", 0),
            heartbeat=heartbeats.Heartbeat(tmp_path, "recorder"),
        )

    def test_work_is_done_in_order_and_a_failure_is_not_the_end(self, tmp_path: Path) -> None:
        one, done = self.make(tmp_path), []
        one.start()

        one.offer(lambda: done.append(1))
        one.offer(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
        one.offer(lambda: done.append(2))

        assert one.end(within=5)
        assert done == [1, 2]

    @pytest.fixture(autouse=True)
    def small_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ports, "memory_bytes", lambda: 256 << 20)

    def test_a_large_machine_lets_a_disk_stand_still_for_longer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ports, "memory_bytes", lambda: 2 << 30)
        one = self.make(tmp_path)

        assert [one.offer(lambda: None, size=100 << 20) for _ in range(3)] == [True, True, False]

    def test_what_waits_is_bounded(self, tmp_path: Path) -> None:
        one = self.make(tmp_path)

        taken = [one.offer(lambda: None, size=10 << 20) for _ in range(10)]

        assert taken == [True] * 6 + [False] * 4
        assert one.waiting_bytes == 60 << 20

    def test_what_the_desk_refuses_is_counted_later(self, tmp_path: Path) -> None:
        one = self.make(tmp_path)
        lane = desk.Lane("one", desk=one, closer=None, segment_seconds=10)  # type: ignore[arg-type]
        written: list[batch.Batch] = []
        lane._write = written.append  # type: ignore[method-assign]
        one.offer(lambda: None, size=64 << 20)

        lane.put(batch.Batch(second=1, mono=0, at=1, load=load(1000)))
        one.start()
        lane.put(batch.Batch(second=1, mono=0, at=1, ends=batch.Arrivals()))

        assert one.end(within=5)
        assert [(w.load, w.unwritten) for w in written] == [(None, 1000), (None, 0)]

    def test_a_disk_below_the_floor_stops_writing_and_is_told(self, tmp_path: Path) -> None:
        one = self.make(tmp_path, floor_bytes=1 << 62)
        one.start()

        one.beat([])

        assert one.end(within=5)
        assert not one.has_room
        assert heartbeats.read(tmp_path, "recorder")["state"] == "no_space"  # type: ignore[index]
