"""The doors: links that open once, passwords, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from nephos.lib import clock
from nephos.lib import errors as lib_errors

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(place: Any) -> str:
    from nephos.web import services

    return services.make_login_link(user=services.ensure_owner())


def test_looking_at_a_link_does_not_spend_it_and_the_button_lets_in_once(secret: str) -> None:
    browser, other = Client(enforce_csrf_checks=True), Client()
    for _ in range(2):
        shown = browser.get(f"/login/{secret}")
        assert shown.status_code == 200
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.content.decode())
    assert token is not None

    entered = browser.post(f"/login/{secret}", {"csrfmiddlewaretoken": token[1]})
    again = other.post(f"/login/{secret}")

    assert (entered.status_code, entered.headers["Location"]) == (302, "/")
    assert browser.get("/").status_code == 200
    assert again.status_code == 403
    assert "was used before" in again.content.decode()
    looked_at = other.get(f"/login/{secret}")
    assert looked_at.status_code == 403
    assert "Welcome" not in looked_at.content.decode()
    assert "nephos open" in looked_at.content.decode()
    assert other.get("/").status_code == 302


def test_a_link_that_is_too_old_opens_nothing(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + timedelta(minutes=16)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert Client().post(f"/login/{secret}").status_code == 403


def test_of_many_at_once_one_comes_in(secret: str) -> None:
    from nephos.web import errors, services

    services.use_login_link(secret)

    with pytest.raises(errors.LinkSpent):
        services.use_login_link(secret)


def test_a_guessed_link_opens_nothing(place: Any) -> None:
    assert Client().post("/login/guess").status_code == 403


def test_a_password_lets_in_and_leads_back_to_the_page_that_was_wanted(place: Any) -> None:
    from nephos.web import roles, services

    services.add_user(name="ana", role=roles.Role.VIEWER, password="correct horse battery")
    browser = Client()
    wanted = browser.get("/recordings?state=failed")

    entered = browser.post("/login", {"name": "ana", "password": "correct horse battery", "next": "/recordings?x=1"})

    assert wanted.headers["Location"] == "/login?next=%2Frecordings%3Fstate%3Dfailed"
    assert (entered.status_code, entered.headers["Location"]) == (302, "/recordings?x=1")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_login_never_leads_to_another_site(place: Any, target: str) -> None:
    from nephos.web import roles, services

    services.add_user(name="ana", role=roles.Role.VIEWER, password="correct horse battery")

    entered = Client().post("/login", {"name": "ana", "password": "correct horse battery", "next": target})

    assert entered.headers["Location"] == "/"


def test_wrong_passwords_are_refused_and_soon_throttled(place: Any) -> None:
    from nephos.web import roles, services

    services.add_user(name="bert", role=roles.Role.VIEWER, password="correct horse battery")
    browser = Client(REMOTE_ADDR="192.0.2.7")

    answers = [browser.post("/login", {"name": "bert", "password": "wrong"}) for _ in range(6)]

    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert "do not fit together" in answers[0].content.decode()
    assert "Try again in" in answers[-1].content.decode()


def test_an_account_without_password_cannot_use_an_empty_one(place: Any) -> None:
    from nephos.web import services

    services.ensure_owner()

    assert Client(REMOTE_ADDR="192.0.2.8").post("/login", {"name": "owner", "password": ""}).status_code == 401


def test_logout_ends_the_session(person: Callable[..., Client]) -> None:
    browser = person()

    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout").headers["Location"] == "/login"
    assert browser.get("/").status_code == 302


def test_a_new_password_ends_open_sessions(place: Any) -> None:
    from nephos.web import roles, services

    user = services.add_user(name="ana", role=roles.Role.VIEWER, password="correct horse battery")
    browser = Client()
    browser.force_login(user)

    services.set_password(user=user, password="another long password")

    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("name", ["", "a b", "../x", "<b>", "x" * 65, "a\nb", "-x"])
def test_names_that_cannot_be_accounts_are_refused(place: Any, name: str) -> None:
    from nephos.web import roles, services

    with pytest.raises(lib_errors.Invalid):
        services.add_user(name=name, role=roles.Role.VIEWER)


def test_accounts_are_unique_whatever_their_case_and_passwords_are_not_weak(place: Any) -> None:
    from nephos.web import errors, roles, services

    services.add_user(name="Ana", role=roles.Role.VIEWER)

    with pytest.raises(errors.UserTaken):
        services.add_user(name="ana", role=roles.Role.VIEWER)
    with pytest.raises(lib_errors.Invalid, match="short"):
        services.add_user(name="bert", role=roles.Role.VIEWER, password="short")


def test_the_last_admin_stays(place: Any) -> None:
    from nephos.web import errors, roles, services

    owner = services.ensure_owner()
    with pytest.raises(errors.LastAdmin):
        services.remove_user(user=owner)
    with pytest.raises(errors.LastAdmin):
        services.set_role(user=owner, role=roles.Role.VIEWER)
    services.add_user(name="second", role=roles.Role.ADMIN)

    services.remove_user(user=owner)

    assert services.ensure_owner().username == "owner"


def test_changes_of_accounts_and_keys_are_events_without_secrets(place: Any) -> None:
    from nephos.events import log
    from nephos.web import roles, services

    user = services.add_user(name="ana", role=roles.Role.VIEWER, actor="owner")
    made = services.make_token(name="tray", scopes=[roles.Scope.READ], user=user)
    link = services.make_login_link(user=user)
    services.use_login_link(link)
    services.revoke_token(token=made.token)

    entries = log.recent(limit=10)
    assert [entry.kind for entry in entries][::-1] == ["user.added", "token.made", "user.link_used", "token.revoked"]
    told = " ".join(f"{entry.text} {entry.data}" for entry in entries)
    assert made.secret not in told
    assert link not in told
