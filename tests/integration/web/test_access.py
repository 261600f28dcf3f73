"""Who is asking: tokens, sessions and the owner's socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory

from nephos.lib import clock
from nephos.lib import errors as lib_errors
from nephos.web.roles import Role, Scope

pytestmark = pytest.mark.django_db


def request(secret: str = "", **headers: str) -> Any:
    given = {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if secret else {}
    return RequestFactory().get("/", **given, **headers)


def test_a_token_may_do_what_its_scopes_say_and_nothing_else(place: Any) -> None:
    from nephos.web import access, services

    made = services.make_token(name="tray", scopes=[Scope.OPERATE])

    caller = access.get_caller(request(made.secret))

    assert caller.scopes == {Scope.OPERATE, Scope.READ}
    access.require(caller, Scope.READ)
    with pytest.raises(lib_errors.NotAllowed, match="token tray may not do that"):
        access.require(caller, Scope.ADMIN)


def test_a_persons_token_can_never_do_more_than_the_person(place: Any) -> None:
    from nephos.web import access, services

    viewer = services.add_user(name="ana", role=Role.VIEWER)
    made = services.make_token(name="all", scopes=[Scope.ADMIN], user=viewer)

    assert access.get_caller(request(made.secret)).scopes == {Scope.READ}


def test_expired_revoked_and_guessed_tokens_open_nothing(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nephos.web import access, errors, services

    brief = services.make_token(name="brief", scopes=[Scope.READ], expires_at=clock.now() + timedelta(hours=1))
    revoked = services.make_token(name="revoked", scopes=[Scope.READ])
    services.revoke_token(token=revoked.token)
    assert access.find_caller(request(brief.secret)) is not None
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)

    for secret in (brief.secret, revoked.secret, "nph_guess", " "):
        with pytest.raises(errors.NotSignedIn):
            access.get_caller(request(secret))


def test_only_the_hash_of_a_token_is_kept(place: Any) -> None:
    from nephos.web import models, services

    made = services.make_token(name="tray", scopes=[Scope.READ])

    kept = models.ApiToken.objects.values().get()
    assert made.secret not in str(kept)
    assert services.use_token(made.secret) is not None
    assert models.ApiToken.objects.get().last_used_at is not None


def test_a_token_needs_known_scopes_and_a_name(place: Any) -> None:
    from nephos.web import roles, services

    for wrong in ([], ["root"]):
        with pytest.raises(lib_errors.Invalid):
            roles.read_scopes(wrong)
    with pytest.raises(lib_errors.Invalid):
        services.make_token(name="a\nb", scopes=[Scope.READ])
    with pytest.raises(lib_errors.Invalid):
        services.make_token(name="old", scopes=[Scope.READ], expires_at=clock.now() - timedelta(days=1))


def test_a_wrong_token_is_nobody_even_beside_a_good_session(person: Callable[..., Client]) -> None:
    browser = person("admin")

    assert browser.get("/", headers={"Authorization": "Bearer nph_wrong"}).status_code == 302


def test_no_header_makes_a_caller_local(place: Any) -> None:
    from nephos.web import access

    forged = request(HTTP_NEPHOS_LOCAL="true", HTTP_X_FORWARDED_FOR="127.0.0.1", REMOTE_ADDR="127.0.0.1")

    assert access.find_caller(forged) is None


def test_a_viewer_sees_and_cannot_act(person: Callable[..., Client], filled: Any) -> None:
    viewer = person("viewer")

    assert "Record now" not in viewer.get("/channels").content.decode()
    assert viewer.post("/channels", {"name": "x", "address": "udp://239.0.0.1:1234"}).status_code == 403
    assert viewer.post("/bookings/1/stop").status_code == 403
    assert viewer.post("/schedules/1/remove").status_code == 403


def test_forms_need_the_pages_own_token(person: Callable[..., Client]) -> None:
    browser = person(checks_csrf=True)

    refused = browser.post("/channels", {"name": "x", "address": "udp://239.0.0.1:1234"})

    assert refused.status_code == 403
    assert "reload the page" in refused.content.decode()
