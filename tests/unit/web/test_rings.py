"""What rings the doorbell, and for whom."""

from __future__ import annotations

from nephos.lib import clock


def test_an_event_rings_for_its_subject() -> None:
    from nephos.events import log
    from nephos.web import rings

    entry = log.Entry(7, clock.now(), "asset.arrived", "info", "asset:12", "News has arrived.", {"title": "News"}, "")

    assert rings.of_event(entry) == rings.Ring("asset", "12")


def test_a_role_that_starts_again_rings_as_role() -> None:
    from nephos.web import rings

    assert rings.of_beat("farm", {"pid": 1, "details": {}}, {"pid": 2, "details": {}}) == [rings.Ring("role", "farm")]


def test_a_quiet_beat_rings_nobody_and_the_page_never_rings_itself() -> None:
    from nephos.web import rings

    beat = {"pid": 1, "details": {"receivers": [], "n": 1}}

    assert rings.of_beat("recorder", beat, dict(beat)) == []
    assert rings.of_beat("web", beat, {"pid": 1, "details": {"n": 2}}) == []


def test_each_beat_rings_while_something_is_received() -> None:
    from nephos.web import rings

    beat = {"pid": 1, "details": {"receivers": [{"slug": "la-1"}]}}

    assert rings.of_beat("recorder", beat, dict(beat)) == [rings.Ring("recorder")]


def test_too_many_rings_become_one_that_means_everything() -> None:
    import asyncio

    from nephos.web import live, rings

    loop = asyncio.new_event_loop()
    listener = live.Listener(loop)
    listener.ring([rings.Ring("asset", str(number)) for number in range(500)])

    assert listener.take() == [rings.EVERYTHING]
    assert listener.take() == []
    loop.close()
