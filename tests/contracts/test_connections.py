"""What every kind of connection must do, on the real thing: a folder, `rclone serve s3`, and the fake."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.lib import ids
from nephos.sync import errors, fingerprints
from nephos.sync.connections import base, file
from nephos.sync.connections.s3 import connection as s3
from nephos.sync.connections.sftp import connection as sftp
from nephos.sync.states import Proof
from tests.fakes import connection as fake
from tests.fakes import s3 as s3_fake
from tests.fakes import sftp as sftp_fake

MIB = 1 << 20
TUNING = base.Tuning(single_put_bytes=2 * MIB, part_bytes=5 * MIB, part_threads=4)


@pytest.fixture(params=["file", "s3", "sftp", "sftp-asyncssh", "phone", "fake"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[base.Connection]:
    if request.param == "s3":
        with s3_fake.serving(tmp_path / "s3") as server:
            opened = s3.open_("there", server.options(), "bench/some where", None, TUNING)
            yield opened
            opened.close()
        return
    if request.param in {"sftp", "sftp-asyncssh", "phone"}:
        yield from over_sftp(request.param, tmp_path)
        return
    place = tmp_path / "there"
    place.mkdir()
    opened = fake.FakeConnection() if request.param == "fake" else file.open_("there", {}, str(place), None, TUNING)
    yield opened
    opened.close()


def over_sftp(kind: str, tmp_path: Path) -> Iterator[base.Connection]:
    """OpenSSH by its own client, OpenSSH by asyncssh, and a server that can as little as a phone's."""
    serving = sftp_fake.phoning if kind == "phone" else sftp_fake.serving
    with serving(tmp_path / "sftp") as server:
        server.trust(tmp_path / "trusted")
        place = "/some where" if kind == "phone" else f"{server.root}/some where"
        values = {**server.options(), "transport": "asyncssh" if kind == "sftp-asyncssh" else "ssh"}
        tuning = dataclasses.replace(TUNING, folder=tmp_path / "trusted")
        opened = sftp.open_("there", values, place, None, tuning)
        opened.probe()
        yield opened
        opened.close()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def item(
    inbox: Path, path: str, content: bytes, *, number: int = 1, verify: base.Verify = base.Verify.AUTO
) -> base.Item:
    source = inbox / hashlib.sha256(path.encode()).hexdigest()
    source.write_bytes(content)
    found = fingerprints.take(os.fsencode(source))
    return base.Item(number, os.fsencode(source), path, found, ids.new(), verify)


def send(connection: base.Connection, *items: base.Item, notes: fake.Notes | None = None) -> dict[str, base.Outcome]:
    outcomes = connection.send(items, journal=notes or fake.Notes(), stop=threading.Event())
    return {outcome.item.path: outcome for outcome in outcomes}


@pytest.mark.parametrize("size", [0, 1, 300_000, 2 * MIB, 2 * MIB + 1, 12 * MIB])
def test_a_file_of_any_size_arrives_whole_and_is_proven(connection: base.Connection, inbox: Path, size: int) -> None:
    content = os.urandom(size)

    outcome = send(connection, item(inbox, "a/b/clip.mp4", content))["a/b/clip.mp4"]

    assert outcome.error is None
    assert outcome.delivered is not None
    assert outcome.delivered.bytes == size
    assert outcome.delivered.sha256 == hashlib.sha256(content).hexdigest()
    by_sftp = isinstance(connection, sftp.SftpConnection)  # which reads back only where that is asked for
    assert outcome.delivered.proof in ({Proof.TRANSPORT} if by_sftp else {Proof.SERVER, Proof.READ_BACK})
    found = connection.look("a/b/clip.mp4")
    assert found is not None
    assert found.bytes == size


@pytest.mark.parametrize(
    "name", ["a b.mp4", "ü é 日本.ts", 'x\'; DROP TABLE "y".mp4', "$(rm -rf ~)", "a\nb", "%20+&=?#"]
)
def test_odd_names_arrive_under_their_own_name(connection: base.Connection, inbox: Path, name: str) -> None:
    outcome = send(connection, item(inbox, f"odd/{name}", b"content"))[f"odd/{name}"]

    assert outcome.error is None
    assert [remote.key for remote in connection.list("odd/")] == [f"odd/{name}"]


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b", "a//b", ""])
def test_a_name_that_leaves_the_base_is_refused_for_good(connection: base.Connection, inbox: Path, name: str) -> None:
    outcome = send(connection, item(inbox, name, b"content"))[name]

    assert isinstance(outcome.error, errors.NameRefused)
    assert outcome.error.permanent
    assert list(connection.list()) == []


def test_many_files_arrive_and_each_has_one_outcome(connection: base.Connection, inbox: Path) -> None:
    items = [item(inbox, f"many/{number}", b"x" * number, number=number) for number in range(100)]

    outcomes = send(connection, *items)

    assert len(outcomes) == 100
    assert all(outcome.delivered for outcome in outcomes.values())
    assert len(list(connection.list("many/"))) == 100


def test_a_newer_version_replaces_the_older_one(connection: base.Connection, inbox: Path) -> None:
    send(connection, item(inbox, "clip", b"old"))
    send(connection, item(inbox, "clip", b"newer"))

    found = connection.look("clip")

    assert found is not None
    assert found.bytes == 5


def test_a_file_comes_where_a_folder_was_once_its_files_are_removed(connection: base.Connection, inbox: Path) -> None:
    if isinstance(connection, s3.S3Connection):
        pytest.skip("rclone keeps objects in folders, which other servers do not")
    send(connection, item(inbox, "a/b/c/clip", b"deep"))
    assert connection.look("a/b") is None  # a folder is no file, and is not removed as one
    connection.delete("a/b")
    connection.delete("a/b/c/clip")

    outcome = send(connection, item(inbox, "a", b"a file"))["a"]

    assert outcome.error is None
    assert [remote.key for remote in connection.list()] == ["a"]


def test_a_file_that_is_no_longer_what_was_seen_is_not_sent(connection: base.Connection, inbox: Path) -> None:
    chosen = item(inbox, "clip", b"seen")
    Path(os.fsdecode(chosen.source)).write_bytes(b"changed since")

    outcome = send(connection, chosen)["clip"]

    assert isinstance(outcome.error, errors.SourceChanged)
    assert connection.look("clip") is None


def test_a_file_that_is_gone_does_not_stop_the_others(connection: base.Connection, inbox: Path) -> None:
    gone, here = item(inbox, "gone", b"1", number=1), item(inbox, "here", b"2", number=2)
    Path(os.fsdecode(gone.source)).unlink()

    outcomes = send(connection, gone, here)

    assert isinstance(outcomes["gone"].error, errors.SourceGone)
    assert outcomes["here"].delivered is not None


def test_stopping_leaves_nothing_under_the_final_name(connection: base.Connection, inbox: Path) -> None:
    stop = threading.Event()
    stop.set()

    outcomes = list(connection.send([item(inbox, "clip", b"x" * 3 * MIB)], journal=fake.Notes(), stop=stop))

    assert all(isinstance(outcome.error, errors.Interrupted) for outcome in outcomes)
    assert connection.look("clip") is None


def test_a_copy_has_the_same_content_and_a_deletion_takes_one_file(connection: base.Connection, inbox: Path) -> None:
    send(connection, item(inbox, "clip1", b"one", number=1), item(inbox, "clip10", b"ten!", number=2))

    connection.copy("clip1", "deep/copy")
    connection.delete("clip1")
    connection.delete("clip1")

    assert {remote.key: remote.bytes for remote in connection.list()} == {"clip10": 4, "deep/copy": 3}


def test_a_probe_leaves_nothing_behind(connection: base.Connection) -> None:
    profile = connection.probe()

    assert profile.can_delete
    assert list(connection.list()) == []


def test_without_verification_the_proof_is_the_transport(
    connection: base.Connection, inbox: Path, request: pytest.FixtureRequest
) -> None:
    if "fake" in request.node.name:
        pytest.skip("the fake always vouches")

    outcome = send(connection, item(inbox, "clip", b"content", verify=base.Verify.NONE))["clip"]

    assert outcome.delivered is not None
    assert outcome.delivered.proof is Proof.TRANSPORT
