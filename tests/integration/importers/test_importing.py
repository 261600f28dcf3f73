"""A file of the old Nephos is taken over, once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephos.importers import settings as importing
from tests.support.callers import Caller

DATA = """---
channels:
  0:
    name: "tve1"
    ip: "239.255.20.1:1234"
    country_code: "spa"
    lang: "spa"
    timezone: "spa"
  1:
    name: "La 2"
    ip: "239.255.20.2:1234"
    timezone: "Europe/Madrid"
  2:
    name: "Twin of the first"
    ip: "239.255.20.1:1234"
sharing_entity:
  0:
    email: "a@example.org b@example.org"
    tags: "tve1 spa"
...
"""
JOBS = """---
0:
  name: news
  channel_name: la_2
  start_time: 20:30
  duration: 30
  repetition: 0111110
1:
  name: lost
  channel_name: nowhere
  start_time: "08:00"
  duration: 30
  repetition: "1111111"
...
"""


@pytest.fixture
def owner(db: None, open_connections: None) -> Any:
    """The home's owner on settings of their own."""
    from nephos.core import bootstrap
    from nephos.web import current

    file = bootstrap.loaded().home.config_file
    file.unlink(missing_ok=True)
    current._live.cache_clear()
    yield Caller(local=True)
    file.unlink(missing_ok=True)
    current._live.cache_clear()


def outcomes(document: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Lines of a report that are no notes."""
    return [(line["line"], line["outcome"], line["name"]) for line in document["lines"] if line["outcome"] != "note"]


def test_channels_and_shares_are_taken_and_a_second_time_nothing_changes(owner: Caller) -> None:
    first = owner("POST", "/import", {"text": DATA})
    events = len(owner("GET", "/events?limit=100").document)
    second = owner("POST", "/import", {"text": DATA})

    assert first.status == 200
    assert outcomes(first.document) == [
        (4, "taken", "tve1"),
        (10, "taken", "La 2"),
        (14, "refused", "Twin of the first"),
        (18, "taken", "a@example.org"),
        (18, "taken", "b@example.org"),
    ]
    assert "no time zone" in str(first.document["lines"])
    assert [row["zone"] for row in owner("GET", "/channels").document] == ["Europe/Madrid", ""]
    assert (second.document["taken"], second.document["changed"], second.document["unchanged"]) == (0, 0, 4)
    assert len(owner("GET", "/events?limit=100").document) == events


def test_jobs_become_schedules_in_the_machines_zone(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    owner("POST", "/import", {"text": DATA})

    first = owner("POST", "/import", {"text": JOBS}).document
    second = owner("POST", "/import", {"text": JOBS}).document
    changed = owner("POST", "/import", {"text": JOBS.replace("20:30", "20:45")}).document

    assert outcomes(first) == [(3, "taken", "news"), (9, "refused", "lost")]
    assert first["lines"][0]["text"] == "tue,wed,thu,fri,sat at 20:30 Europe/Lisbon, 30 min"
    assert second["unchanged"] == 1
    assert outcomes(changed)[0] == (3, "changed", "news")
    (schedule,) = owner("GET", "/schedules").document
    assert (schedule["start"], schedule["zone"]) == ("20:45:00", "Europe/Lisbon")


def test_a_dry_run_says_the_same_and_does_nothing(owner: Caller) -> None:
    tried = owner("POST", "/import", {"text": DATA, "dry_run": True}).document

    assert tried["dry_run"] is True
    assert tried["taken"] == 4
    assert owner("GET", "/channels").document == []
    assert owner("GET", "/events").document == []


def test_what_a_person_set_since_is_not_emptied(owner: Caller) -> None:
    owner("POST", "/import", {"text": DATA})
    owner("PATCH", "/channels/tve1", {"zone": "Europe/Madrid", "country": "ES"})

    again = owner("POST", "/import", {"text": DATA}).document

    assert again["changed"] == 0
    assert owner("GET", "/channels/tve1").document["zone"] == "Europe/Madrid"


def test_maintenance_settings_are_written_to_the_settings_file(owner: Caller) -> None:
    text = "disk_space_check:\n  enabled: True\n  min_space: 20\n  interval: 0\nchannel_online_check:\n  interval: 60\n"

    tried = owner("POST", "/import", {"text": text, "dry_run": True}).document
    first = owner("POST", "/import", {"text": text}).document
    second = owner("POST", "/import", {"text": text}).document

    assert tried["changed"] >= 2
    assert (first["changed"], first["unchanged"], first["refused"]) == (2, 1, 1)
    assert (second["changed"], second["unchanged"]) == (0, 3)


def test_a_file_of_another_kind_is_refused_in_words(owner: Caller) -> None:
    answer = owner("POST", "/import", {"text": "recording:\n  ifaddr: 10.0.0.1\n"})

    assert answer.status == 422
    assert "add_data" in answer.document["hint"]


# Words that once broke something, and anything else.
NASTY = st.one_of(
    st.sampled_from(
        ["", "~", "'", '"', "\x00", "\ud800", "🎬" * 300, "a" * 10_000, "-1", "1e999", "../..", "%s", "{", "[]"]
    ),
    st.text(max_size=40),
)
SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@SETTINGS
@given(
    field=st.sampled_from(["name", "ip", "country_code", "lang", "timezone", "email", "tags"]),
    value=NASTY,
    quoted=st.booleans(),
)
def test_no_field_of_a_data_file_breaks_the_import(owner: Caller, field: str, value: str, quoted: bool) -> None:
    typed = "'" + value.replace("'", "''") + "'" if quoted else value
    channel = {"name": "x", "ip": "'239.9.9.9:99'", "country_code": "ES", "lang": "spa", "timezone": "UTC"}
    share = {"email": "a@example.org", "tags": "x"}
    (channel if field in channel else share)[field] = typed
    text = "channels:\n  0:\n" + "".join(f"    {k}: {v}\n" for k, v in channel.items())
    text += "sharing_entity:\n  0:\n" + "".join(f"    {k}: {v}\n" for k, v in share.items())

    answer = owner("POST", "/import", {"text": text})

    assert answer.status in (200, 422), answer.document


@SETTINGS
@given(field=st.sampled_from(["name", "channel_name", "start_time", "duration", "repetition"]), value=NASTY)
def test_no_field_of_a_jobs_file_breaks_the_import(owner: Caller, field: str, value: str) -> None:
    owner("POST", "/channels", {"name": "x", "address": "udp://239.9.9.9:99"})
    job = {"name": "n", "channel_name": "x", "start_time": "20:30", "duration": "30", "repetition": "1111111"}
    job[field] = "'" + value.replace("'", "''") + "'"
    text = "0:\n" + "".join(f"  {k}: {v}\n" for k, v in job.items())

    answer = owner("POST", "/import", {"text": text})

    assert answer.status in (200, 422), answer.document


@SETTINGS
@given(
    key=st.sampled_from([*importing._KEYS, *((check, name or "enabled") for check, name in importing._MEANINGLESS)]),
    value=NASTY,
    quoted=st.booleans(),
)
def test_no_field_of_a_maintenance_file_breaks_the_import(
    owner: Caller, key: tuple[str, str], value: str, quoted: bool
) -> None:
    check, name = key
    typed = "'" + value.replace("'", "''") + "'" if quoted else value

    answer = owner("POST", "/import", {"text": f"jobs:\n  {check}:\n    type: {check}\n    {name}: {typed}\n"})

    assert answer.status in (200, 422), answer.document
    if answer.status == 422:
        assert answer.document["hint"]
        return
    assert all(line["text"] for line in answer.document["lines"] if line["outcome"] == "refused")
