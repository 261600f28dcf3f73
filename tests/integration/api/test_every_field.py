"""Every field of every operation, whatever is written into it: an answer, or a sentence with a hint; never a crash.

The fields come from the OpenAPI document: an operation that is added without a body to begin with fails the test.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nephos.web.api import root
from tests.integration.api.test_bad_input import SCHEDULE, VALUES
from tests.support.callers import Caller

# A body that would be taken (or refused only because the thing is not there), for each operation that has one.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/channels"): {"name": "Two", "address": "udp://239.1.2.3:5004", "probe": False},
    ("PATCH", "/channels/{ref}"): {"name": "base"},
    ("POST", "/channels/{ref}/check"): {"seconds": 0.5},
    ("POST", "/schedules"): SCHEDULE,
    ("POST", "/schedules/preview"): {"start": "20:30", "duration_seconds": 60},
    ("PATCH", "/schedules/{ref}"): {"start": "20:30"},
    ("POST", "/guide"): {"channel": "base", "programmes": []},
    ("POST", "/bookings/{id}/extend"): {"by_seconds": 60},
    ("POST", "/record"): {"channel": "base", "duration_seconds": 60},
    ("PATCH", "/assets/{id}"): {"keep": True},
    ("POST", "/assets/{id}/process"): {"pipeline": "archive"},
    ("POST", "/jobs"): {"template": "archive"},
    ("POST", "/connections"): {"name": "shelf", "kind": "file", "options": {}},
    ("POST", "/connections/{name}/test"): {},
    ("POST", "/destinations"): {"name": "vault", "connection": "base", "base": "HERE/vault"},
    ("PATCH", "/destinations/{name}"): {"base": "HERE/vault"},
    ("POST", "/watches"): {"name": "inbox", "destinations": ["base"], "sets": True},
    ("PATCH", "/watches/{name}"): {"priority": 1},
    ("POST", "/watches/{name}/undo"): {"paths": ["a"]},
    ("POST", "/watches/{name}/approve"): {"paths": ["a"]},
    ("POST", "/watches/{name}/restore"): {"paths": ["a"], "to": "HERE/back"},
    ("POST", "/transfers/verify"): {"watch": "base"},
    ("POST", "/plugins/test"): {"path": "HERE/file"},
    ("POST", "/shares"): {"email": "a@example.org"},
    ("POST", "/problems/{ref}/mute"): {"seconds": 60},
    ("POST", "/mail/test"): {"receiver": "a@example.org"},
    ("POST", "/users"): {"name": "anna"},
    ("POST", "/users/{name}/password"): {"password": "correct horse battery"},
    ("POST", "/tokens"): {"name": "program"},
    ("POST", "/login-links"): {"user": "owner"},
    ("POST", "/import"): {"text": "channels: {}", "dry_run": True},
}
NOT_FOR_PEOPLE = {("POST", "/ledger/{verb}")}


@functools.cache
def fields() -> dict[tuple[str, str], list[str]]:
    """Names of the fields of each operation that has a body."""
    document = root.document()
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                name = (method.upper(), path.removeprefix("/api/v1"))
                found[name] = sorted(_resolved(schema, document).get("properties", {}))
    return {name: inside for name, inside in found.items() if name not in NOT_FOR_PEOPLE}


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        whole: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return whole
    inner = next((schema[key][0] for key in ("anyOf", "allOf", "oneOf") if key in schema), None)
    return _resolved(inner, document) if inner is not None else schema


def test_each_operation_with_a_body_is_tried() -> None:
    assert set(fields()) <= set(BODIES)


@pytest.fixture
def station(owner: Caller, home: Any) -> Caller:
    owner("POST", "/channels", {"name": "base", "address": "udp://239.9.9.9:99"})
    owner("POST", "/schedules", {**SCHEDULE, "name": "base"})
    owner("POST", "/connections", {"name": "base", "kind": "file"})
    owner("POST", "/destinations", {"name": "base", "connection": "base", "base": f"{home.root}/elsewhere"})
    owner("POST", "/watches", {"name": "base", "destinations": ["base"], "sets": True})
    return owner


@pytest.mark.parametrize("operation", list(BODIES), ids=lambda one: f"{one[0]} {one[1]}")
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_field_of_any_operation_breaks_anything(
    station: Caller, home: Any, operation: tuple[str, str], data: st.DataObject
) -> None:
    method, path = operation
    names = fields().get(operation, [])
    usual = {
        key: value.replace("HERE", f"{home.root}/elsewhere") if isinstance(value, str) else value
        for key, value in BODIES[operation].items()
    }
    changed = {data.draw(st.sampled_from(names)): data.draw(VALUES)} if names else {}

    answer = station(method, path.format(ref="base", name="base", id="1"), {**usual, **changed})

    assert answer.status < 500 or answer.status == 503, answer.document
    if answer.status >= 400:
        assert answer.kind == "application/problem+json"
        assert answer.document["detail"].strip()
        assert answer.document["hint"].strip(), answer.document["detail"]
        assert "Traceback" not in str(answer.document)
