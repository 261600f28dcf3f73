"""Every refusal is a problem document with a sentence; hostile values never end in a traceback or half a thing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from nephos.library.models import Channel, Share
from nephos.recording.models import Booking, Schedule
from nephos.web.api import root
from tests.support.callers import Answer, Caller

CHANNEL = {"name": "La Uno", "address": "udp://239.1.2.3:5004"}
RULE = {"channel": "La Uno", "name": "News", "start": "20:30", "duration_seconds": 60, "weekdays": "daily"}


def is_problem(answer: Answer, status: int) -> bool:
    assert answer.kind == "application/problem+json", answer
    assert set(answer.document) >= {"type", "title", "status", "detail", "hint"}
    assert "Traceback" not in str(answer.document)
    return bool(answer.status == answer.document["status"] == status and answer.document["detail"])


def test_an_unknown_path_is_told(owner: Caller, stranger: Caller) -> None:
    assert is_problem(owner("GET", "/nothing/here"), 404)
    assert is_problem(owner("GET", "/"), 404)
    assert is_problem(stranger("GET", "/nothing"), 404)


def test_an_unknown_path_is_told_to_those_who_write_too(db: None, home: Any) -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/v1/channels/a/b/c", {}, headers={"host": "127.0.0.1"})

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_wrong_method_names_the_right_ones(owner: Caller) -> None:
    answer = owner("PUT", "/channels")

    assert is_problem(answer, 405)
    assert answer.document["hint"] == "Possible: GET, POST."


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 100_000, b"nonsense"])
def test_a_body_that_is_no_json_is_refused(owner: Caller, raw: bytes) -> None:
    assert is_problem(owner("POST", "/channels", raw=raw), 400)


@pytest.mark.parametrize("body", [[], "x", 1, None, {}, {"name": 1}, {**CHANNEL, "color": "red"}])
def test_a_body_of_the_wrong_shape_is_refused_with_the_place(owner: Caller, body: Any) -> None:
    answer = owner("POST", "/channels", body, raw=None if body is not None else b"null")

    assert is_problem(answer, 422)
    assert answer.document["errors"]


def test_a_body_that_is_too_large_is_refused(owner: Caller) -> None:
    assert is_problem(owner("POST", "/channels", raw=b'"' + b"x" * (3 << 20) + b'"'), 413)


HOSTILE_NAMES = ["", " ", "a\nb", "x" * 300, "nul\x00", "\u2028", "\x1b[31m", "a\ud800b"]
ODD_NAMES = ["../../etc", "a/b", "a;b", "a'b", 'a"b', "..", "CON", "%s%n", "<script>", "${HOME}", "ñandú 📺"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_cannot_be_kept_are_refused_and_nothing_is_made(owner: Caller, name: str) -> None:
    assert is_problem(owner("POST", "/channels", {**CHANNEL, "name": name}), 422)
    assert not Channel.objects.exists()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_stay_text(owner: Caller, name: str) -> None:
    answer = owner("POST", "/channels", {**CHANNEL, "name": name})

    assert answer.status == 201
    assert answer.document["name"] == name
    assert set(answer.document["slug"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "udp://",
        "udp://239.1.2.3",
        "udp://239.1.2.3:0",
        "udp://239.1.2.3:99999",
        "ftp://239.1.2.3:5004",
        "udp://0.0.0.0:5004",
        "udp://239.1.2.3:5004?interface=../x",
        "udp://239.1.2.3:5004/x;rm",
        "udp://[::1",
        "udp://239.1.2.3:5004\n",
        "x" * 300,
        "udp://\uff12\uff13\uff19.1.2.3:5004",
    ],
)
def test_addresses_that_are_none_are_refused(owner: Caller, address: str) -> None:
    assert is_problem(owner("POST", "/channels", {**CHANNEL, "address": address}), 422)
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "25:00"},
        {"start": "20:30\n"},
        {"start": ""},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"zone": "x" * 300},
        {"duration_seconds": 0},
        {"duration_seconds": -5},
        {"duration_seconds": 1e300},
        {"duration_seconds": "long"},
        {"weekdays": "someday"},
        {"weekdays": 128},
        {"date": "2026-02-30", "weekdays": None},
        {"date": "1999-01-01", "weekdays": 0},
        {"until": "tomorrow"},
        {"padding_before_seconds": 1e9},
        {"priority": 1000},
        {"pipeline": "../x"},
        {"tags": ["a\nb"]},
        {"tags": "storm"},
        {"name": "a\nb"},
        {"name": "x" * 300},
    ],
)
def test_rules_that_make_no_sense_are_refused_and_nothing_is_made(owner: Caller, wrong: dict[str, Any]) -> None:
    owner("POST", "/channels", CHANNEL)

    assert is_problem(owner("POST", "/schedules", {**RULE, **wrong}), 422)
    assert not Schedule.objects.exists()
    assert not Booking.objects.exists()


@pytest.mark.parametrize("length", [0, -1, 1e18, 604801, None])
def test_lengths_that_make_no_sense_are_refused(owner: Caller, length: float | None) -> None:
    owner("POST", "/channels", CHANNEL)

    assert is_problem(owner("POST", "/record", {"channel": "La Uno", "duration_seconds": length}), 422)
    assert not Booking.objects.exists()


@pytest.mark.parametrize("raw", [b"NaN", b"Infinity", b"-Infinity", b"1e400"])
def test_numbers_that_are_none_are_refused(owner: Caller, raw: bytes) -> None:
    owner("POST", "/channels", CHANNEL)
    body = b'{"channel": "La Uno", "duration_seconds": ' + raw + b"}"

    assert is_problem(owner("POST", "/record", raw=body), 422)


@pytest.mark.parametrize("email", ["", "x", "a@b", "a b@example.org", "x@" + "y" * 300 + ".org", "a\n@example.org"])
def test_shares_without_an_address_are_refused(owner: Caller, email: str) -> None:
    assert is_problem(owner("POST", "/shares", {"email": email}), 422)
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    "ref", ["0", "999999999999999999999999", "-1", "%2e%2e", "a%2Fb", "%F0%9F%93%BA", "1e3", "%00"]
)
@pytest.mark.parametrize("noun", ["channels", "schedules", "bookings", "assets", "recordings", "jobs", "watches"])
def test_references_to_nothing_are_not_found(owner: Caller, noun: str, ref: str) -> None:
    assert is_problem(owner("GET", f"/{noun}/{ref}"), 404) or ref == "%00"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=9999999999999999999999", "after=-1", "after=" + "9" * 30]
)
def test_queries_that_make_no_sense_are_refused(owner: Caller, query: str) -> None:
    assert is_problem(owner("GET", f"/events?{query}"), 422)


def test_half_a_character_is_refused(owner: Caller) -> None:
    for body in (b'{"template": "x", "key": "\\ud800"}', b'{"template": "x", "key": "\\uDFFF"}'):
        assert is_problem(owner("POST", "/jobs", raw=body), 422)


def test_a_nul_in_a_query_is_refused(owner: Caller) -> None:
    assert is_problem(owner("GET", "/assets?search=a%00b"), 422)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a.b"},
        {"name": "../x"},
        {"name": "x" * 64},
        {"name": ""},
        {"kind": "ftp"},
        {"options": {"colour": "red"}},
        {"options": {"a": {"b": 1}}},
        {"kind": "s3", "options": {"endpoint": "https://x.example", "access_key": "AKIA", "secret_key": "env:X"}},
        {"kind": "s3", "options": {"endpoint": "https://x.example"}},
    ],
)
def test_connections_that_cannot_be_used_are_refused_and_not_written(
    owner: Caller, home: Any, wrong: dict[str, Any]
) -> None:
    assert is_problem(owner("POST", "/connections", {"name": "x", "kind": "file", **wrong}), 422)
    assert not home.config_file.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"destinations": []},
        {"destinations": ["nowhere"]},
        {"sets": True, "folder": "/tmp"},
        {"sets": False},
        {"sets": False, "folder": "relative"},
        {"sets": False, "folder": "/does/not/exist"},
        {"settle_seconds": -1},
        {"name": "a b"},
    ],
)
def test_watches_that_cannot_work_are_refused(owner: Caller, tmp_path: Any, wrong: dict[str, Any]) -> None:
    owner("POST", "/connections", {"name": "shelf", "kind": "file"})
    owner("POST", "/destinations", {"name": "archive", "connection": "shelf", "base": str(tmp_path)})

    body = {"name": "w", "sets": True, "destinations": ["archive"], **wrong}

    assert is_problem(owner("POST", "/watches", body), 422)
    assert owner("GET", "/watches").document == []


def test_a_destination_needs_a_connection_and_a_base_that_fits(owner: Caller) -> None:
    owner("POST", "/connections", {"name": "shelf", "kind": "file"})

    assert is_problem(owner("POST", "/destinations", {"name": "a", "connection": "x"}), 422)
    assert is_problem(owner("POST", "/destinations", {"name": "a", "connection": "shelf", "base": "relative"}), 422)


def test_a_template_that_is_none_is_refused(owner: Caller) -> None:
    for template in ("", "x: [", "- 1", "name: x", "\u0000", "a: &a [*a]"):
        assert is_problem(owner("POST", "/jobs", {"template": template}), 422)


def test_what_is_taken_is_a_conflict(owner: Caller) -> None:
    owner("POST", "/channels", CHANNEL)
    owner("POST", "/connections", {"name": "shelf", "kind": "file"})

    assert is_problem(owner("POST", "/channels", CHANNEL), 409)
    assert is_problem(owner("POST", "/connections", {"name": "shelf", "kind": "file"}), 409)


def test_a_bug_is_logged_and_never_shown(
    owner: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*_: object) -> None:
        raise ValueError("the secret inside")

    monkeypatch.setattr("nephos.library.queries.channels", fall)

    answer = owner("GET", "/channels")

    assert is_problem(answer, 500)
    assert "secret inside" not in str(answer.document)
    assert "the secret inside" in caplog.text


def test_a_database_that_is_away_is_unreachable(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("nephos.library.queries.channels", fall)

    assert is_problem(owner("GET", "/channels"), 503)


def test_the_openapi_document_is_whole(owner: Caller) -> None:
    document = owner("GET", "/openapi.json").document

    assert document["openapi"].startswith("3.")
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    schemas = document["components"]["schemas"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["security"], path
            named = {place["name"] for place in operation.get("parameters", []) if place["in"] == "path"}
            assert named == {piece[1:-1] for piece in path.split("/") if piece.startswith("{")}
    assert document["info"]["version"] == root.api.version


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for inner in value.values() for one in _references(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in _references(inner)]
    return []
