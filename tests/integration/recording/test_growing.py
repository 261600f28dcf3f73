"""Recordings that are put together while they are on the air."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from nephos.config import schema
from nephos.config.load import Loaded
from nephos.events import log
from nephos.library.models import Asset, Channel
from nephos.recording import bookings, finaliser, growing, join
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def wanted(home: Loaded) -> Loaded:
    """The station has a watch that wants recordings early."""
    with home.home.config_file.open("a") as stream:
        stream.write(
            '\n[connection.shelf]\nkind = "file"\n[destination.shelf]\nconnection = "shelf"\nbase = "/nowhere"\n'
            '[watch.shows]\nsets = true\ngrow = true\ndestinations = ["shelf"]\n'
        )
    return home


def partial(home: Loaded) -> Path:
    (found,) = (home.home.recordings / "la-uno").glob(".*.ts.partial")
    return found


def on_air(home: Loaded, hands: air.Clock, tape: air.Air, loop: growing.Growing, *, start: float, end: float) -> None:
    """So much more is received, and the keeper's loops see it."""
    tape.receive(stage.at(start), stage.at(end))
    hands.go_to(stage.at(end))
    air.beat(home.home.run, hands.wall, bookings=[1])
    bookings.Arrivals(home).step()
    loop.step()


def end(home: Loaded, hands: air.Clock, loop: growing.Growing, until: float = 28) -> bytes:
    hands.go_to(stage.at(until))
    air.beat(home.home.run, hands.wall)
    finaliser.Finaliser(home, loop).step()
    return stage.stream_of(home, Asset.objects.get()).read_bytes()


def test_the_file_grows_by_whole_seconds_and_becomes_the_recording(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    loop = growing.Growing(home)
    sizes = []
    for second in range(2, 26):
        on_air(home, hands, tape, loop, start=second, end=second + 1)
        sizes += [partial(home).stat().st_size] if second > 6 else []
    inode = partial(home).stat().st_ino
    grown = partial(home).read_bytes()

    content = end(home, hands, loop)

    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 10
    assert grown == content == tape.content(stage.at(5), stage.at(25))
    assert stage.stream_of(home, Asset.objects.get()).stat().st_ino == inode
    manifest = stage.manifest_of(home, Asset.objects.get())
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    for piece in manifest["segments"]:
        part = content[piece["offset"] : piece["offset"] + piece["bytes"]]
        assert hashlib.sha256(part).hexdigest() == piece["sha256"]
    assert stage.hidden(home) == []


def test_it_is_told_once_with_its_place_and_what_is_expected(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    loop = growing.Growing(home)

    for second in range(2, 12):
        on_air(home, hands, tape, loop, start=second, end=second + 1)
    growing.Growing(home).step()

    (told,) = [entry for entry in log.read(0, limit=1000) if entry.kind == "asset.growing"]
    assert told.data["path"] == str(partial(home))
    assert told.data["expected_bytes"] > 0


def test_a_restart_of_the_keeper_goes_on_with_the_same_bytes(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    loop = growing.Growing(home)
    for second in range(2, 14):
        on_air(home, hands, tape, loop, start=second, end=second + 1)
    inode, before = partial(home).stat().st_ino, partial(home).read_bytes()

    loop = growing.Growing(home)
    for second in range(14, 26):
        on_air(home, hands, tape, loop, start=second, end=second + 1)

    assert partial(home).stat().st_ino == inode
    assert partial(home).read_bytes().startswith(before)
    assert end(home, hands, loop) == tape.content(stage.at(5), stage.at(25))


def test_what_does_not_agree_with_the_cut_is_joined_anew(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order(channel)
    loop = growing.Growing(home)
    real = growing.cuts.cut

    def too_early(*args: object) -> object:
        found = real(*args)  # type: ignore[arg-type]
        first = found.parts[0]
        return replace(found, parts=(replace(first, start=0, length=first.start + first.length), *found.parts[1:]))

    with monkeypatch.context() as patch:
        patch.setattr(growing.cuts, "cut", too_early)
        for second in range(2, 26):
            on_air(home, hands, tape, loop, start=second, end=second + 1)
    assert partial(home).read_bytes() != tape.content(stage.at(5), stage.at(25))

    assert end(home, hands, loop) == tape.content(stage.at(5), stage.at(25))


def test_a_keeper_that_was_away_at_the_end_joins_as_ever(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    loop = growing.Growing(home)
    for second in range(2, 12):
        on_air(home, hands, tape, loop, start=second, end=second + 1)
    tape.receive(stage.at(12), stage.at(26))

    assert end(home, hands, growing.Growing(home)) == tape.content(stage.at(5), stage.at(25))


def test_a_half_that_is_there_is_completed_by_the_rest(home: Loaded, tmp_path: Path) -> None:
    place = join.Place(tmp_path, "show")
    segment = tmp_path / "segment.ts"
    segment.write_bytes(bytes(range(250)))
    parts = [growing.cuts.Part(segment, 10, 90), growing.cuts.Part(segment, 150, 50)]
    whole = segment.read_bytes()[10:100] + segment.read_bytes()[150:200]
    for already in (0, 1, 89, 90, 91, 140):
        place.partial.write_bytes(whole[:already] + b"too much")
        sums = join.Sums()
        for length in (min(already, 90), already - 90):
            if length > 0:
                sums.begin_part()
                sums.add(place.partial, length)

        joined = join.assemble(place, parts, already=sums)

        assert place.partial.read_bytes() == whole
        assert (joined.bytes, joined.sha256) == (140, hashlib.sha256(whole).hexdigest())
        assert [piece.sha256 for piece in joined.pieces] == [
            hashlib.sha256(whole[:90]).hexdigest(),
            hashlib.sha256(whole[90:]).hexdigest(),
        ]


def test_below_the_soft_floor_the_copy_gives_its_space_back(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order(channel)
    loop = growing.Growing(home)
    for second in range(2, 12):
        on_air(home, hands, tape, loop, start=second, end=second + 1)
    partial(home)
    monkeypatch.setattr(growing.space, "free_bytes", lambda _: 0)

    loop.step()

    assert stage.hidden(home) == []


def test_without_a_watch_that_wants_it_nothing_is_written_twice(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    home.home.config_file.write_text(home.home.config_file.read_text().replace("grow = true", "grow = false"))
    stage.order(channel)
    loop = growing.Growing(home)

    for second in range(2, 12):
        on_air(home, hands, tape, loop, start=second, end=second + 1)

    assert stage.hidden(home) == []
    assert not growing.is_wanted(schema.Settings())
