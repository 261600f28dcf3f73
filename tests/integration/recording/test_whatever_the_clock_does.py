"""Keeper and recorder together in a time of their own: each airing once, whatever is done to the clock meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management.color import no_style
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nephos.config import load
from nephos.core import bootstrap
from nephos.lib import files
from nephos.library import services as library
from nephos.recording import bookings, finaliser, services, states, timeline
from nephos.recording.models import Booking, Schedule
from tests.support import virtual

if TYPE_CHECKING:
    from nephos.library.models import Channel

pytestmark = pytest.mark.django_db(transaction=True)

_S = states.BookingState


class Life:
    """A station whose keeper's loops run in the world's time."""

    def __init__(self, loaded: load.Loaded, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(bootstrap, "loaded", lambda: loaded)
        self.loaded = loaded
        self.world = virtual.World(loaded, patch)
        self.channel: Channel = library.add_channel(name="One", address="udp://239.1.2.3:5004", zone="UTC")
        self.loops = [bookings.Planner(loaded), bookings.Arrivals(loaded), finaliser.Finaliser(loaded)]
        self.world.keeper = self.turn
        self.world.start()

    def turn(self) -> None:
        for loop in self.loops:
            loop.step()

    def daily(self, begins_in: float, seconds: int, **more: Any) -> Schedule:
        """A rule that airs once in the time of this test, and once a day after that."""
        start = timeline.moment(float(int(self.world.wall + begins_in)))
        return services.add_schedule(
            name=f"show {Schedule.objects.count()}",
            channel=self.channel,
            start=start.time().isoformat(),
            weekdays="daily",
            duration=seconds,
            **more,
        )

    def numbers(self, booking: Booking) -> list[int]:
        """The packets in the finished file."""
        assert booking.asset is not None
        path = self.loaded.home.recordings / "one" / f"{booking.asset.stem}.ts"
        return list(virtual.numbers(path.read_bytes())) if path.exists() else []

    def manifest(self, booking: Booking) -> dict[str, Any]:
        assert booking.asset is not None
        path = self.loaded.home.recordings / "one" / f"{booking.asset.stem}.manifest.json"
        found: dict[str, Any] = files.read_json(path)
        return found


@pytest.fixture
def life(db: None, home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> Life:
    return Life(home, monkeypatch)


def check(life: Life) -> list[Booking]:
    """Nothing twice, nothing forgotten: every booking that was begun is one whole recording."""
    rows = list(Booking.objects.select_related("asset").order_by("pk"))
    airings = [(row.schedule_id, row.starts_at) for row in rows if row.schedule_id]
    assert len(airings) == len(set(airings))
    taken = [row for row in rows if row.asset is not None]
    assert len({row.asset_id for row in taken}) == len(taken)
    for row in taken:
        got = life.numbers(row)
        assert got == sorted(set(got))
        if row.state == _S.RECORDED and got:
            length = (row.to_at - row.from_at).total_seconds()
            listed = sum(gap["seconds"] for gap in life.manifest(row)["gaps"])
            assert listed == pytest.approx(length - len(got) * virtual.TICK, abs=4)
    return rows


def test_an_edit_in_the_middle_changes_what_comes_and_not_what_runs(life: Life) -> None:
    schedule = life.daily(10, 30)
    life.world.pass_(20)

    later = timeline.moment(life.world.wall + 7200).time().replace(microsecond=0)
    services.change_schedule(schedule=schedule, start=later.isoformat(), duration=40)
    life.world.pass_(40)

    first, *others = check(life)
    assert first.state == _S.RECORDED
    assert len(life.numbers(first)) == 300
    assert life.manifest(first)["verdict"] == "complete"
    assert [row.state for row in others] == [_S.PLANNED] * len(others)


@pytest.mark.parametrize("change", ["switched off", "removed"])
def test_what_runs_goes_on_though_its_rule_is(life: Life, change: str) -> None:
    schedule = life.daily(10, 30)
    life.world.pass_(20)

    if change == "removed":
        services.remove_schedule(schedule=schedule)
    else:
        services.set_enabled(schedule=schedule, enabled=False)
    life.world.pass_(40)

    [row] = check(life)
    assert (row.state, len(life.numbers(row))) == (_S.RECORDED, 300)


def test_both_neighbours_get_their_padding(life: Life) -> None:
    life.daily(20, 20, padding_before=5, padding_after=5)
    life.daily(40, 20, padding_before=5, padding_after=5)
    joins: list[object] = []
    opened = virtual.Ear.open

    def counting(ear: virtual.Ear) -> None:
        joins.append(ear)
        opened(ear)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(virtual.Ear, "open", counting)
        life.world.pass_(80)

    before, after = (row for row in check(life) if row.state == _S.RECORDED)
    one, two = life.numbers(before), life.numbers(after)
    assert (len(one), len(two)) == (300, 300)
    assert one[-100:] == two[:100]  # ten seconds are in both
    assert len(joins) == 1


def test_a_machine_that_sleeps_through_a_start_records_the_rest(life: Life) -> None:
    life.daily(10, 60)
    life.world.pass_(5)
    life.world.sleep(25)
    life.world.pass_(60)

    row = check(life)[0]
    assert row.state == _S.RECORDED
    assert 380 <= len(life.numbers(row)) <= 401
    assert life.manifest(row)["gaps"][0]["cause"] == "started late"


def test_a_machine_that_sleeps_through_all_of_it_misses_it_once(life: Life) -> None:
    life.daily(10, 20)
    life.world.pass_(5)
    life.world.sleep(3600)
    life.world.pass_(10)
    life.world.step(-3610)  # and somebody sets the clock back as well
    life.world.pass_(40)

    row = check(life)[0]
    assert row.state == _S.RECORDED  # what was missed lies ahead again, and is made
    assert len(life.numbers(row)) == 200


@pytest.mark.parametrize("step", [-43200.0, -3600.0, -20.0, 20.0, 43200.0])
def test_a_step_while_it_runs_neither_ends_nor_repeats_it(life: Life, step: float) -> None:
    life.daily(10, 40)
    life.world.pass_(25)
    life.world.step(step)
    life.world.pass_(60)

    rows = check(life)
    assert rows[0].state == _S.RECORDED
    assert len(life.numbers(rows[0])) == 400
    assert life.manifest(rows[0])["verdict"] == "complete"
    assert [one["kind"] for one in life.manifest(rows[0])["notices"]] == ["clock-step"]
    begun = [row for row in rows if row.state not in (_S.PLANNED, _S.MISSED)]
    assert len(begun) == 1


EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 12)),
    st.tuples(st.just("step"), st.sampled_from((-3600.0, -61.5, -12.0, -2.2, 2.2, 12.0, 61.5, 3600.0))),
    st.tuples(st.just("sleep"), st.sampled_from((3, 20, 4000))),
    st.tuples(st.just("kill"), st.integers(0, 3)),
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, min_size=1, max_size=4))
@example(events=[("pass", 10), ("step", -3600.0), ("kill", 2)])
@example(events=[("pass", 10), ("step", 3600.0), ("kill", 2)])
def test_each_airing_is_made_once_whatever_happens(db: None, events: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        loaded = load.load(Path(place), environment={})
        loaded.home.create()
        _empty_database()
        life = Life(loaded, patch)
        life.daily(5, 15)
        life.daily(24, 15)
        acts: dict[str, Callable[[Any], object]] = {
            "pass": life.world.pass_,
            "step": life.world.step,
            "sleep": life.world.sleep,
            "kill": lambda seconds: _restart(life, seconds),
        }
        for kind, much in events:
            acts[kind](much)
        life.world.pass_(45)

        rows = check(life)

    open_rows = [row for row in rows if row.state == _S.RECORDING]
    now = timeline.moment(life.world.wall)
    assert all(row.to_at > now - timedelta(seconds=15) for row in open_rows)
    # What lies behind is over, one way or another, and says why.
    for row in rows:
        if row.state == _S.MISSED:
            assert row.reason


def _restart(life: Life, seconds: float) -> None:
    life.world.kill()
    life.world.pass_(seconds)
    life.world.start()


def _empty_database() -> None:
    """Between two examples, which are one test to pytest."""
    tables = [name for name in connection.introspection.table_names() if name != "django_migrations"]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=True))
