"""Files that go up while they are still being written."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from nephos.sync import database, queries
from tests.fakes import proxy as proxy_fake
from tests.fakes import sftp as sftp_fake
from tests.fakes import sync
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20


def noted(station: Station, sql: str) -> list[tuple[object, ...]]:
    with database.reading(station.home.sync_database) as db:
        return [tuple(row) for row in db.execute(sql).fetchall()] if db is not None else []


def sent(station: Station) -> int:
    """How many bytes are noted as acknowledged."""
    return sum(transfer.bytes_done for transfer in queries.transfers(station.home))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Writer:
    """A program that appends to a file and keeps it open."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("ab", buffering=0)
        self.content = b""

    def add(self, size: int) -> None:
        block = os.urandom(size)
        for at in range(0, size, MIB):
            self._stream.write(block[at : at + MIB])
        self.content += block

    def close(self) -> None:
        self._stream.close()


@pytest.fixture
def cloud(station: Station, inbox: Path, s3_server: S3Server) -> Station:
    """A watch of files that grow, and a bucket."""
    station.connect("cloud", "s3", "bench/in", s3_server.options())
    station.watch("inbox", "cloud", folder=inbox, grow=True)
    station.tables["sync"]["part_bytes"] = 5 * MIB
    return station


def test_parts_go_up_behind_the_writer_and_the_rest_when_it_is_done(
    cloud: Station, inbox: Path, s3_server: S3Server
) -> None:
    writer = Writer(inbox / "show.ts")
    place = s3_server.bucket / "in" / "show.ts"

    with cloud.running():
        for _ in range(17):
            writer.add(MIB)
            time.sleep(0.02)
        cloud.until(lambda: sent(cloud) >= 15 * MIB)
        (growing,) = queries.transfers(cloud.home)
        assert (growing.state, growing.action) == ("sending", "send")
        assert "still being written" in growing.cause
        assert growing.parts_done >= 3
        assert not place.exists()
        writer.add(MIB)
        writer.close()
        cloud.until_delivered("show.ts")

    assert place.read_bytes() == writer.content
    (receipt,) = queries.receipts(cloud.home)
    assert receipt.sha256 == digest(writer.content)
    assert noted(cloud, "SELECT * FROM uploads") == []


def test_what_is_left_at_the_end_of_a_slow_line_is_a_few_parts(
    cloud: Station, inbox: Path, proxy: proxy_fake.Proxy, s3_server: S3Server
) -> None:
    cloud.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint), verify="none")
    proxy.bytes_per_second = 1.2 * 4 * MIB
    writer = Writer(inbox / "show.ts")

    with cloud.running():
        for _ in range(120):
            writer.add(MIB // 4)
            # In step with the line, however busy the machine is: never more than 1.2 times as fast as it goes.
            cloud.until(lambda: len(writer.content) - proxy.passed_bytes <= 12 * MIB)
            time.sleep(0.0625)
        left = len(writer.content) - sent(cloud)
        writer.close()
        cloud.until_delivered("show.ts")

    assert left <= 4 * 5 * MIB
    assert (s3_server.bucket / "in" / "show.ts").read_bytes() == writer.content
    assert proxy.passed_bytes < 1.3 * len(writer.content)
    assert proxy.count("POST", "uploads") == 1


def test_a_kill_in_the_middle_sends_at_most_the_parts_in_flight_again(
    cloud: Station, inbox: Path, proxy: proxy_fake.Proxy, s3_server: S3Server
) -> None:
    cloud.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint))
    writer = Writer(inbox / "show.ts")
    writer.add(17 * MIB)

    process = cloud.spawn()
    cloud.until(lambda: sent(cloud) >= 10 * MIB)
    sync.kill(process)
    proxy.settle()
    writer.add(10 * MIB)
    process = cloud.spawn()
    cloud.until(lambda: sent(cloud) >= 25 * MIB)
    sync.kill(process)
    proxy.settle()
    writer.add(MIB)
    writer.close()
    process = cloud.spawn()
    cloud.until_delivered("show.ts", seconds=40)
    sync.end(process)

    assert (s3_server.bucket / "in" / "show.ts").read_bytes() == writer.content
    again = len(proxy.acknowledged()) - len(set(proxy.acknowledged()))
    assert again <= 2 * 4  # two kills, four parts at a time
    assert proxy.count("POST", "uploads") == 1
    assert {str(receipt.sha256) for receipt in queries.receipts(cloud.home)} == {digest(writer.content)}


@pytest.mark.parametrize("kind", ["file", "sftp"])
def test_a_folder_or_server_shows_only_the_hidden_name_until_it_is_whole(
    station: Station, inbox: Path, tmp_path: Path, kind: str
) -> None:
    with sftp_fake.serving(tmp_path / "server") as server:
        place = Path(server.root) / "in" if kind == "sftp" else tmp_path / "shelf"
        if kind == "sftp":
            server.trust(station.home.databases)
        station.connect("there", kind, str(place), server.options() if kind == "sftp" else {})
        station.watch("inbox", "there", folder=inbox, grow=True)
        writer = Writer(inbox / "show.ts")
        with station.running():
            for _ in range(3):
                writer.add(3 * MIB)
                station.until(lambda: sent(station) >= len(writer.content) - MIB)
            assert [path.name.split(".")[-1] for path in place.iterdir()] == ["part"]
            assert sum(path.stat().st_size for path in place.iterdir()) >= 8 * MIB
            writer.add(188)
            writer.close()
            station.until_delivered("show.ts")

        assert [path.name for path in place.iterdir()] == ["show.ts"]
        assert (place / "show.ts").read_bytes() == writer.content
        assert queries.receipts(station.home)[0].sha256 == digest(writer.content)


def test_a_pause_stops_it_and_its_end_goes_on(cloud: Station, inbox: Path, s3_server: S3Server) -> None:
    writer = Writer(inbox / "show.ts")
    writer.add(11 * MIB)
    with cloud.running():
        cloud.until(lambda: sent(cloud) >= 10 * MIB)
        cloud.order("pause", watch="inbox")
        cloud.until(lambda: cloud.states()["show.ts"] == "settling")
        before = sent(cloud)
        writer.add(10 * MIB)
        time.sleep(1.5)
        assert sent(cloud) == before
        cloud.order("resume", watch="inbox")
        cloud.until(lambda: sent(cloud) >= 20 * MIB)
        writer.close()
        cloud.until_delivered("show.ts")

    assert (s3_server.bucket / "in" / "show.ts").read_bytes() == writer.content


def test_a_file_that_goes_away_while_it_grows_leaves_nothing_behind(
    cloud: Station, inbox: Path, proxy: proxy_fake.Proxy, s3_server: S3Server
) -> None:
    cloud.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint))
    writer = Writer(inbox / "show.ts")
    writer.add(11 * MIB)
    with cloud.running():
        cloud.until(lambda: sent(cloud) >= 10 * MIB)
        (inbox / "show.ts").unlink()
        cloud.until(lambda: cloud.states() == {})
    writer.close()

    assert proxy.count("DELETE", "uploadId") == 1
    assert [path for path in s3_server.bucket.rglob("*") if path.is_file()] == []
    assert noted(cloud, "SELECT * FROM uploads") == noted(cloud, "SELECT * FROM growing") == []


def test_a_file_whose_beginning_is_rewritten_arrives_as_it_is_at_the_end(
    cloud: Station, inbox: Path, s3_server: S3Server
) -> None:
    writer = Writer(inbox / "show.mp4")
    writer.add(11 * MIB)
    with cloud.running():
        cloud.until(lambda: sent(cloud) >= 10 * MIB)
        with (inbox / "show.mp4").open("r+b") as stream:
            stream.write(b"an index that is only known at the end")
        writer.close()
        cloud.until_delivered("show.mp4")
        found = (inbox / "show.mp4").read_bytes()
        cloud.until(lambda: (s3_server.bucket / "in" / "show.mp4").read_bytes() == found)

    assert queries.receipts(cloud.home)[0].sha256 == digest(found)


def test_a_set_that_grows_is_completed_under_its_final_name(
    station: Station, tmp_path: Path, s3_server: S3Server
) -> None:
    """As a recording does: a hidden file that grows, then a second name for it, then the first one goes."""
    station.connect("cloud", "s3", "bench/out", s3_server.options())
    station.watch("shows", "cloud", sets=True, grow=True)
    station.tables["sync"]["part_bytes"] = 5 * MIB
    hidden, final = tmp_path / ".show.ts.partial", tmp_path / "show.ts"
    writer = Writer(hidden)
    writer.add(11 * MIB)

    with station.running():
        station.order("grow", set="growing:7", watch="shows", files=[{"path": str(hidden), "name": "uno/show.ts"}])
        station.until(lambda: sent(station) >= 10 * MIB)
        assert station.states() == {"uno/show.ts": "sending"}
        writer.add(7 * MIB)
        writer.close()
        station.until(lambda: sent(station) >= 18 * MIB)  # the tail goes too, before anybody says that it is the end
        final.hardlink_to(hidden)
        station.order("set", set="growing:7", watch="shows", files=[{"path": str(final), "name": "uno/show.ts"}])
        hidden.unlink()
        station.until_delivered("uno/show.ts")
        clip = tmp_path / "show.mp4"
        clip.write_bytes(b"what is made of it")
        files = [{"path": str(final), "name": "uno/show.ts"}, {"path": str(clip), "name": "uno/show.mp4"}]
        station.order("set", set="asset:7", watch="shows", files=files)
        station.until(lambda: [body["set"] for body in station.messages("set.delivered")] == ["growing:7", "asset:7"])

    assert (s3_server.bucket / "out" / "uno" / "show.ts").read_bytes() == writer.content
    assert len(queries.receipts(station.home, queries.Choice(path="uno/show.ts"))) == 1
    assert noted(station, "SELECT * FROM growing") == []
