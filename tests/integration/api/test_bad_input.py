"""Whatever stands in a field of a channel or a schedule: an answer or a refusal in words, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephos.web.api import channels, schedules
from tests.support.callers import Caller

CHANNEL = {"name": "La Uno", "address": "udp://239.1.2.3:5004", "country": "ES", "language": "spa", "zone": "UTC"}
SCHEDULE = {"channel": "base", "name": "News", "start": "20:30", "duration_seconds": 1800, "weekdays": "mon-fri"}
CHANNEL_FIELDS = sorted(channels.ChannelIn.model_fields)
SCHEDULE_FIELDS = sorted(schedules.ScheduleIn.model_fields)
TRIED_FIELDS = set(schedules.TryIn.model_fields)
# What has broken such programs before, and anything else.
WORDS = st.one_of(
    st.sampled_from(
        ["", " ", "\x00", "\ud800", "\u202e", "'; DROP TABLE x; --", "$(reboot)", "../../etc", "a" * 5_000]
    ),
    st.sampled_from(
        ["udp://", "udp://[::1", "udp://239.1.2.3:99999", "rtp://a@b@c:1", "http://" + "a" * 300, "pipe:x"]
    ),
    st.sampled_from(["24:00", "-1:00", "00:00:00.5", "0000000", "mon-", "FREQ=SECONDLY", "\u0661\u0662:\u0663\u0660"]),
    st.sampled_from(
        ["9999-99-99", "2026-02-30", "10000-01-01", "Europe/Madrid\n", "Europe/../etc", "localtime", "%s%n"]
    ),
    st.text(max_size=60),
)
VALUES = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.lists(WORDS, max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
MANY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def station(owner: Caller) -> Caller:
    """A station with a channel and a schedule to change."""
    owner("POST", "/channels", {**CHANNEL, "name": "base", "address": "udp://239.9.9.9:99"})
    owner("POST", "/schedules", {**SCHEDULE, "name": "base"})
    return owner


def answered(answer: Any) -> None:
    """An answer, or a refusal that a person understands."""
    assert answer.status < 500, answer.document
    if answer.status >= 400:
        assert answer.kind == "application/problem+json"
        assert answer.document["detail"].strip()
        assert "Traceback" not in str(answer.document)


@MANY
@given(field=st.sampled_from(CHANNEL_FIELDS), value=VALUES)
def test_no_field_of_a_channel_breaks_anything(station: Caller, field: str, value: Any) -> None:
    made = station("POST", "/channels", {**CHANNEL, field: value})
    answered(made)
    answered(station("PATCH", "/channels/base", {field: value}))
    answered(station("GET", "/channels"))
    station("PATCH", "/channels/1", {"name": "base", "address": "udp://239.9.9.9:99"})
    if made.status == 201:
        assert station("DELETE", f"/channels/{made.document['id']}").status == 204


@MANY
@given(field=st.sampled_from(SCHEDULE_FIELDS), value=VALUES)
def test_no_field_of_a_schedule_breaks_anything(station: Caller, field: str, value: Any) -> None:
    made = station("POST", "/schedules", {**SCHEDULE, field: value})
    answered(made)
    rule = {key: one for key, one in {**SCHEDULE, field: value}.items() if key in TRIED_FIELDS}
    answered(station("POST", "/schedules/preview", rule))
    answered(station("PATCH", "/schedules/base", {field: value}))
    answered(station("GET", "/schedules"))
    answered(station("GET", "/bookings"))
    if made.status == 201:
        assert station("DELETE", f"/schedules/{made.document['id']}").status == 204


def test_a_reference_longer_than_a_database_can_search_for_names_nothing(station: Caller) -> None:
    long = "a" * 70_000

    assert station("POST", "/schedules", {**SCHEDULE, "channel": long}).status == 404
    for address in (f"/recordings?search={long}", f"/channels/{long}", f"/events?kind={long}", f"/jobs/{long}"):
        answered(station("GET", address))


@MANY
@given(value=WORDS)
def test_no_reference_breaks_anything(station: Caller, value: str) -> None:
    from urllib.parse import quote

    ref = quote(value.encode("utf-8", "surrogatepass")[:2000], safe="")
    for noun in ("channels", "schedules", "bookings", "recordings"):
        answered(station("GET", f"/{noun}/{ref or 'x'}"))
    answered(station("GET", f"/schedules?channel={ref}"))


@MANY
@given(body=st.one_of(st.binary(max_size=200), st.just(b"[" * 50_000), st.just(b'{"name": ' * 20_000)))
def test_no_body_breaks_anything(station: Caller, body: bytes) -> None:
    answered(station("POST", "/channels", raw=body or b"{"))
    answered(station("POST", "/import", raw=body or b"{"))
