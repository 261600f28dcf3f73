"""Where there is no space for a second copy segments go as they are joined; killed anywhere, nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.core import bootstrap
from nephos.library.models import Asset, Channel
from nephos.recording import cuts, errors, evidence, finaliser, gaps, join, space, states, thrift
from nephos.recording.models import Booking
from tests.fakes import air
from tests.integration.recording import stage

RATE = 188 * 50


class Killed(BaseException):
    """kill -9."""


class Murderer:
    """Counts what is done to files, and kills before one of these acts, or in the middle of a write."""

    ACTS = (
        *((os, name) for name in ("fsync", "ftruncate", "write", "link", "open", "copy_file_range")),
        *((Path, name) for name in ("unlink", "replace")),
    )

    def __init__(self, patch: pytest.MonkeyPatch, within: Path, *, at: int | None) -> None:
        self.acts: list[str] = []
        self._at = at
        for module, name in self.ACTS:
            patch.setattr(module, name, self._wrapped(name, getattr(module, name)))
        self._within = within

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **values: Any) -> Any:
            self.acts.append(name)
            if len(self.acts) == self._at:
                if name == "write" and len(args[1]) > 1:
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                raise Killed
            return real(*args, **values)

        return act


def lay(folder: Path, count: int) -> tuple[list[cuts.Part], bytes]:
    """Some segments, and what joining them gives; the last ones are cut."""
    folder.mkdir(parents=True)
    parts, whole = [], b""
    for number in range(count):
        path = folder / f"20261122T1900{number}0Z.ts"
        content = bytes([number]) * (188 * (number + 3))
        path.write_bytes(content)
        path.with_suffix(".jsonl").write_text("{}\n")
        start = 188 if number == 0 else 0
        parts.append(cuts.Part(path, start, len(content) - start))
        whole += content[start:]
    return parts, whole


def finish(place: join.Place, parts: list[cuts.Part], may_go: Callable[[Path], bool]) -> bool:
    """What the finaliser does; True if there was nothing left to do."""
    ledger = thrift.read(place)
    if join.read_seal(place) is None:
        ledger = ledger or thrift.begin(place, {"bytes": sum(part.length for part in parts)}, parts)
        join.write_seal(place, thrift.document(ledger, thrift.assemble(place, ledger, may_go=may_go)))
    join.publish(place)
    return True


def run_killed_at(root: Path, at: int | None) -> tuple[list[str], bytes, join.Place]:
    folder = root / "one" / ".segments"
    parts, whole = lay(folder, 4)
    place = join.Place(root / "one", "show")
    kept = parts[2].path

    def may_go(path: Path) -> bool:
        return path != kept and path.exists()

    with pytest.MonkeyPatch.context() as patch:
        murderer = Murderer(patch, root, at=at)
        try:
            finish(place, parts, may_go)
        except Killed:
            assert_nothing_is_lost(place, parts)
    finish(place, parts, may_go)
    assert kept.exists()
    return murderer.acts, whole, place


def assert_nothing_is_lost(place: join.Place, parts: list[cuts.Part]) -> None:
    """Each part is in its segment, or noted and in the file."""
    ledger = thrift.read(place)
    offset = 0
    for number, part in enumerate(parts):
        if not part.path.exists():
            assert ledger is not None
            assert number < len(ledger.done)
            assert place.partial.read_bytes()[offset : offset + part.length] == bytes([number]) * part.length
        offset += part.length


def test_killed_at_any_act_it_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    acts, whole, place = run_killed_at(tmp_path / "clean", None)
    assert (place.folder / "show.ts").read_bytes() == whole
    assert acts.count("fsync") > 12
    assert acts.count("unlink") >= 6

    for number in range(1, len(acts) + 1):
        _, whole, place = run_killed_at(tmp_path / str(number), number)

        assert (place.folder / "show.ts").read_bytes() == whole, f"killed at {number}: {acts[number - 1]}"
        assert not (place.folder / "show-2.ts").exists()
        assert len(list((place.folder / ".segments").glob("*.ts"))) == 1


def test_a_segment_goes_only_when_its_bytes_are_durable_and_noted(tmp_path: Path) -> None:
    acts, _, _ = run_killed_at(tmp_path / "one", None)

    first = acts.index("unlink")
    # The file, its folder, the ledger; and before those the ledger's own beginning, with its folder.
    assert acts[:first].count("fsync") >= 5


def test_a_joined_file_that_was_cut_is_not_gone_on_with(tmp_path: Path) -> None:
    parts, _ = lay(tmp_path / "one" / ".segments", 3)
    place = join.Place(tmp_path / "one", "show")
    ledger = thrift.begin(place, {}, parts)
    thrift._note(place, thrift._taken(place, parts[0], 0))
    os.truncate(place.partial, 188)
    noted = thrift.read(place)
    assert noted is not None
    assert len(noted.done) == 1

    with pytest.raises(errors.SealBroken):
        thrift.assemble(place, noted, may_go=lambda _: True)

    assert all(part.path.exists() for part in ledger.parts[1:])


def test_a_bit_that_turned_is_noticed_at_the_end(tmp_path: Path) -> None:
    parts, _ = lay(tmp_path / "one" / ".segments", 2)
    place = join.Place(tmp_path / "one", "show")
    thrift.begin(place, {}, parts)
    thrift._note(place, thrift._taken(place, parts[0], 0))
    with place.partial.open("r+b") as stream:
        stream.write(b"\xff")
    noted = thrift.read(place)
    assert noted is not None

    with pytest.raises(errors.SealBroken):
        thrift.assemble(place, noted, may_go=lambda _: False)


def test_the_peak_is_one_segment_where_all_may_go_and_all_where_none_may(tmp_path: Path) -> None:
    parts, whole = lay(tmp_path / "one" / ".segments", 4)

    # The largest one, less the packet of the first one that nobody wanted.
    assert thrift.peak_bytes(parts, lambda _: True) == max(part.length for part in parts) - 188
    assert thrift.peak_bytes(parts, lambda _: False) == len(whole)


# --- with the finaliser ----------------------------------------------------------------------------------------------


class Disk:
    """A volume of a certain size, with what lies in the recordings' folder on it."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self.least = size

    def free(self, _folder: Path) -> int:
        seen = {one.stat().st_ino: one.stat().st_size for one in self.folder.rglob("*") if one.is_file()}
        left = self.size - sum(seen.values())
        self.least = min(self.least, left)
        return left


@pytest.fixture
def small(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Room for the segments of two minutes and not for a second copy of them."""
    home.home.config_file.write_text("[recording]\nsoft_floor_bytes = 0\nhard_floor_bytes = 1000\n")
    monkeypatch.setattr(bootstrap, "loaded", lambda: home)
    made = Disk(home.home.recordings, 150 * RATE)
    monkeypatch.setattr(space.files, "free_bytes", made.free)
    return made


@pytest.mark.django_db(transaction=True)
def test_a_recording_for_whose_copy_there_is_no_space_is_made_all_the_same(
    home: load.Loaded, channel: Channel, hands: air.Clock, tape: air.Air, small: Disk
) -> None:
    booking = stage.order(channel, seconds=115)
    tape.receive(stage.at(2), stage.at(122))
    hands.go_to(stage.at(122))
    finaliser.begin(home, booking)

    stage.run(home, hands, 200)

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDED
    assert booking.asset is not None
    assert stage.stream_of(home, booking.asset).read_bytes() == tape.content(stage.at(5), stage.at(120))
    manifest = stage.manifest_of(home, booking.asset)
    assert manifest["verdict"] == "complete"
    assert sum(one["bytes"] for one in manifest["segments"]) == manifest["bytes"]
    assert stage.hidden(home) == []
    assert len(list(tape.folder.glob("*.ts"))) == 1  # behind the window's end: it was never joined
    stage.tidy(home, hands)
    assert stage.left(tape) == []


@pytest.mark.django_db(transaction=True)
def test_what_another_recording_needs_stays_and_so_it_waits(
    home: load.Loaded, channel: Channel, hands: air.Clock, tape: air.Air, small: Disk
) -> None:
    booking = stage.order(channel, seconds=115)
    other = stage.order(channel, seconds=600)
    tape.receive(stage.at(2), stage.at(122))
    hands.go_to(stage.at(122))
    for one in (booking, other):
        finaliser.begin(home, one)

    stage.run(home, hands, 200)

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDING
    assert len(list(tape.folder.glob("*.ts"))) == 13
    assert not list((home.home.recordings / "la-uno").glob(".*.partial"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("extended", [False, True])
def test_killed_half_way_it_goes_on_even_if_the_booking_was_changed(
    home: load.Loaded,
    channel: Channel,
    hands: air.Clock,
    tape: air.Air,
    small: Disk,
    monkeypatch: pytest.MonkeyPatch,
    *,
    extended: bool,
) -> None:
    booking = stage.order(channel, seconds=115)
    tape.receive(stage.at(2), stage.at(122))
    hands.go_to(stage.at(122))
    finaliser.begin(home, booking)
    real, calls = thrift._note, []

    def dies(*args: Any) -> None:
        calls.append(1)
        real(*args)
        if len(calls) == 6:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(thrift, "_note", dies)
        with pytest.raises(Killed):
            stage.run(home, hands, 200)
    assert 5 <= len(list(tape.folder.glob("*.ts"))) < 13
    if extended:  # by a person whose clock was set back meanwhile
        Booking.objects.filter(pk=booking.pk).update(to_at=booking.to_at + timedelta(seconds=20))

    stage.run(home, hands, 300)

    asset = Asset.objects.get()
    assert asset.state == "arrived"
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(5), stage.at(120))
    assert len(list(tape.folder.glob("*.ts"))) == 1  # behind the window's end: it was never joined
    stage.tidy(home, hands)
    assert stage.left(tape) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_that_nobody_can_explain_goes(
    home: load.Loaded, channel: Channel, hands: air.Clock, tape: air.Air, small: Disk
) -> None:
    booking = stage.order(channel, start=25, seconds=60)
    tape.receive(stage.at(2), stage.at(87))  # of the first seconds nobody knows why
    hands.go_to(stage.at(87))
    finaliser.begin(home, booking)
    small.size = 120 * RATE

    stage.run(home, hands, 200)

    asset = Asset.objects.get()
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(25), stage.at(85))
    span = gaps.Span(stage.at(2), stage.at(20))
    assert cuts.cut(evidence.collect(tape.folder, span), span).bytes == 18 * RATE
