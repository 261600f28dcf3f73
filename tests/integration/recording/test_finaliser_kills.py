"""One recording under its own name, whatever dies in between and whatever lies there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nephos.config.load import Loaded
from nephos.events import log
from nephos.library import services as library
from nephos.library.models import Asset, Channel, MediaFile
from nephos.recording import bookings, finaliser, join
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process dies here: nothing may catch it."""


def test_an_existing_file_is_never_overwritten(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    folder = home.home.recordings / "la-uno"
    folder.mkdir(parents=True)
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    hands.go_to(stage.at(10))
    bookings.Arrivals(home).step()
    (folder / "adhoc_2026-11-22_190005Z.ts").write_text("mine")
    (folder / "adhoc_2026-11-22_190005Z-2.manifest.json").write_text("mine too")

    stage.run(home, hands, 28)

    assert (folder / "adhoc_2026-11-22_190005Z.ts").read_text() == "mine"
    assert (folder / "adhoc_2026-11-22_190005Z-2.manifest.json").read_text() == "mine too"
    assert not (folder / "adhoc_2026-11-22_190005Z-2.ts").exists()
    assert (folder / "adhoc_2026-11-22_190005Z-3.ts").read_bytes() == tape.content(stage.at(5), stage.at(25))
    assert [row.path for row in MediaFile.objects.all()] == [
        "la-uno/adhoc_2026-11-22_190005Z-3.ts",
        "la-uno/adhoc_2026-11-22_190005Z-3.manifest.json",
    ]


def test_two_orders_of_one_second_get_two_names(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    stage.order(channel, seconds=10)
    tape.receive(stage.at(2), stage.at(26))

    stage.run(home, hands, 28)

    assert sorted(Asset.objects.values_list("stem", flat=True)) == [
        "adhoc_2026-11-22_190005Z",
        "adhoc_2026-11-22_190005Z-2",
    ]
    assert Asset.objects.values("folder").distinct().count() == 2


POINTS: list[tuple[Any, str, bool]] = [
    (join, "assemble", True),
    (join, "assemble", False),
    (join, "write_seal", False),
    (join, "publish", True),
    (join, "publish", False),
    (library, "finish_recording", True),
    (library, "finish_recording", False),
    (join, "forget", True),
]


@pytest.mark.parametrize(("module", "step", "before"), POINTS)
def test_a_kill_at_any_step_is_made_good_by_the_next_run(  # noqa: PLR0917 - fixtures
    home: Loaded,
    channel: Channel,
    hands: air.Clock,
    tape: air.Air,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    step: str,
    before: bool,
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(12))
    tape.killed(stage.at(12.5), back_at=stage.at(13.3), until=stage.at(26))
    real: Callable[..., Any] = getattr(module, step)
    calls: list[int] = []

    def dies(*args: Any, **values: Any) -> Any:
        calls.append(1)
        if step == "forget" and len(calls) == 1:  # the first call clears the table before joining
            return real(*args, **values)
        if not before:
            real(*args, **values)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, step, dies)
        with pytest.raises(Killed):
            stage.run(home, hands, 28)
    stage.run(home, hands, 40)
    stage.tidy(home, hands)

    asset = Asset.objects.get()
    assert asset.state == "arrived"
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(5), stage.at(25))
    assert stage.manifest_of(home, asset)["verdict"] == "complete_with_gaps"
    assert MediaFile.objects.count() == 2
    assert [entry.kind for entry in log.read(limit=50)].count("asset.arrived") == 1
    assert sorted(path.name for path in stage.stream_of(home, asset).parent.iterdir()) == [
        ".segments",
        f"{asset.stem}.manifest.json",
        f"{asset.stem}.ts",
    ]
    assert stage.left(tape) == []


def test_a_half_joined_file_is_joined_anew(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    stage.run(home, hands, 20)
    place = join.Place(home.home.recordings / "la-uno", Asset.objects.get().stem)
    place.partial.write_bytes(b"half")
    place.seal.write_text('{"bytes": 5, "booking": 1}')

    stage.run(home, hands, 28)

    assert stage.stream_of(home, Asset.objects.get()).read_bytes() == tape.content(stage.at(5), stage.at(25))


def test_a_file_system_without_links_works_too(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: Any, **values: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    real = library.finish_recording

    def dies(**values: Any) -> None:
        raise Killed

    monkeypatch.setattr(library, "finish_recording", dies)
    with pytest.raises(Killed):
        stage.run(home, hands, 28)
    monkeypatch.setattr(library, "finish_recording", real)
    stage.run(home, hands, 40)

    asset = Asset.objects.get()
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(5), stage.at(25))
    assert MediaFile.objects.count() == 2
    assert stage.hidden(home) == []


def test_a_recording_that_cannot_be_ended_does_not_hold_others_up(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stage.order(channel, 5, 10), stage.order(channel, 6, 10)
    tape.receive(stage.at(2), stage.at(26))
    real = join.assemble

    def full(place: join.Place, parts: Any, **more: Any) -> join.Joined:
        if "190005Z" in place.stem:
            raise OSError(28, "No space left on device")
        return real(place, parts, **more)

    monkeypatch.setattr(join, "assemble", full)
    loop = finaliser.Finaliser(home)
    hands.go_to(stage.at(28))
    air.beat(home.home.run, hands.wall)
    bookings.Arrivals(home).step()
    loop.step()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("recording", "recorded")

    monkeypatch.setattr(join, "assemble", real)
    hands.pass_(61)
    air.beat(home.home.run, hands.wall)
    loop.step()

    first.refresh_from_db()
    assert first.state == "recorded"
