"""Every page, empty and full, with names that try to break it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from nephos.lib import clock
from nephos.library.models import Channel
from tests.integration.web.conftest import HOSTILE

pytestmark = pytest.mark.django_db

PAGES = ["/", "/channels", "/schedules", "/recordings", "/delivery", "/problems", "/system"]


def parts_of(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'data-part="([^"]+)"', text)]


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_station_has_every_page_and_says_what_to_do(person: Callable[..., Client], path: str) -> None:
    answer = person().get(path)

    assert answer.status_code == 200
    assert 'class="empty"' in answer.content.decode() or path == "/system"


@pytest.mark.parametrize("path", PAGES)
def test_a_full_station_shows_hostile_names_as_text(person: Callable[..., Client], filled: Any, path: str) -> None:
    answer = person().get(path)
    text = answer.content.decode()

    assert answer.status_code == 200
    assert "<script>alert" not in text
    assert "<b>" not in text
    assert html.escape(HOSTILE) in text.replace("&#x27;", "&#x27;") or path in {"/system", "/delivery"}


def test_every_asset_has_a_page_in_every_state(person: Callable[..., Client], filled: Any) -> None:
    from nephos.library import queries
    from nephos.library.states import AssetState

    browser = person()
    assets = queries.assets()
    assert len(assets) == len(AssetState)

    for asset in assets:
        answer = browser.get(f"/recordings/{asset.id}")
        text = answer.content.decode()
        assert answer.status_code == 200
        assert "<script>alert" not in text
        assert 'class="stepper"' in text


@pytest.mark.parametrize("path", [*PAGES, "recording"])
def test_every_part_has_an_address_that_reads_alone_and_for_scripts(
    person: Callable[..., Client], filled: Any, path: str
) -> None:
    from nephos.library import queries

    browser = person()
    path = f"/recordings/{queries.assets()[0].id}" if path == "recording" else path
    parts = parts_of(browser.get(path).content.decode())
    assert parts

    for address in parts:
        alone = browser.get(address)
        for_scripts = browser.get(address, headers={"X-Part": "1"})
        assert (alone.status_code, for_scripts.status_code) == (200, 200), address
        assert alone.content.startswith(b"<!doctype html>")
        assert b"<html" not in for_scripts.content
        assert for_scripts.headers["X-Mark"]


def test_the_mark_of_a_player_stays_while_it_shows_the_same(person: Callable[..., Client], filled: Any) -> None:
    from nephos.library import queries

    browser = person()
    address = f"/recordings/{queries.assets(state='processed')[0].id}/parts/player"

    marks = {browser.get(address, headers={"X-Part": "1"}).headers["X-Mark"] for _ in range(3)}

    assert len(marks) == 1


def test_the_player_has_the_video_its_poster_and_its_captions(person: Callable[..., Client], filled: Any) -> None:
    from nephos.library import queries

    asset = queries.asset(queries.assets(state="processed")[0].id)
    files = {file.kind: file for file in asset.files}

    text = person().get(f"/recordings/{asset.id}").content.decode()

    assert f'src="/media/{files["video"].id}/a.mp4"' in text
    assert f'poster="/media/{files["thumbnail"].id}/a%20b.jpg"' in text
    assert f'<track kind="captions" src="/media/{files["captions-vtt"].id}/a.vtt"' in text


def test_unknown_things_are_not_found_in_words(person: Callable[..., Client]) -> None:
    browser = person()

    missing = browser.get("/recordings/4711")

    assert missing.status_code == 404
    assert "There is no asset" in missing.content.decode()
    for path in ("/nowhere", "/now/parts/nothing", "/media/4711/a.mp4"):
        assert browser.get(path).status_code == 404
    assert browser.post("/bookings/4711/stop").status_code == 302
    assert "There is no booking" in browser.get("/").content.decode()


def test_recordings_are_filtered_searched_and_paged_by_the_address(person: Callable[..., Client], place: Any) -> None:
    from nephos.library import services

    now = clock.now()
    channel = services.add_channel(name="La 1", address="udp://239.1.2.3:5004")
    for number in range(55):
        services.begin_recording(
            key=str(number), title=f"News {number}", channel=channel, stem=f"s{number}", starts_at=now, ends_at=now
        )
    browser = person()

    first = browser.get("/recordings").content.decode()
    second = browser.get("/recordings?page=2").content.decode()
    found = browser.get("/recordings?search=News+54").content.decode()

    assert first.count('data-label="State"') == 50
    assert "Older" in first
    assert second.count('data-label="State"') == 5
    assert found.count('data-label="State"') == 1
    assert "Nothing fits these filters" in browser.get("/recordings?state=failed").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=abc",
        "page=99999999999999999999",
        "state=nonsense",
        "door='",
        "channel=x",
        "search=%00",
        "page=٣",
    ],
)
def test_nonsense_in_the_address_of_the_list_is_harmless(person: Callable[..., Client], query: str) -> None:
    assert person().get(f"/recordings?{query}").status_code == 200


def test_a_channel_is_added_by_the_form_and_a_bad_one_is_explained(person: Callable[..., Client]) -> None:
    browser = person()

    bad = browser.post("/channels", {"name": "La 1", "address": "gopher://x"})
    added = browser.post("/channels", {"name": "La 1", "address": "udp://239.1.2.3:5004", "country": "es"}, follow=True)
    twice = browser.post("/channels", {"name": "la 1", "address": "udp://239.1.2.4:5004"})

    assert bad.status_code == 422
    assert 'aria-invalid="true"' in bad.content.decode()
    assert "does not start with" in html.unescape(bad.content.decode())
    assert "Channel La 1 was added." in added.content.decode()
    assert twice.status_code == 422
    assert "There is a channel called la 1 already" in twice.content.decode()
    assert "was added" not in browser.get("/channels").content.decode()


def test_a_channel_is_recorded_at_once(person: Callable[..., Client], filled: Any) -> None:
    from nephos.library import queries
    from nephos.recording import queries as recording

    browser = person()
    channel = queries.channels()[0].id
    before = len(recording.bookings(upcoming=True))

    done = browser.post(f"/channels/{channel}/record", {"duration": "20s"}, follow=True)
    bad = browser.post(f"/channels/{channel}/record", {"duration": "soon"}, follow=True)

    assert "is being recorded" in done.content.decode()
    assert len(recording.bookings(upcoming=True)) == before + 1
    assert "not a length of time" in bad.content.decode()


def test_a_rule_is_previewed_in_words_local_time_and_utc_before_it_is_kept(
    person: Callable[..., Client], filled: Any
) -> None:
    from nephos.recording import queries

    before = len(queries.schedules())

    shown = person().get(
        "/schedules/preview?start=20:30&weekdays=mon&weekdays=fri&duration=45m&zone=America/New_York",
        headers={"HX-Request": "true"},
    )
    text = shown.content.decode()

    assert "Monday and Friday at 20:30 America/New_York, for 45m" in text
    assert text.count("<tr>") == 13
    assert "The next 12 airings" in text
    assert len(queries.schedules()) == before


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Give a start time"),
        ("start=25:99", "no time of day"),
        ("start=20:30", "needs weekdays or a date"),
        ("start=20:30&weekdays=mon&zone=Mars/Base", "no IANA time zone"),
        ("start=20:30&date=2026-02-30", "no date"),
        ("start=20:30&weekdays=mon&channel=4711", "valid choice"),
    ],
)
def test_a_preview_of_nonsense_explains_itself(person: Callable[..., Client], query: str, sentence: str) -> None:
    answer = person().get(f"/schedules/preview?{query}", headers={"X-Part": "1"})

    assert answer.status_code == 200
    assert sentence in html.unescape(answer.content.decode())


def test_a_schedule_is_added_switched_off_and_removed(person: Callable[..., Client], filled: Any) -> None:
    from nephos.library import queries as library
    from nephos.recording import queries

    browser = person()
    form = {
        "name": "Late",
        "channel": library.channels()[0].id,
        "start": "23:00",
        "duration": "1h",
        "weekdays": ["sat", "sun"],
    }

    assert "Schedule Late was added." in browser.post("/schedules", form, follow=True).content.decode()
    schedule = queries.schedule("Late")
    assert schedule.words.startswith("Saturday and Sunday at 23:00")
    browser.post(f"/schedules/{schedule.id}/disable")
    assert not queries.schedule("Late").enabled
    browser.post(f"/schedules/{schedule.id}/remove")
    assert [one.name for one in queries.schedules()] == [HOSTILE]
    assert browser.post("/schedules/1/explode").status_code == 404


def test_a_booking_is_extended_and_stopped_from_the_first_page(person: Callable[..., Client], filled: Any) -> None:
    from nephos.recording import queries

    browser = person()
    booking = next(one for one in queries.bookings(upcoming=True) if not one.schedule)

    browser.post(f"/bookings/{booking.id}/extend", {"back": "/"})
    longer = queries.booking(booking.id)
    stopped = browser.post(f"/bookings/{booking.id}/stop", {"back": "/"}, follow=True)

    assert longer.to_at - booking.to_at == timedelta(minutes=10)
    assert "what was recorded is kept" in stopped.content.decode()
    assert queries.booking(booking.id).state == "cancelled"


def test_the_way_back_is_never_another_site(person: Callable[..., Client], filled: Any) -> None:
    from nephos.recording import queries

    booking = next(one for one in queries.bookings(upcoming=True) if not one.schedule)

    answer = person().post(f"/bookings/{booking.id}/extend", {"back": "//evil.example/"})

    assert answer.headers["Location"] == "/"


def test_times_are_in_the_viewers_zone_and_nonsense_means_utc(person: Callable[..., Client], filled: Any) -> None:
    browser = person()

    assert (
        " UTC</time>" in browser.get("/schedules").content.decode()
        or " UTC " in browser.get("/schedules").content.decode()
    )
    browser.cookies["nephos_zone"] = "Asia/Tokyo"
    assert " UTC " not in browser.get("/schedules").content.decode()
    for nonsense in ("../../etc/passwd", "x" * 500, "Mars/Base"):
        browser.cookies["nephos_zone"] = nonsense
        assert browser.get("/").status_code == 200


def test_the_first_page_tells_what_the_recorder_hears(person: Callable[..., Client], filled: Any) -> None:
    from nephos.lib import locks
    from nephos.lib.heartbeats import Heartbeat
    from nephos.recording import queries

    booking = next(one for one in queries.bookings(upcoming=True) if not one.schedule)
    receiver = {"slug": "x", "state": "receiving", "bytes_per_second": 512000.0, "cc": 3, "bookings": [booking.id]}
    browser = person()

    with locks.FileLock(filled.run / "recorder.lock"):
        # Last of all: on a busy machine a sign of life is old before a person is made.
        Heartbeat(filled.run, "recorder").beat(details={"receivers": [receiver]}, now=True)
        text = browser.get("/").content.decode()

    if booking.from_at <= clock.now():
        assert "4.1 Mb/s" in text
        assert "receiving" in text


def test_process_again_starts_the_pipeline_only_when_there_is_something(
    person: Callable[..., Client], filled: Any
) -> None:
    from nephos.library import queries, services
    from nephos.library.states import Place

    asset = queries.assets(state="failed")[0]
    browser = person()
    without = browser.post(f"/recordings/{asset.id}/process", follow=True).content.decode()
    services.add_file(
        asset=queries.get_asset(asset.id),
        kind="recording",
        place=Place.RECORDINGS,
        path="x/a.ts",
        size_bytes=1,
        sha256="0" * 64,
    )

    done = browser.post(f"/recordings/{asset.id}/process", follow=True).content.decode()
    twice = browser.post(f"/recordings/{asset.id}/process", follow=True).content.decode()

    assert "has no file that could be processed" in html.unescape(without)
    assert "is processed again" in html.unescape(done)
    assert queries.asset(asset.id).state == "processing"
    assert "cannot be processed now" in html.unescape(twice)


def test_a_channel_is_checked_from_the_page_and_the_answer_stays(person: Callable[..., Client]) -> None:
    browser = person()
    browser.post("/channels", {"name": "Silent", "address": "udp://239.255.77.8:40405?interface=127.0.0.1"})
    channel = Channel.objects.get(name="Silent").pk

    done = browser.post(f"/channels/{channel}/check", follow=True)

    assert "Nothing comes." in done.content.decode()
    assert "Nothing comes." in browser.get("/channels").content.decode()


def test_a_channel_with_a_buffer_offers_its_past_and_the_calendar_can_be_fetched(person: Callable[..., Client]) -> None:
    from nephos.library import services as library
    from nephos.recording import services as recording

    browser = person()
    channel = library.add_channel(name="Kept", address="udp://239.7.7.7:5004")
    library.change_channel(channel=channel, buffer_seconds=3600)
    recording.record_now(channel=channel, duration="1h", title="Storm")

    page = browser.get("/channels").content.decode()
    past = browser.post(f"/channels/{channel.pk}/record", {"duration": "5m", "starts_at": "-30m"}, follow=True)
    calendar = browser.get("/api/v1/bookings.ics")

    assert 'name="starts_at"' in page
    assert "nothing is kept of it" in past.content.decode()
    assert calendar.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:Storm" in calendar.content.decode()
