"""People at the page, and a station with something in it. Imports wait: Django is configured after this is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

HOSTILE = "<script>alert(1)</script> '; DROP TABLE x -- \" & <b>"


@pytest.fixture
def place(db: None) -> Iterator[Any]:
    """The home that Django runs on, with default settings."""
    from nephos.core import bootstrap
    from nephos.web import current

    home = bootstrap.loaded().home
    home.config_file.unlink(missing_ok=True)
    current._live.cache_clear()
    yield home
    for beat in home.run.glob("*.json"):
        beat.unlink()
    home.config_file.unlink(missing_ok=True)
    current._live.cache_clear()


@pytest.fixture
def person(place: Any) -> Callable[..., Any]:
    """Makes a browser in which somebody of a role is signed in."""
    from django.test import Client

    from nephos.web import roles, services

    def make(role: str = "operator", *, checks_csrf: bool = False) -> Client:
        name = f"{role}-{services.ids.new()[-6:]}"
        client = Client(enforce_csrf_checks=checks_csrf)
        client.force_login(services.add_user(name=name, role=roles.Role(role)))
        return client

    return make


@pytest.fixture
def filled(place: Any) -> Any:
    """A channel, a schedule, bookings and assets in every state, all with hostile names."""
    from nephos.lib import clock
    from nephos.library import services as library
    from nephos.library import states
    from nephos.monitoring import services as problems
    from nephos.recording import services as recording

    now = clock.now()
    channel = library.add_channel(name=HOSTILE, address="udp://239.1.2.3:5004", country="ES", zone="Europe/Madrid")
    recording.add_schedule(name=HOSTILE, channel=channel, start="20:30", duration="30m", weekdays="daily")
    recording.record_now(channel=channel, duration="30m", title=HOSTILE)
    for number, upto in enumerate(states.AssetState):
        asset = library.begin_recording(
            key=f"test:{number}",
            title=HOSTILE,
            channel=channel,
            stem=f"stem-{number}",
            starts_at=now - timedelta(hours=1),
            ends_at=now,
            pipeline="archive",
        )
        _bring(asset, upto, place)
    for key in ("open", "over"):
        finding = problems.Finding(
            key=key, kind=key, subject="channel:1", sentence=HOSTILE, reason=HOSTILE, retry=HOSTILE, hint=HOSTILE
        )
        problems.report(finding)
    problems.clear("over")
    return place


def _bring(asset: Any, state: str, place: Any) -> None:
    """Put an asset into a state with what usually comes with it."""
    from nephos.lib import clock
    from nephos.library import services as library
    from nephos.library import states
    from nephos.library.models import Asset, Recording

    stamp = clock.stamp(clock.now())
    if state != states.AssetState.ARRIVING:
        gap = {"start": stamp, "end": stamp, "seconds": 1.5, "cause": "no_signal"}
        Recording.objects.filter(asset=asset).update(verdict="damaged", reason=HOSTILE, score=50, gaps=[gap])
    Asset.objects.filter(pk=asset.pk).update(state=state, reason=HOSTILE)
    for kind, name in (("video", "a.mp4"), ("captions-vtt", "a.vtt"), ("thumbnail", "a b.jpg"), ("log", HOSTILE)):
        library.add_file(
            asset=asset,
            kind=kind,
            place=states.Place.PROCESSED,
            path=f"{asset.folder}/{name.replace('/', '_')}",
            size_bytes=1,
            sha256="0" * 64,
            label=HOSTILE[:64],
        )


@pytest.fixture(scope="session")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real web role on a fresh home and a free port."""
    from tests.support import web_role

    running = web_role.WebRole(tmp_path_factory.mktemp("page"))
    running.start()
    yield running
    running.stop()
