"""Who is told of what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.config import errors, load
from nephos.lib import clock
from nephos.monitoring import letters, rules
from nephos.monitoring.channels import mail
from nephos.monitoring.channels.base import Message

TEXT = """
[mail]
host = "h"
critical = ["ops@example.org", "b@example.org", "ops@example.org"]
report = ["boss@example.org"]
[webhook.chat]
url = "https://example.org/x"
events = ["problem.opened"]
"""


def told(kind: str, text: str = TEXT, *, problem: str = "", about: str = "") -> list[str]:
    found = rules.targets(kind, problem=problem, about=about, settings=load.parse(text))
    return [one.receiver for one in found]


@pytest.mark.parametrize(
    ("kind", "receivers"),
    [
        ("problem.opened", ["ops@example.org", "b@example.org", "chat"]),
        ("problem.closed", ["ops@example.org", "b@example.org"]),
        ("bookings.missed", ["ops@example.org", "b@example.org"]),
        ("asset.failed", ["ops@example.org", "b@example.org"]),
        ("asset.failedness", []),
        ("asset.processed", []),
        ("digest.made", ["boss@example.org"]),
    ],
)
def test_each_kind_goes_where_the_settings_say(kind: str, receivers: list[str]) -> None:
    assert told(kind) == receivers


def test_without_report_addresses_the_critical_ones_get_the_digest() -> None:
    text = TEXT.replace('report = ["boss@example.org"]', "")
    assert told("digest.made", text) == ["ops@example.org", "b@example.org"]


@pytest.mark.parametrize("switch", ["[monitoring]\nenabled = false", "[mail]\nenabled = false\nhost = 'h'"])
def test_switches_keep_everybody_in_peace(switch: str) -> None:
    text = TEXT.replace('[mail]\nhost = "h"', switch if "mail" in switch else f'{switch}\n[mail]\nhost = "h"')
    assert told("problem.closed", text) == []


def test_the_end_of_a_cry_is_told_to_nobody() -> None:
    assert told("problem.closed", problem="log.critical") == []


def test_what_is_wrong_with_a_channel_goes_by_the_others() -> None:
    assert told("problem.opened", problem="notice.failing", about="channel:mail") == ["chat"]
    assert told("problem.opened", problem="notice.failing", about="channel:webhook:chat") == [
        "ops@example.org",
        "b@example.org",
    ]


@pytest.mark.parametrize(
    "address",
    ["a b@c", "a@b\n", "a@b\nBcc: x@y", "@b", "a@", "a@b,c@d", "<a@b>", "a", "\u00e9@b", "a@b@c", '"a"@b', "a@b;c"],
)
def test_what_is_no_address_is_refused_in_the_settings(address: str) -> None:
    import json

    with pytest.raises(errors.ConfigError):
        load.parse(f"[mail]\ncritical = [{json.dumps(address)}]")


@pytest.mark.parametrize(
    "text",
    [
        "[mail]\npassword = 'plain'",
        "[mail]\nsecurity = 'maybe'",
        "[webhook.x]\nurl = 'file:///etc/passwd'",
        "[webhook.x]\nurl = 'http://a b'",
        "[webhook.x]\nurl = 'https://a'\nsecret = 'plain'",
        "[maintenance.digest]\ntime = '24:00'",
        "[maintenance.digest]\ntime = '7:00'",
        "[maintenance.disk]\ninterval_seconds = 0",
        "[maintenance.disk]\nmin_percent = 101",
        "[maintenance.retention.watch.'a b']\nkeep_days = 1",
        "[maintenance.nothing]\nenabled = true",
    ],
)
def test_settings_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(errors.ConfigError):
        load.parse(text)


SENDER = letters.Sender(station="hill", zone="Europe/Madrid", page="http://127.0.0.1:8600/problems")


@given(
    st.text(max_size=300), st.text(max_size=300), st.sampled_from(["problem.opened", "problem.closed", "asset.failed"])
)
def test_no_fact_writes_a_header_or_a_control_character(what: str, reason: str, kind: str) -> None:
    facts = {"what": what, "reason": reason, "lasted": "1 s", "opened_at": clock.stamp(clock.now())}
    letter = letters.write(letters.Happening(kind, clock.now(), what, facts), SENDER)
    made = mail.compose(
        Message(uid=f"7:mail:{reason[:20]}", receiver="ops@example.org", title=letter.title, body=letter.body),
        sender="nephos@example.org",
    )
    raw = made.as_bytes()
    head, _, _body = raw.partition(b"\r\n\r\n")

    assert set(made.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert len(made.get_all("To") or []) == 1
    for row in head.split(b"\r\n"):
        assert row.split(b":")[0].decode("ascii") in made or row.startswith((b" ", b"\t"))
    assert all(c.isprintable() or c == "\n" for c in letter.body)


def test_a_missed_booking_is_told_with_its_reason_and_in_local_time() -> None:
    facts = {
        "number": "1 booking",
        "bookings": [{"title": "News", "starts_at": "2026-11-22T19:30:00.000Z", "reason": "The station was off."}],
    }
    letter = letters.write(letters.Happening("bookings.missed", clock.now(), "x", facts), SENDER)

    assert letter.title == "[hill] 1 booking missed"
    assert "Sunday 22 November 2026 20:30:00 Europe/Madrid (19:30:00 UTC)" in letter.body
    assert "The station was off." in letter.body
