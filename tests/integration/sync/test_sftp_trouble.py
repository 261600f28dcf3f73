"""Lines that stand still, servers that stop or are full, and the ways of logging in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.sync import queries
from nephos.sync.connections.sftp import channel
from tests.fakes import pipe
from tests.fakes.sftp import SftpServer, keygen
from tests.fakes.sync import Station

MIB = 1 << 20
PASSPHRASE = "open-sesame-never-in-a-log"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of silence is long for a test."""
    monkeypatch.setattr(channel, "_SILENT_SECONDS", 2.0)


def write(path: Path, size: int) -> str:
    content = os.urandom(size)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def offset(station: Station) -> int:
    found = queries.transfers(station.home)
    return found[0].bytes_done if found else 0


def cause(station: Station, path: str) -> str:
    return "".join(each.cause for each in queries.transfers(station.home, queries.Choice(path=path)))


@pytest.mark.usefixtures("impatient")
def test_a_line_that_stands_still_is_noticed_and_the_file_goes_on_where_it_was(
    archive: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", 48 * MIB)
    link.bytes_per_second = 30 * MIB

    with archive.running():
        archive.until(lambda: offset(archive) >= 16 * MIB, seconds=60)
        link.silent = True
        archive.until(lambda: "does not answer" in cause(archive, "big.ts"), seconds=60)
        link.silent, link.bytes_per_second = False, 0
        archive.until_delivered("big.ts", seconds=60)

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert link.upward_bytes < 48 * MIB + 34 * MIB


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stops_is_noticed_and_does_no_harm_when_it_wakes(
    archive: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    sums = {"big.ts": write(inbox / "big.ts", 40 * MIB)}
    link.bytes_per_second = 30 * MIB

    with archive.running():
        archive.until(lambda: offset(archive) >= 8 * MIB, seconds=60)
        stopped = sftp_server.sessions()
        for session in stopped:
            os.kill(session, signal.SIGSTOP)
        sums |= {f"small {number}": write(inbox / f"small {number}", 5000) for number in range(30)}
        archive.until(lambda: "does not answer" in cause(archive, "big.ts"), seconds=60)
        link.bytes_per_second = 0
        archive.until_delivered(*sums, seconds=60)
        for session in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(session, signal.SIGCONT)
        archive.until(lambda: not set(stopped) & set(sftp_server.sessions()), seconds=60)

    there = sftp_server.root / "in"
    assert {name: sha256(there / name) for name in sums} == sums
    assert stopped


@pytest.fixture
def small_disk(sftp_server: SftpServer) -> Iterator[Path]:
    """A disk of 8 MiB at the server."""
    place = sftp_server.root / "in"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full_is_told_and_nothing_is_lost(archive: Station, inbox: Path, small_disk: Path) -> None:
    first = write(inbox / "first", 5 * MIB)
    second = ""

    with archive.running():
        archive.until_delivered("first", seconds=60)
        second = write(inbox / "second", 6 * MIB)
        archive.until(lambda: "took no more data" in cause(archive, "second"), seconds=60)
        # What was begun is taken away after its cause is noted, and begun again at each try.
        archive.until(lambda: [path.name for path in small_disk.iterdir()] == ["first"])
        subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)
        archive.order("retry")
        archive.until_delivered("second", seconds=60)

    assert {path.name: sha256(path) for path in small_disk.iterdir()} == {"first": first, "second": second}


def test_a_key_with_a_passphrase_opens_and_nobody_reads_it(
    archive: Station, inbox: Path, sftp_server: SftpServer, tmp_path: Path
) -> None:
    sftp_server.lock_key(PASSPHRASE)
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    archive.tables["connection"]["archive"]["options"]["passphrase"] = f"file:{tmp_path}/passphrase"
    wanted = write(inbox / "clip", 1000)

    process = archive.spawn(quiet=True)
    try:
        archive.until_delivered("clip", seconds=60)
    finally:
        process.terminate()
        process.wait(timeout=20)

    assert sha256(sftp_server.root / "in" / "clip") == wanted
    kept = [path for path in archive.root.rglob("*") if path.is_file() and PASSPHRASE.encode() in path.read_bytes()]
    assert kept == []


def test_a_wrong_passphrase_sends_nothing_and_is_told(
    archive: Station, inbox: Path, sftp_server: SftpServer, tmp_path: Path
) -> None:
    sftp_server.lock_key(PASSPHRASE)
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text("another-one-but-secret")
    archive.tables["connection"]["archive"]["options"]["passphrase"] = f"file:{tmp_path}/passphrase"
    write(inbox / "clip", 1000)

    with archive.running():
        archive.until(lambda: "does not let us in" in archive.beat, seconds=60)

    assert not (sftp_server.root / "in").exists()
    assert "another-one" not in archive.beat


def test_the_agent_is_asked_where_there_is_no_key_file(
    archive: Station, inbox: Path, sftp_server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = f"/tmp/nephos-agent-{os.getpid()}-{tmp_path.name[-8:]}"
    with subprocess.Popen(["ssh-agent", "-D", "-a", door], stdout=subprocess.DEVNULL) as agent:
        try:
            archive.until(lambda: Path(door).exists())
            monkeypatch.setenv("SSH_AUTH_SOCK", door)
            subprocess.run(["ssh-add", "-q", str(sftp_server.key)], check=True)
            del archive.tables["connection"]["archive"]["options"]["key_file"]
            wanted = write(inbox / "clip", 1000)

            with archive.running():
                archive.until_delivered("clip", seconds=60)
        finally:
            agent.terminate()

    assert sha256(sftp_server.root / "in" / "clip") == wanted


def test_a_wrong_key_sends_nothing_is_told_and_the_right_one_lets_everything_go(
    archive: Station, inbox: Path, sftp_server: SftpServer, tmp_path: Path
) -> None:
    keygen(tmp_path / "stranger")
    options = archive.tables["connection"]["archive"]["options"]
    right, options["key_file"] = options["key_file"], str(tmp_path / "stranger")
    wanted = write(inbox / "clip", 1000)

    with archive.running():
        archive.until(lambda: "does not let us in" in archive.beat, seconds=60)
        assert not (sftp_server.root / "in").exists()
        options["key_file"] = right
        archive.write()
        archive.until_delivered("clip", seconds=60)

    assert sha256(sftp_server.root / "in" / "clip") == wanted
