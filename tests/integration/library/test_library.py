"""Channels, shares, assets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nephos.config import load
from nephos.events import log
from nephos.lib import errors
from nephos.library import errors as library_errors
from nephos.library import queries, services, states
from nephos.library.models import Asset, Channel, MediaFile, Recording, Share

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def channel(name: str = "Demo TV", port: int = 5004) -> Channel:
    return services.add_channel(name=name, address=f"udp://239.1.1.1:{port}", country="es", zone="Europe/Madrid")


def recording(key: str = "booking:1") -> Asset:
    return services.begin_recording(
        key=key, title="News", channel=channel(), stem="news", starts_at=START, ends_at=START + timedelta(minutes=1)
    )


def test_a_channel_is_kept_with_clean_columns() -> None:
    row = channel(" La 1 — España ")

    view = queries.channels()[0]
    assert (view.name, view.slug, view.country, view.status) == ("La 1 — España", "la-1-espana", "ES", "unknown")
    assert queries.get_channel("la 1 — españa").pk == row.pk
    assert queries.get_channel("La").pk == row.pk
    assert queries.get_channel(str(row.pk)).pk == row.pk


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "Demo TV"},
        {"name": "demo tv"},
        {"address": "udp://239.1.1.1:5004"},
    ],
)
def test_names_and_addresses_are_unique(columns: dict[str, str]) -> None:
    channel()

    with pytest.raises(library_errors.Taken):
        services.add_channel(**{"name": "Other", "address": "udp://239.1.1.2:1", **columns})

    assert Channel.objects.count() == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "a\nb"},
        {"name": ""},
        {"name": "x" * 300},
        {"country": "Spain"},
        {"country": "'; DROP TABLE library_channel; --"},
        {"language": "español"},
        {"zone": "Europe/Atlantis"},
        {"zone": "../../../etc/passwd"},
        {"zone": "/etc/passwd"},
        {"zone": "a" * 300},
        {"zone": "Europe/Madrid\0"},
    ],
)
def test_bad_columns_change_nothing(columns: dict[str, str]) -> None:
    with pytest.raises(errors.Invalid):
        services.add_channel(**{"name": "Demo", "address": "udp://239.1.1.1:1", **columns})

    assert Channel.objects.count() == 0
    assert log.read() == []


def test_names_with_quotes_and_markup_are_kept_as_they_are() -> None:
    name = """O'Neil "TV"; <b>../..</b>"""

    row = channel(name)

    assert queries.get_channel(name).pk == row.pk
    assert "/" not in row.slug
    assert ".." not in row.slug


def test_equal_slugs_get_numbers() -> None:
    assert channel("A b", 1).slug == "a-b"
    assert channel("A-b", 2).slug == "a-b-2"


def test_an_unknown_channel_says_where_to_look() -> None:
    for ref in ("nope", "", "9" * 30, "²", "'"):
        with pytest.raises(library_errors.UnknownChannel) as caught:
            queries.get_channel(ref)
        assert caught.value.hint


def test_a_channel_changes_and_goes() -> None:
    row = channel()

    services.change_channel(channel=row, name="Other", zone="")
    assert queries.channels()[0].name == "Other"
    with pytest.raises(errors.Invalid):
        services.change_channel(channel=row, slug="x")
    services.remove_channel(channel=row)

    assert queries.channels() == []
    assert [entry.kind for entry in log.read()] == ["channel.added", "channel.changed", "channel.removed"]


def test_shares_have_unique_addresses_and_filters() -> None:
    row = services.add_share(
        email=" Ann@Example.org", channel=channel(), tags=["news"], country="es", zone="Europe/Oslo"
    )

    view = queries.shares()[0]
    assert (view.email, view.channel, view.country, view.tags) == ("ann@example.org", "Demo TV", "ES", ["news"])
    with pytest.raises(library_errors.Taken):
        services.add_share(email="ann@example.org")
    for bad in ("", "ann", "a@b", "a b@example.org", "a@example.org\nbcc: x@y.org"):
        with pytest.raises(errors.Invalid):
            services.add_share(email=bad)
    services.remove_share(share=queries.get_share("ANN@example.org"))
    assert Share.objects.filter(pk=row.pk).count() == 0


def test_a_recording_begins_once_and_arrives_with_its_verdict() -> None:
    row = recording()
    again = services.begin_recording(
        key="booking:1",
        title="x",
        channel=row.channel,
        stem="x",
        starts_at=START,
        ends_at=START,  # type: ignore[arg-type]
    )
    finding = services.Finding(
        verdict=states.Verdict.COMPLETE_WITH_GAPS, reason="One gap.", score=97, gaps=[{"seconds": 0.4}]
    )

    services.finish_recording(asset=row, finding=finding)
    services.finish_recording(asset=row, finding=finding)

    assert again.pk == row.pk
    assert Recording.objects.count() == 1
    view = queries.asset(row.pk)
    assert view.state == "arrived"
    assert view.recording is not None
    assert (view.recording.verdict, view.recording.score) == ("complete_with_gaps", 97)
    assert log.read()[-1].text == "News has arrived: complete with gaps."


def test_an_empty_recording_ends_there() -> None:
    row = recording()

    services.finish_recording(
        asset=row, finding=services.Finding(verdict=states.Verdict.EMPTY, reason="Nothing came.", score=0)
    )

    assert queries.asset(row.pk).state == "empty"
    assert log.read()[-1].level == "error"


def test_a_file_is_registered_once_and_found_where_it_lies(home: load.Loaded) -> None:
    row = recording()
    columns = {"asset": row, "kind": "video", "place": states.Place.PROCESSED, "path": "demo-tv/news/news.mp4"}

    services.add_file(**columns, size_bytes=1, sha256="a")  # type: ignore[arg-type]
    services.add_file(**columns, size_bytes=2, sha256="b")  # type: ignore[arg-type]

    file = MediaFile.objects.get()
    assert file.size_bytes == 2
    assert queries.locate(file, home.home) == home.home.processed / "demo-tv/news/news.mp4"
    assert queries.asset("news").files[0].name == "news.mp4"
    file.place = states.Place.ELSEWHERE
    file.path = "/srv/film.mp4"
    assert queries.locate(file, home.home) == Path("/srv/film.mp4")


def test_assets_are_searched_and_filtered() -> None:
    recording("booking:1")
    services.begin_fileset(key="f", title="Film", watch="inbox", stem="film", pipeline="")

    assert [view.title for view in queries.assets(search="fil")] == ["Film"]
    assert [view.title for view in queries.assets(door="recording")] == ["News"]
    assert queries.assets(state="delivered") == []
    assert len(queries.assets(limit=1)) == 1
