"""Nobody gets in who should not; every operation asks for its scope."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from nephos.web import roles, services
from nephos.web.api import doors, root
from tests.support.callers import Caller

ADMIN = {
    "POST /jobs",  # a template may run any program as the station's user
    "POST /import",  # it may change settings
    "POST /connections",
    "DELETE /connections/{name}",
    "POST /destinations",
    "DELETE /destinations/{name}",
    "POST /mail/test",  # it makes the station write to any address
    "POST /plugins/test",  # it runs code of people's own
    "POST /watches",
    "DELETE /watches/{name}",
    "POST /watches/{name}/restore",  # it writes into any folder
    "POST /watches/{name}/reset",  # what is at the destination and no longer here may go
    "GET /users",
    "POST /users",
    "DELETE /users/{name}",
    "POST /users/{name}/password",
    "GET /tokens",
    "POST /tokens",
    "DELETE /tokens/{ref}",
    "POST /login-links",
}


def operations() -> dict[str, roles.Scope]:
    """Every operation and the scope that it asks for, as the running API has it."""
    found = {}
    for router in root.api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                (door,) = operation.auth_callbacks
                assert isinstance(door, doors.Door)
                found |= {f"{method} {path}": door.scope for method in operation.methods}
    return found


def address(operation: str) -> tuple[str, str]:
    method, path = operation.split(" ")
    return method, re.sub(r"{\w+}", "1", path)


def test_reading_needs_read_and_acting_operate_and_what_opens_doors_admin() -> None:
    for operation, scope in operations().items():
        if operation in ADMIN:
            assert scope is roles.Scope.ADMIN, operation
        elif operation.startswith("POST /ledger/"):
            assert scope is roles.Scope.WORKER
        elif operation.startswith("GET ") or operation == "POST /schedules/preview":
            assert scope is roles.Scope.READ, operation
        else:
            assert scope is roles.Scope.OPERATE, operation


def test_without_a_token_every_operation_is_refused(stranger: Caller) -> None:
    for operation in operations():
        answer = stranger(*address(operation))

        assert answer.status == 401, operation
        assert answer.kind == "application/problem+json"


def test_a_token_opens_what_its_scope_says_and_nothing_more(program: Any) -> None:
    for scope in (roles.Scope.READ, roles.Scope.OPERATE, roles.Scope.WORKER, roles.Scope.REPORT):
        caller = program(scope)
        granted = roles.expand([scope])
        for operation, wanted in operations().items():
            if wanted not in granted:
                assert caller(*address(operation)).status == 403, (scope, operation)


def test_a_token_to_read_reads(program: Any) -> None:
    reader = program("read")

    assert reader("GET", "/channels").status == 200
    assert reader("GET", "/openapi.json").status == 200


@pytest.mark.parametrize("header", ["Bearer nph_wrong", "Bearer ", "Basic YTpi", "nph_x", "Bearer nph_\x7f"])
def test_a_wrong_token_is_nobody(db: None, home: Any, open_connections: None, header: str) -> None:
    caller = Caller(local=False, headers={"Authorization": header})

    assert caller("GET", "/channels").status == 401


def test_no_client_can_claim_to_be_local(db: None, home: Any, open_connections: None) -> None:
    caller = Caller(local=False, headers={"nephos.local": "True", "X-Forwarded-For": "127.0.0.1"})

    assert caller("GET", "/users").status == 401


def test_a_session_needs_the_pages_token_to_change_things(db: None, home: Any) -> None:
    user = services.add_user(name="ada", role=roles.Role.ADMIN, password="long enough indeed")
    browser = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    browser.force_login(user)
    body = {"email": "ada@example.org"}

    assert browser.get("/api/v1/shares").status_code == 200
    refused = browser.post("/api/v1/shares", body, content_type="application/json")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    browser.cookies["csrftoken"] = "a" * 32
    allowed = browser.post("/api/v1/shares", body, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert allowed.status_code == 201


def test_a_viewer_only_looks(db: None, home: Any) -> None:
    user = services.add_user(name="ada", role=roles.Role.VIEWER)
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)

    assert browser.get("/api/v1/channels").status_code == 200
    assert browser.post("/api/v1/record", {}, content_type="application/json").status_code == 403
