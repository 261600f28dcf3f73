"""SFTP to a real OpenSSH server: kill -9, cuts, silence, keys that are not the right ones, and phones."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.sync import queries
from nephos.sync.connections import registry
from tests.fakes import pipe, sync
from tests.fakes import sftp as sftp_fake
from tests.fakes.sftp import PASSWORD, Phone, SftpServer
from tests.fakes.sync import Station

MIB = 1 << 20
SIZE = int(os.environ.get("NEPHOS_TEST_UPLOAD_MIB", "64")) * MIB  # `make endure-sftp` sends 2 GiB


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    with sftp_fake.phoning(tmp_path / "phone") as running:
        yield running


def write(path: Path, size: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        for start in range(0, size, 16 * MIB):
            stream.write(os.urandom(min(16 * MIB, size - start)))
    return sha256(path)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hidden(server: SftpServer | Phone) -> list[Path]:
    return list(server.root.rglob(".*.part*"))


def offset(station: Station) -> int:
    found = queries.transfers(station.home)
    return found[0].bytes_done if found else 0


def proofs(station: Station) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for receipt in queries.receipts(station.home):
        found.setdefault(receipt.path, []).append(str(receipt.proof))
    return found


def test_files_and_folders_arrive_with_their_times(archive: Station, inbox: Path, sftp_server: SftpServer) -> None:
    wanted = {f"a/{n % 7}/file {n}": write(inbox / f"a/{n % 7}/file {n}", n * 1000) for n in range(60)}
    wanted["big"] = write(inbox / "big", 20 * MIB)

    with archive.running():
        archive.until_delivered(*wanted)

    place = sftp_server.root / "in"
    assert {path: sha256(place / path) for path in wanted} == wanted
    assert int((place / "big").stat().st_mtime) == int((inbox / "big").stat().st_mtime)
    assert hidden(sftp_server) == []
    assert {str(receipt.proof) for receipt in queries.receipts(archive.home)} == {"transport"}


def test_read_back_is_there_for_those_who_ask(archive: Station, inbox: Path) -> None:
    archive.tables["destination"]["archive"]["verify"] = "read-back"
    wanted = write(inbox / "big", 12 * MIB)

    with archive.running():
        archive.until_delivered("big")

    receipt = queries.receipts(archive.home)[0]
    assert (str(receipt.proof), receipt.sha256) == ("read-back", wanted)


def test_what_is_verified_later_is_proven_from_then_on(archive: Station, inbox: Path, sftp_server: SftpServer) -> None:
    write(inbox / "good", 30_000)
    write(inbox / "bad", 30_000)

    with archive.running():
        archive.until_delivered("good", "bad")
        (sftp_server.root / "in" / "bad").write_bytes(b"x" * 30_000)
        archive.order("verify", watch="inbox")
        archive.until(lambda: len(queries.receipts(archive.home)) == 3, seconds=60)
        archive.until(lambda: proofs(archive)["good"] == ["read-back"], seconds=60)
        archive.until_delivered("good", "bad")

    assert proofs(archive)["bad"] == ["transport", "transport"]
    assert sha256(sftp_server.root / "in" / "bad") == sha256(inbox / "bad")


def test_kill_9_in_an_upload_goes_on_from_the_journalled_offset(
    archive: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", SIZE)
    link.bytes_per_second = 40 * MIB
    first = archive.spawn()
    archive.until(lambda: offset(archive) >= SIZE // 2 - 8 * MIB, seconds=300)
    sync.kill(first)
    kept = offset(archive)
    link.bytes_per_second = 0
    link.cut()
    sent = link.upward_bytes

    second = archive.spawn()
    archive.until_delivered("big.ts", seconds=300)
    sync.end(second)

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert link.upward_bytes - sent <= SIZE - kept + 2 * MIB + SIZE // 500  # what ssh puts around the packets
    assert link.upward_bytes <= SIZE + 32 * MIB + SIZE // 100  # what was on its way, and what was not noted yet
    assert hidden(sftp_server) == []


def test_a_cut_goes_on_where_it_was(archive: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer) -> None:
    wanted = write(inbox / "big.ts", 48 * MIB)
    link.bytes_per_second = 60 * MIB

    with archive.running():
        archive.until(lambda: offset(archive) >= 16 * MIB)
        link.cut()
        archive.until_delivered("big.ts")

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert link.upward_bytes < 48 * MIB + 28 * MIB


@pytest.fixture
def far(archive: Station, link: pipe.Pipe) -> Station:
    """The same over a long line, where several logins share a big file."""
    link.delay_seconds = 0.02
    return archive


def test_a_big_file_goes_by_several_logins_where_the_server_is_far(
    far: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", 96 * MIB)
    link.bytes_per_second = 30 * MIB  # each

    with far.running():
        far.until_delivered("big.ts", seconds=60)

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert 2 < link.connections <= 4
    assert hidden(sftp_server) == []


def test_kill_9_with_several_logins_costs_what_was_ahead_of_the_first_hole(
    far: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", 96 * MIB)
    link.bytes_per_second = 15 * MIB
    first = far.spawn()
    far.until(lambda: offset(far) >= 40 * MIB, seconds=60)
    sync.kill(first)
    kept = offset(far)
    link.bytes_per_second = 0
    link.cut()
    sent = link.upward_bytes

    second = far.spawn()
    far.until_delivered("big.ts", seconds=60)
    sync.end(second)

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert link.upward_bytes - sent <= 96 * MIB - kept + MIB


def test_a_login_that_breaks_leaves_its_share_to_the_others(
    far: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", 96 * MIB)
    link.bytes_per_second = 15 * MIB

    with far.running():
        far.until(lambda: link.connections >= 3 and offset(far) >= 16 * MIB, seconds=60)
        link.cut_newest()
        far.until_delivered("big.ts", seconds=60)

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert queries.transfers(far.home)[0].attempts == 0


def test_a_server_that_gives_one_login_only_gets_everything_by_that(
    far: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", 48 * MIB)
    link.only_one = True

    with far.running():
        far.until_delivered("big.ts", seconds=60)

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted
    assert (link.connections, link.turned_away > 0) == (1, True)
    assert link.upward_bytes < 50 * MIB


def test_a_rate_that_is_set_is_kept(archive: Station, inbox: Path) -> None:
    archive.tables["destination"]["archive"]["bytes_per_second"] = MIB
    write(inbox / "big.ts", 3 * MIB)
    for number in range(20):
        write(inbox / f"small {number}", 50_000)
    began = time.monotonic()

    with archive.running():
        archive.until_delivered("big.ts", *(f"small {number}" for number in range(20)), seconds=60)

    assert time.monotonic() - began > 2


def test_a_server_that_is_not_there_is_waited_for(archive: Station, inbox: Path, sftp_server: SftpServer) -> None:
    sftp_server.stop()
    wanted = write(inbox / "clip", 1000)

    with archive.running():
        archive.until(lambda: "cannot be reached" in archive.beat or "ended" in archive.beat)
        sftp_server.start()
        archive.until_delivered("clip")

    assert sha256(sftp_server.root / "in" / "clip") == wanted


def stands_still(link: pipe.Pipe) -> bool:
    """Whether nothing goes up for a while."""
    before = link.upward_bytes
    time.sleep(0.5)
    return link.upward_bytes == before


def test_pause_stops_a_big_upload_and_resume_goes_on(
    archive: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    wanted = write(inbox / "big.ts", 64 * MIB)
    link.bytes_per_second = 30 * MIB

    with archive.running():
        archive.until(lambda: offset(archive) >= 16 * MIB)
        archive.order("pause", watch="inbox")
        archive.until(lambda: stands_still(link))
        assert archive.states() != {"big.ts": "delivered"}
        archive.order("resume", watch="inbox")
        archive.until_delivered("big.ts")

    assert sha256(sftp_server.root / "in" / "big.ts") == wanted


def test_an_unknown_server_gets_nothing_until_its_fingerprint_is_accepted(
    archive: Station, inbox: Path, sftp_server: SftpServer
) -> None:
    (archive.home.databases / "known_hosts").unlink()
    write(inbox / "clip", 1000)

    with archive.running():
        archive.until(lambda: sftp_server.fingerprint in archive.beat)
        assert not (sftp_server.root / "in").exists()
        settings = archive.loaded.settings
        folder = archive.home.databases
        with pytest.raises(Exception, match="nothing is changed"):
            registry.accept_server(settings, "archive", folder=folder, fingerprint="SHA256:of-another")
        registry.accept_server(settings, "archive", folder=folder, fingerprint=sftp_server.fingerprint)
        archive.order("retry")
        archive.until_delivered("clip")


def test_a_server_whose_key_changed_gets_nothing(
    archive: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer
) -> None:
    write(inbox / "first", 1000)
    with archive.running():
        archive.until_delivered("first")
    sftp_server.stop()
    sftp_server.new_host_key()
    sftp_server.start()
    write(inbox / "second", 1000)

    with archive.running():
        archive.until(lambda: archive.states().get("second") == "held")

    assert "another key than before" in queries.transfers(archive.home, queries.Choice(path="second"))[0].cause
    assert not (sftp_server.root / "in" / "second").exists()


def test_a_login_that_is_not_allowed_any_more_is_held_and_told(
    archive: Station, inbox: Path, sftp_server: SftpServer
) -> None:
    write(inbox / "first", 1000)
    with archive.running():
        archive.until_delivered("first")
    (sftp_server.folder / "authorized").write_text("")
    write(inbox / "second", 1000)

    with archive.running():
        archive.until(lambda: archive.states().get("second") == "held")

    assert "Permission denied" in queries.transfers(archive.home, queries.Choice(path="second"))[0].cause


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind root")
def test_a_folder_without_rights_holds_the_file(archive: Station, inbox: Path, sftp_server: SftpServer) -> None:
    write(inbox / "first", 1000)
    with archive.running():
        archive.until_delivered("first")
        (sftp_server.root / "in").chmod(0o500)
        write(inbox / "second", 1000)
        archive.until(lambda: archive.states().get("second") == "held")


def test_a_phone_takes_everything_and_every_newer_version(
    station: Station, inbox: Path, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    station.connect("phone", "sftp", "/camera", phone.options())
    station.watch("inbox", "phone", folder=inbox)
    phone.trust(station.home.databases)
    write(inbox / "clip", 1000)
    big = write(inbox / "big", 12 * MIB)

    with station.running():
        station.until_delivered("clip", "big")
        newer = write(inbox / "clip", 2000)
        station.until(lambda: sha256(phone.root / "camera" / "clip") == newer)
        station.until_delivered("clip")

    assert sha256(phone.root / "camera" / "big") == big
    assert hidden(phone) == []
    assert PASSWORD not in caplog.text + station.beat


def test_a_quota_is_told_and_waited_for(station: Station, inbox: Path, phone: Phone) -> None:
    phone.most_bytes = 50_000
    station.connect("phone", "sftp", "/camera", phone.options())
    station.watch("inbox", "phone", folder=inbox)
    phone.trust(station.home.databases)
    wanted = write(inbox / "clip", 100_000)

    with station.running():
        station.until(lambda: "took no more data" in station.beat)
        assert not (phone.root / "camera" / "clip").exists()
        phone.most_bytes = 0
        station.order("retry")
        station.until_delivered("clip")

    assert sha256(phone.root / "camera" / "clip") == wanted


def test_a_wrong_password_sends_nothing_and_is_in_no_log(
    station: Station, inbox: Path, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    (phone.folder / "password").write_text("not-the-one-but-secret")
    station.connect("phone", "sftp", "/camera", phone.options())
    station.watch("inbox", "phone", folder=inbox)
    phone.trust(station.home.databases)
    write(inbox / "clip", 1000)

    with station.running():
        station.until(lambda: "does not let us in" in station.beat)

    assert list(phone.root.iterdir()) == []
    assert "not-the-one" not in caplog.text + station.beat
