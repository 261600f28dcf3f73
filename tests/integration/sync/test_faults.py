"""Everything that goes wrong on the way to a real S3 server, and kill -9 in the middle of it."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from nephos.sync import queries
from tests.fakes import sync
from tests.fakes.proxy import Harm, Proxy
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20
PARTS = {"settle_seconds": 0.2, "single_put_bytes": 2 * MIB, "part_bytes": 5 * MIB, "part_threads": 2}


@pytest.fixture
def cloud(station: Station, inbox: Path, proxy: Proxy, s3_server: S3Server) -> Station:
    """A folder that goes to S3 through the proxy, in parts of 5 MiB, two at a time."""
    station.tables["sync"] = PARTS
    station.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint))
    station.watch("inbox", "cloud", folder=inbox)
    return station


def write(path: Path, size: int) -> str:
    content = os.urandom(size)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def once(pattern: str, harm: Harm, *, times: int = 1, method: str = "PUT") -> tuple[list[str], object]:
    """A judge that does harm to the first requests of a kind."""
    hurt: list[str] = []
    lock = threading.Lock()

    def judge(seen_method: str, target: str) -> Harm:
        with lock:
            if seen_method == method and pattern in target and len(hurt) < times:
                hurt.append(target)
                return harm
        return Harm.NONE

    return hurt, judge


def test_kill_9_in_a_multipart_upload_costs_only_the_parts_in_flight(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    wanted = write(inbox / "big.ts", 48 * MIB)
    proxy.bytes_per_second = 40 * MIB
    first = cloud.spawn()
    cloud.until(lambda: len(proxy.acknowledged()) >= 4)
    sync.kill(first)
    proxy.bytes_per_second = 0
    proxy.settle()
    before = set(proxy.acknowledged())

    second = cloud.spawn()
    cloud.until_delivered("big.ts")
    sync.end(second)

    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    # Not one acknowledged part went twice, not even one whose note in the journal was lost with the process.
    assert sorted(proxy.acknowledged()) == list(range(1, 11))
    assert len(before) < 10
    assert proxy.count("POST", "uploads=") == 1
    receipt = queries.receipts(cloud.home)[0]
    assert (receipt.sha256, str(receipt.proof), receipt.bytes) == (wanted, "read-back", 48 * MIB)


def test_killing_again_and_again_still_ends_with_a_whole_object(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    wanted = write(inbox / "big.ts", 40 * MIB)
    proxy.bytes_per_second = 30 * MIB
    for share in (1, 3, 5):
        process = cloud.spawn()
        cloud.until(lambda share=share: len(set(proxy.acknowledged())) >= share)  # type: ignore[misc]
        sync.kill(process)
        proxy.settle()
    proxy.bytes_per_second = 0

    process = cloud.spawn()
    cloud.until_delivered("big.ts")
    sync.end(process)

    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    assert sorted(proxy.acknowledged()) == list(range(1, 9))


def test_a_polite_stop_in_a_multipart_upload_is_quick_and_goes_on(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    wanted = write(inbox / "big.ts", 40 * MIB)
    proxy.bytes_per_second = 20 * MIB
    with cloud.running():
        cloud.until(lambda: len(proxy.acknowledged()) >= 2)
    assert len(proxy.acknowledged()) < 8
    assert cloud.states()["big.ts"] == "ready"
    proxy.bytes_per_second = 0
    proxy.settle()

    with cloud.running():
        cloud.until_delivered("big.ts")

    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    # No acknowledged part went twice. A part whose answer the stop cut off is recognised by its sum and not sent again,
    # so the proxy may never see it acknowledged.
    acknowledged = proxy.acknowledged()
    assert len(acknowledged) == len(set(acknowledged))
    assert set(acknowledged) <= set(range(1, 9))


def test_a_connection_that_breaks_in_a_part_costs_that_part(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    hurt, proxy.judge = once("partNumber=3", Harm.CUT, times=3)  # type: ignore[assignment]
    wanted = write(inbox / "big.ts", 22 * MIB)

    with cloud.running():
        cloud.until_delivered("big.ts")

    assert len(hurt) == 3
    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    # A part whose answer was on its way when the third broke is known by its sum; none goes twice.
    assert sorted(proxy.acknowledged()) == sorted(set(proxy.acknowledged()) | {3, 4, 5})


def test_a_server_that_says_slow_down_is_asked_again(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    hurt, proxy.judge = once("/in/", Harm.REFUSE, times=8)  # type: ignore[assignment]
    wanted = write(inbox / "big.ts", 12 * MIB)
    small = write(inbox / "small", 100)

    with cloud.running():
        cloud.until_delivered("big.ts", "small")

    assert len(hurt) == 8
    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    assert sha256(s3_server.bucket / "in" / "small") == small


@pytest.mark.parametrize("harm", [Harm.LOSE_ANSWER, Harm.ERROR_IN_200, Harm.REFUSE])
def test_a_completion_without_an_answer_is_looked_after(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server, harm: Harm
) -> None:
    hurt, proxy.judge = once("?uploadId=", harm, method="POST")  # type: ignore[assignment]
    wanted = write(inbox / "big.ts", 12 * MIB)

    with cloud.running():
        cloud.until_delivered("big.ts")

    assert hurt
    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    assert sorted(proxy.acknowledged()) == [1, 2, 3]


def test_an_answer_that_is_lost_after_a_small_put_does_no_harm(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    hurt, proxy.judge = once("/in/small", Harm.LOSE_ANSWER, times=2)  # type: ignore[assignment]
    wanted = write(inbox / "small", 70_000)

    with cloud.running():
        cloud.until_delivered("small")

    assert len(hurt) == 2
    assert sha256(s3_server.bucket / "in" / "small") == wanted


def test_a_server_that_is_down_is_waited_for_and_everything_arrives(
    cloud: Station, inbox: Path, s3_server: S3Server
) -> None:
    s3_server.stop()
    sums = {f"file {number}": write(inbox / f"file {number}", 10_000) for number in range(30)}

    with cloud.running():
        cloud.until(lambda: "ready" in cloud.states().values())
        time.sleep(1.5)
        assert not queries.receipts(cloud.home)
        s3_server.start()
        cloud.until_delivered(*sums)

    assert {name: sha256(s3_server.bucket / "in" / name) for name in sums} == sums
    assert len(queries.receipts(cloud.home)) == 30


def test_an_outage_in_the_middle_tells_its_cause_and_ends_well(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    wanted = write(inbox / "big.ts", 40 * MIB)
    proxy.bytes_per_second = 20 * MIB

    with cloud.running():
        cloud.until(lambda: len(proxy.acknowledged()) >= 2)
        s3_server.stop()
        cloud.until(lambda: cloud.states()["big.ts"] == "waiting")
        waiting = queries.transfers(cloud.home)[0]
        assert "127.0.0.1" in waiting.cause
        assert waiting.next_try_at is not None
        proxy.bytes_per_second = 0
        s3_server.start()  # its unfinished uploads died with it: 404 NoSuchUpload
        cloud.until_delivered("big.ts", seconds=40)

    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    assert proxy.count("POST", "uploads=") == 2


def test_a_file_that_changes_while_it_is_sent_arrives_as_the_newer_version(
    cloud: Station, inbox: Path, proxy: Proxy, s3_server: S3Server
) -> None:
    write(inbox / "big.ts", 30 * MIB)
    proxy.bytes_per_second = 30 * MIB

    with cloud.running():
        cloud.until(lambda: len(proxy.acknowledged()) >= 2)
        wanted = write(inbox / "big.ts", 31 * MIB)
        proxy.bytes_per_second = 0
        cloud.until(lambda: any(receipt.sha256 == wanted for receipt in queries.receipts(cloud.home)))
        cloud.until_delivered("big.ts")

    assert sha256(s3_server.bucket / "in" / "big.ts") == wanted
    assert [receipt.sha256 for receipt in queries.receipts(cloud.home)] == [wanted]


def test_a_wrong_key_holds_the_files_says_why_and_a_right_one_lets_them_go(
    cloud: Station, inbox: Path, s3_server: S3Server
) -> None:
    (s3_server.keys / "wrong").write_text("not-the-secret")
    (s3_server.keys / "wrong").chmod(0o600)
    options = cloud.tables["connection"]["cloud"]["options"]
    right = options["secret_key"]
    options["secret_key"] = f"file:{s3_server.keys}/wrong"
    write(inbox / "clip", 100)

    with cloud.running():
        cloud.until(lambda: "let us in" in cloud.beat)
        assert not queries.receipts(cloud.home)
        options["secret_key"] = right
        cloud.write()
        cloud.until_delivered("clip")


def test_a_missing_bucket_is_waited_for(cloud: Station, inbox: Path, s3_server: S3Server) -> None:
    s3_server.bucket.rmdir()
    write(inbox / "clip", 100)

    with cloud.running():
        cloud.until(lambda: "bucket does not exist" in cloud.beat)
        s3_server.bucket.mkdir()
        time.sleep(1.2)  # rclone remembers for a second what was not there
        cloud.order("retry")
        cloud.until_delivered("clip")


def test_a_folder_that_is_not_mounted_is_not_filled_on_the_disk_below(
    station: Station, inbox: Path, tmp_path: Path
) -> None:
    place = tmp_path / "mount"
    station.connect("shelf", "file", str(place))
    station.watch("inbox", "shelf", folder=inbox)
    write(inbox / "one", 10)
    with station.running():
        station.until_delivered("one")
        (place / "one").unlink()
        place.rmdir()
        write(inbox / "two", 10)
        station.until(lambda: station.states().get("two") == "waiting")
        assert not place.exists()
        place.mkdir()
        station.order("retry")
        station.until_delivered("two")


def test_a_key_that_is_not_there_is_told_and_found_again(
    cloud: Station, inbox: Path, s3_server: S3Server, tmp_path: Path
) -> None:
    key = tmp_path / "secret"
    cloud.tables["connection"]["cloud"]["options"]["secret_key"] = f"file:{key}"
    wanted = write(inbox / "small.ts", 4000)

    with cloud.running():
        cloud.until(lambda: any("secret" in one.cause for one in queries.transfers(cloud.home)))
        told = queries.transfers(cloud.home)[0]
        key.write_text((s3_server.keys / "secret").read_text())
        key.chmod(0o600)
        cloud.order("retry")
        cloud.until_delivered("small.ts")

    assert (str(told.state), told.attempts) == ("waiting", 0)
    assert told.next_try_at is not None
    assert sha256(s3_server.bucket / "in" / "small.ts") == wanted
