"""A server that hangs up in the middle of each request, before and after it did it; and late requests."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.sync import errors, fingerprints
from nephos.sync.connections import base
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp import connection as sftp
from nephos.sync.connections.sftp import packets
from nephos.sync.connections.sftp.packets import Kind, Mode, Status
from tests.fakes import connection as fake
from tests.fakes import moody as moody_fake
from tests.fakes.moody import Moody

MIB = 1 << 20
SIZES = {"small": 1000, "middling": 300_000, "big": 10 * MIB}
TUNING = base.Tuning(single_put_bytes=32 * MIB, part_bytes=0, part_threads=4)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moody]:
    with moody_fake.sulking(tmp_path_factory.mktemp("moody") / "server") as running:
        yield running


@pytest.fixture
def there(server: Moody, tmp_path: Path) -> Iterator[sftp.SftpConnection]:
    server.hang_up_at, server.after_requests = None, 0
    server.hung_up.clear()
    server.trust(tmp_path / "trusted")
    tuning = dataclasses.replace(TUNING, folder=tmp_path / "trusted")
    opened = sftp.open_("there", server.options(), f"/{tmp_path.name}", None, tuning)
    opened.probe()
    assert isinstance(opened, sftp.SftpConnection)
    yield opened
    opened.close()


def items(inbox: Path, *names: str) -> list[base.Item]:
    found = []
    for number, name in enumerate(names, start=1):
        place = inbox / name
        place.write_bytes(os.urandom(SIZES[name]))
        raw = os.fsencode(place)
        found.append(base.Item(number, raw, f"folder/{name}", fingerprints.take(raw), f"transfer-{number}"))
    return found


def send(connection: base.Connection, notes: fake.Notes, wanted: list[base.Item]) -> dict[str, base.Outcome]:
    outcomes = connection.send(wanted, journal=notes, stop=threading.Event())
    return {outcome.item.path: outcome for outcome in outcomes}


def visible(place: Path) -> dict[str, bytes]:
    return {f"folder/{each.name}": each.read_bytes() for each in (place / "folder").iterdir() if each.name[0] != "."}


def hidden(place: Path) -> list[str]:
    return [each.name for each in place.rglob(".*")]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("phase", [phase for phase in moody_fake.PHASES if phase != "stat"])
def test_a_line_that_breaks_in_any_request_leaves_no_part_to_be_seen_and_ends_well(
    server: Moody, there: sftp.SftpConnection, tmp_path: Path, inbox: Path, phase: str, when: str
) -> None:
    wanted = items(inbox, *SIZES)
    content = {item.path: (inbox / item.path.removeprefix("folder/")).read_bytes() for item in wanted}
    notes, place = fake.Notes(), server.root / tmp_path.name
    server.hang_up_at, server.after_requests = (phase, when), 1

    first = send(there, notes, wanted)
    seen = visible(place)
    again = [item for item in wanted if not first[item.path].delivered]
    second = send(there, notes, again)

    assert server.hung_up == [phase]
    assert again
    assert all(isinstance(first[item.path].error, errors.Offline) for item in again)
    assert seen.items() <= content.items()
    assert [outcome.error for outcome in second.values()] == [None] * len(again)
    assert visible(place) == content
    sums = {path: hashlib.sha256(raw).hexdigest() for path, raw in content.items()}
    proofs = {**first, **second}
    assert {path: proofs[path].delivered.sha256 for path in proofs if proofs[path].delivered} == sums  # type: ignore[union-attr]
    assert hidden(place) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_that_breaks_while_it_is_asked_how_far_it_came_costs_nothing(
    server: Moody, there: sftp.SftpConnection, tmp_path: Path, inbox: Path, when: str
) -> None:
    wanted, notes = items(inbox, "big"), fake.Notes()
    server.hang_up_at, server.after_requests = ("close", "before"), 0
    send(there, notes, wanted)
    server.hang_up_at, server.after_requests = ("stat", when), 0
    broken = send(there, notes, wanted)

    last = send(there, notes, wanted)

    assert server.hung_up == ["close", "stat"]
    assert isinstance(broken["folder/big"].error, errors.Offline)
    assert last["folder/big"].delivered is not None
    assert visible(server.root / tmp_path.name) == {"folder/big": (inbox / "big").read_bytes()}


@pytest.mark.parametrize("name", ["small", "middling"])
def test_late_requests_of_a_login_that_was_given_up_do_no_harm(
    server: Moody, there: sftp.SftpConnection, tmp_path: Path, inbox: Path, name: str
) -> None:
    wanted, place = items(inbox, name), server.root / tmp_path.name
    content = (inbox / name).read_bytes()
    (place / "folder").mkdir()
    old = there.lobby.ready(base.NEVER)
    stale = os.fsencode(f"/{tmp_path.name}/folder/.{name}.1.part")
    final = os.fsencode(f"/{tmp_path.name}/folder/{name}")
    create = packets.text(stale) + packets.u32(Mode.WRITE | Mode.CREATE) + packets.NO_ATTRIBUTES
    handle = channels.answer(old, Kind.OPEN, create, base.NEVER).text

    outcome = send(there, fake.Notes(), wanted)[f"folder/{name}"]
    late = packets.write(handle, 0, 4) + b"late"
    channels.answer(old, Kind.WRITE, late, base.NEVER)
    renamed = channels.answer(
        old, Kind.EXTENDED, packets.text(packets.POSIX_RENAME) + packets.text(stale) + packets.text(final), base.NEVER
    )
    there.lobby.drop(old)

    assert outcome.error is None
    assert renamed.status == Status.NO_SUCH_FILE
    assert visible(place) == {f"folder/{name}": content}
    assert hidden(place) == []
