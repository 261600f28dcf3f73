"""The wall clock is set, the recorder is killed, the machine is started anew: to the packet, in a time of its own."""

from __future__ import annotations

import itertools
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nephos.config import load
from nephos.recording import cuts, eras, evidence, gaps, notices, plan, segments
from tests.support import virtual


def cut_of(world: virtual.World, window: plan.Window) -> cuts.Cut:
    span = gaps.Span(window.start, window.end)
    return cuts.cut(evidence.collect(folder(world), span, booking=window.booking), span)


def folder(world: virtual.World) -> Path:
    return segments.folder(world.loaded.home.recordings, "one")


def packets(cut: cuts.Cut) -> list[int]:
    stream = b"".join(part.path.read_bytes()[part.start : part.start + part.length] for part in cut.parts)
    return list(virtual.numbers(stream))


def gap_map(cut: cuts.Cut, window: plan.Window) -> list[gaps.Gap]:
    return gaps.find(cut.evidence, gaps.Span(window.start, window.end))


def check_strip(cut: cuts.Cut) -> None:
    """The seconds are in order, and each points to its own bytes."""
    times = [one.second.utc for one in cut.strip]
    assert times == sorted(times)
    for before, after in itertools.pairwise(cut.strip):
        assert before.offset + before.second.bytes <= after.offset


@pytest.fixture
def world(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> virtual.World:
    return virtual.World(home, monkeypatch)


STEPS = (-86400.0 * 365, -3600.0, -7.3, -5.0, -2.6, 2.6, 5.0, 7.3, 3600.0, 86400.0 * 365)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("restarts", [False, True])
def test_a_step_within_a_recording_costs_it_nothing(world: virtual.World, step: float, *, restarts: bool) -> None:
    window = world.window(1, 5, 60)
    world.order(window)
    world.start()
    world.pass_(30)

    world.step(step)
    world.pass_(3)
    killed: list[int] = []
    if restarts:
        world.kill()
        killed = world.pass_(2)
        world.start()
    world.pass_(60)

    cut = cut_of(world, window)
    got = packets(cut)
    check_strip(cut)
    assert got == sorted(set(got))
    missing = set(range(got[0], got[-1] + 1)) - set(got)
    assert missing <= set(range(killed[0] - 3, killed[-1] + 5) if killed else ())
    assert len(got) + len(missing) == pytest.approx(600, abs=3)
    found = gap_map(cut, window)
    assert [gap.cause for gap in found] == ([gaps.Cause.NOT_RUNNING] if restarts else [])
    if restarts:
        assert found[0].seconds == pytest.approx(len(missing) * virtual.TICK, abs=0.3)
    assert not world.open


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("restarts", [False, True])
def test_a_step_in_the_pre_roll_costs_a_recording_less_than_a_second(
    world: virtual.World, step: float, *, restarts: bool
) -> None:
    window = world.window(1, 5, 60)
    world.order(window)
    world.start()
    world.pass_(3)
    assert world.open

    world.step(step)
    world.pass_(1)
    if restarts:
        world.kill()
        world.start()
    world.pass_(80)

    cut = cut_of(world, window)
    check_strip(cut)
    assert 600 - 10 <= len(packets(cut)) <= 600 + 3  # cut at whole seconds, as the clock counts them now
    assert gap_map(cut, window) == []
    assert not world.open


@pytest.mark.parametrize("step", [-5.0, 5.0])
def test_a_step_is_told_in_words(world: virtual.World, step: float) -> None:
    window = world.window(1, 5, 30)
    world.order(window)
    world.start()
    world.pass_(15)
    world.step(step)
    world.pass_(40)

    span = gaps.Span(window.start, window.end)
    found = evidence.steps(folder(world), span, booking=1)
    [notice] = notices.find(cut_of(world, window).strip, found)

    assert notice["kind"] == "clock-step"
    assert ("set back by 5 s" if step < 0 else "set forward by 5 s") in notice["text"]
    assert window.start.isoformat() < notice["at"] < window.end.isoformat()


def test_who_records_next_counts_by_the_clock_as_it_is_then(world: virtual.World) -> None:
    first = world.window(1, 5, 60)
    world.order(first)
    world.start()
    world.pass_(40)
    world.step(-3600)
    world.pass_(1)
    second = world.window(2, 5, 60)  # begins in the middle of the first one
    world.order(first, second)
    sent = world.pass_(90)

    whole, later = cut_of(world, first), cut_of(world, second)
    assert gap_map(whole, first) == gap_map(later, second) == []
    assert len(packets(whole)) == len(packets(later)) == 600
    assert packets(later)[0] == pytest.approx(sent[0] + 40, abs=12)


def test_the_same_times_come_again_and_nothing_is_mixed(world: virtual.World) -> None:
    first = world.window(1, 5, 40)
    world.order(first)
    world.start()
    world.pass_(50)
    world.step(-50)  # it was fast all the time
    world.pass_(2)
    again = world.window(2, 3, 30)
    world.order(first, again)
    world.pass_(50)

    one, two = packets(cut_of(world, first)), packets(cut_of(world, again))
    assert len(one) == 400
    assert len(two) == 300
    assert not set(one) & set(two)
    assert not world.open  # the first one did not begin a second time


def test_a_rolling_buffer_goes_on_over_a_step(world: virtual.World) -> None:
    world.order(buffer_seconds=3600)
    world.start()
    world.pass_(60)
    world.step(-30)
    sent = world.pass_(60)

    past = world.window(9, -75, 60)  # ordered afterwards, by the clock as it is now
    cut = cut_of(world, past)

    assert gap_map(cut, past) == []
    assert packets(cut) == list(range(packets(cut)[0], packets(cut)[0] + 600))
    assert sent[0] in packets(cut)


@pytest.mark.parametrize("off", [-30.0, 40.0])
def test_a_reboot_with_another_time_orders_by_arrival(world: virtual.World, off: float) -> None:
    window = world.window(1, 5, 120)
    world.order(window)
    world.start()
    world.pass_(40)
    world.boot(world.wall + off)
    world.start()
    world.pass_(50)

    got = packets(cut_of(world, window))

    assert got == sorted(set(got))
    assert set(got) > set(range(80, 380))  # before the reboot
    assert len(got) > 700
    assert gaps.Cause.NOT_RUNNING in [gap.cause for gap in gap_map(cut_of(world, window), window)]


@pytest.mark.parametrize(("step", "last_era"), [(-20.0, 1), (-1.0, 0), (0.0, 0), (20.0, 0)])
def test_without_a_heartbeat_what_is_on_disk_is_not_written_over(
    world: virtual.World, step: float, last_era: int
) -> None:
    window = world.window(1, 5, 120)
    world.order(window)
    world.start()
    world.pass_(40)
    world.kill()
    (world.loaded.home.run / "recorder.json").unlink()
    world.step(step)
    world.start()
    world.pass_(30)

    got = packets(cut_of(world, window))

    assert got == sorted(set(got))
    assert len(got) > 600
    assert eras.read(world.loaded.home.recordings).last == last_era


def test_a_sleep_of_the_machine_is_a_gap_of_its_length(world: virtual.World) -> None:
    window = world.window(1, 5, 120)
    world.order(window)
    world.start()
    world.pass_(40)
    world.wall += 45  # both clocks go on while it sleeps
    world.mono += 45
    world.pass_(60)

    [gap] = gap_map(cut_of(world, window), window)

    assert gap.seconds == pytest.approx(45, abs=1.2)
    assert eras.read(world.loaded.home.recordings).steps == ()


def test_a_stop_ends_a_recording_at_its_own_time(world: virtual.World) -> None:
    from nephos.recording import handover

    window = world.window(1, 0, 600)
    world.order(window)
    world.start()
    world.pass_(30)
    world.step(7200)
    world.pass_(10)

    counted = handover.now_of(world.loaded.home.run, 1)

    assert counted is not None
    assert abs(counted - window.start - timedelta(seconds=40)) < timedelta(seconds=1.5)
    assert handover.now_of(world.loaded.home.run, 2) is None


def test_missed_windows_tell_of_the_step(world: virtual.World) -> None:
    window = world.window(1, 100, 60)
    known = eras.Eras().with_step(before=window.start - timedelta(seconds=50), after=window.end + timedelta(hours=1))
    recorder = evidence.Recorder(world.loaded.home.run)
    world.order(window)
    world.start()
    world.pass_(2)
    recorder.look()

    why = recorder.why_missed(gaps.Span(window.start, window.end), known)

    assert why.startswith("The clock was set over it, from 2027-01-15")


EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 30)),
    st.tuples(st.just("step"), st.sampled_from((-4000.0, -61.5, -12.0, -2.2, -1.0, 1.0, 2.2, 12.0, 61.5, 4000.0))),
    st.tuples(st.just("kill"), st.integers(0, 5)),
)


@settings(max_examples=25, deadline=None)
@given(events=st.lists(EVENTS, min_size=1, max_size=8))
@example(events=[("kill", 4), ("kill", 0)])  # the second one before it had noted a second
def test_whatever_happens_each_packet_is_there_once_or_in_a_gap(events: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        (Path(place) / "run").mkdir()
        world = virtual.World(load.load(Path(place), environment={}), patch)
        window = world.window(1, 5, 90)
        world.order(window)
        world.start()
        world.pass_(8)
        unheard: set[int] = set()
        for kind, much in events:
            unheard |= _happen(world, kind, much)
        world.pass_(100)

        cut = cut_of(world, window)
        got = packets(cut)

    check_strip(cut)
    assert got == sorted(set(got))
    missing = set(range(got[0], got[-1] + 1)) - set(got)
    assert missing <= unheard
    # What is missing is listed, to the tenth of a second or two in which the last bytes of a killed one were written.
    listed = sum(gap.seconds for gap in gap_map(cut, window))
    assert listed == pytest.approx(90 - len(got) * virtual.TICK, abs=0.4 * (1 + len(events)))


def _happen(world: virtual.World, kind: str, much: Any) -> set[int]:
    """One event; the numbers that nobody may have heard."""
    if kind == "pass":
        world.pass_(much)
    elif kind == "step":
        world.step(much)
    else:
        world.kill()
        gone = world.pass_(much)
        world.start()
        back = world.pass_(0.5)
        last = gone[0] if gone else back[0]
        return set(range(last - 3, back[-1] + 1))
    return set()


def test_eras_tell_one_time_in_another() -> None:
    at = datetime.fromisoformat("2026-11-22T20:00:00+00:00")
    minute = timedelta(minutes=1)
    known = eras.Eras().with_step(before=at, after=at - minute).with_step(before=at, after=at + 3 * minute)

    assert known.numbers == [0, 1, 2]
    assert known.shift(of=0, to=2) == 2 * minute
    assert known.shift(of=2, to=1) == -3 * minute
    assert known.touching(at - 10 * minute, at - 5 * minute) == [0]
    assert known.touching(at - minute / 2, at) == [0, 1]
    assert known.touching(at + 5 * minute, at + 6 * minute) == [2]


def test_the_list_of_steps_survives_and_rubbish_is_no_list(tmp_path: Path) -> None:
    at = datetime.fromisoformat("2026-11-22T20:00:00.125+00:00")
    known = eras.Eras().with_step(before=at, after=at - timedelta(seconds=5))

    eras.write(tmp_path / "new", known)

    assert eras.read(tmp_path / "new") == known
    for rubbish in ("", "[]", '{"steps": [1]}', '{"steps": [{"era": "x"}]}', '{"steps": 5}'):
        (tmp_path / eras.FILE).write_text(rubbish)
        assert eras.read(tmp_path) == eras.Eras()
