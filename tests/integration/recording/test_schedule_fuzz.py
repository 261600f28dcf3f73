"""Whatever is given for a schedule, it is understood or refused in one sentence; never a trace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephos.lib import errors
from nephos.library import services as library
from nephos.library.models import Channel
from nephos.recording import queries, services
from nephos.recording.models import Schedule

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.one_of(st.text(max_size=12), st.integers(), st.none()), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
likely: dict[str, st.SearchStrategy[Any]] = {
    "start": st.sampled_from(["02:30", "23:59:59", "24:00"]),
    "date": st.sampled_from(["2027-02-28", "2028-02-29", "0001-01-01", "9999-12-31", ""]),
    "weekdays": st.sampled_from(["daily", "mon-sun", "fri-mon", 127, 128, "once"]),
    "every": st.sampled_from(["2 weeks", "366 days", "1 day", "0 days"]),
    "rule": st.sampled_from(["FREQ=HOURLY;INTERVAL=7", "FREQ=MONTHLY;BYDAY=5SU", "FREQ=YEARLY;COUNT=3", "FREQ=X"]),
    "not_on": st.sampled_from([["2027-01-01"], ["none"], "2027-01-01,2027-01-02"]),
    "also_on": st.sampled_from([["2027-01-01"], ["9999-12-31"], []]),
    "duration": st.sampled_from(["1s", "7d", 60, "8d"]),
    "padding_before": st.sampled_from(["6h", "0s", -1]),
    "padding_after": st.sampled_from(["6h", 1.5]),
    "until": st.sampled_from(["9999-12-31", "2026-12-01", "0001-01-01"]),
    "zone": st.sampled_from(["Europe/Madrid", "Pacific/Apia", "Nowhere", "../../etc/passwd"]),
    "pipeline": st.sampled_from(["none", "archive", "a b"]),
    "priority": st.sampled_from([-100, 101]),
    "tags": st.sampled_from([["a"], "a", [""]]),
    "enabled": st.booleans(),
}
fields = st.fixed_dictionaries({}, optional={name: st.one_of(strategy, anything) for name, strategy in likely.items()})
sensible = st.fixed_dictionaries(
    {"start": st.just("02:30"), "duration": st.just("1h")},
    optional={name: one for name, one in likely.items() if name not in ("start", "duration")},
)


@pytest.fixture
def channel(db: None) -> Channel:
    return library.add_channel(name="La Uno", address="udp://239.1.2.3:5004", zone="Europe/Madrid")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_fields=st.one_of(fields, sensible))
def test_a_preview_is_a_sentence_or_a_refusal(channel: Channel, given_fields: dict[str, Any]) -> None:
    try:
        found = queries.preview(channel=channel, after=datetime(2026, 11, 22, tzinfo=UTC), count=3, **given_fields)
    except errors.NephosError as error:
        refused = error.message
    else:
        refused = ""
        assert found.words
        assert [one.starts_at for one in found.airings] == sorted(one.starts_at for one in found.airings)

    assert len(refused) < 300


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_fields=st.one_of(fields, sensible), name=st.one_of(st.just("News"), st.text(max_size=130)))
def test_a_schedule_is_added_or_refused_and_can_be_seen_and_removed(
    channel: Channel, given_fields: dict[str, Any], name: str
) -> None:
    try:
        made = services.add_schedule(name=name, channel=channel, **given_fields)
    except errors.NephosError as error:
        refused = error.message
    else:
        refused = ""
        assert queries.schedule(made.pk).words
        services.remove_schedule(schedule=made)

    assert len(refused) < 400
    assert not Schedule.objects.exists()
