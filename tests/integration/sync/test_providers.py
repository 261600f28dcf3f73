"""S3 as other providers have it: copies in parts, equal parts, virtual hosts, and what they refuse."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nephos.sync import errors, queries
from nephos.sync.connections import base
from nephos.sync.connections.s3 import connection as s3
from nephos.sync.connections.s3 import copying
from tests.fakes import bucket as buckets
from tests.fakes.bucket import Bucket
from tests.fakes.sync import Station

MIB = 1 << 20
TUNING = base.Tuning(single_put_bytes=2 * MIB, part_bytes=5 * MIB, part_threads=2)
SECRET = "a-key-that-nobody-may-read"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with buckets.serving() as serving:
        yield serving


@pytest.fixture
def options(bucket: Bucket, tmp_path: Path) -> dict[str, str | int | float | bool]:
    for name in ("access", "secret"):
        place = tmp_path / name
        place.touch(mode=0o600)
        place.write_text(SECRET)
    return {
        "endpoint": f"http://127.0.0.1:{bucket.port}",
        "access_key": f"file:{tmp_path}/access",
        "secret_key": f"file:{tmp_path}/secret",
    }


@pytest.fixture
def cloud(options: dict[str, Any]) -> Iterator[s3.S3Connection]:
    opened = s3.open_("cloud", options, "bench/in", None, TUNING)
    assert isinstance(opened, s3.S3Connection)
    yield opened
    opened.close()


def copied(cloud: s3.S3Connection, *, most: int) -> None:
    copying.copy(cloud._calls, "in/big", "in/moved", stop=base.NEVER, most=most, part_bytes=5 * MIB)


def test_what_is_too_big_for_one_copy_is_copied_in_parts_with_what_is_told_of_it(
    cloud: s3.S3Connection, bucket: Bucket
) -> None:
    bucket.objects["in/big"] = content = os.urandom(12 * MIB)
    bucket.metadata["in/big"] = {"x-amz-meta-nephos-transfer": "one"}

    copied(cloud, most=5 * MIB)

    assert bucket.objects["in/moved"] == content
    assert bucket.metadata["in/moved"] == {"x-amz-meta-nephos-transfer": "one"}
    assert sum(method == "PUT" for method, _, _ in bucket.requests) == 3
    assert bucket.uploads == {}


def test_what_is_not_too_big_is_copied_at_once(cloud: s3.S3Connection, bucket: Bucket) -> None:
    bucket.objects["in/big"] = content = os.urandom(5 * MIB)
    bucket.metadata["in/big"] = {}

    copied(cloud, most=5 * MIB)

    assert bucket.objects["in/moved"] == content
    assert [method for method, _, _ in bucket.requests] == ["HEAD", "PUT"]


def test_a_copy_in_parts_that_fails_leaves_no_parts(cloud: s3.S3Connection, bucket: Bucket) -> None:
    bucket.objects["in/big"] = os.urandom(12 * MIB)
    bucket.metadata["in/big"] = {}
    bucket.refuse = lambda method, target: (403, "AccessDenied") if "partNumber=2" in target else None

    with pytest.raises(errors.NotWelcome):
        copied(cloud, most=5 * MIB)

    assert bucket.uploads == {}
    assert "in/moved" not in bucket.objects


def test_a_provider_that_wants_equal_parts_gets_them(
    station: Station, inbox: Path, bucket: Bucket, options: dict[str, Any]
) -> None:
    bucket.equal_parts = True
    (inbox / "big").write_bytes(os.urandom(23 * MIB + 17))
    station.tables["sync"] = {"settle_seconds": 0.2, "single_put_bytes": MIB, "part_bytes": 5 * MIB}
    station.connect("cloud", "s3", "bench/in", options)
    station.watch("inbox", "cloud", folder=inbox)

    with station.running():
        station.until_delivered("big")

    assert bucket.objects["in/big"] == (inbox / "big").read_bytes()


def test_a_bucket_may_be_named_by_the_host(
    station: Station, inbox: Path, bucket: Bucket, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: resolve("127.0.0.1" if host.endswith(".test") else host, *more, **named),
    )
    host = f"store.test:{bucket.port}"
    station.connect("cloud", "s3", "bench/in", options | {"endpoint": f"http://{host}", "path_style": False})
    station.watch("inbox", "cloud", folder=inbox)
    (inbox / "a b").write_bytes(b"content")

    with station.running():
        station.until_delivered("a b")

    assert bucket.objects["in/a b"] == b"content"
    assert {seen for _, _, seen in bucket.requests} == {f"bench.{host}"}


REFUSALS = pytest.mark.parametrize(
    ("status", "code", "state", "word"),
    [
        (403, "AccessDenied", "held", "let us in"),
        (403, "InvalidAccessKeyId", "held", "let us in"),
        (403, "SignatureDoesNotMatch", "held", "let us in"),
        (403, "RequestTimeTooSkewed", "waiting", "clock"),
        (400, "ExpiredToken", "waiting", "ExpiredToken"),
        (507, "InsufficientStorage", "waiting", "no space"),
        (403, "QuotaExceeded", "waiting", "no space"),
        (404, "NoSuchBucket", "waiting", "bucket does not exist"),
        (400, "KeyTooLongError", "held", "cannot hold"),
        (200, "InternalError", "waiting", "no S3 server"),
    ],
)


@REFUSALS
def test_what_a_provider_refuses_is_told_and_nothing_is_lost(  # noqa: PLR0917
    station: Station,
    inbox: Path,
    bucket: Bucket,
    options: dict[str, Any],
    status: int,
    code: str,
    state: str,
    word: str,
) -> None:
    station.connect("cloud", "s3", "bench/in", options)
    station.watch("inbox", "cloud", folder=inbox)
    (inbox / "first").write_bytes(b"while all is well")

    with station.running():
        station.until_delivered("first")
        bucket.refuse = lambda method, target: (status, code) if method == "PUT" else None
        (inbox / "clip").write_bytes(b"content")
        station.until(lambda: station.states().get("clip") == state and _cause(station))
        told = _cause(station)
        refused = dict(bucket.objects)
        bucket.refuse = lambda method, target: None
        station.order("retry")
        station.until_delivered("clip")

    assert word in told
    assert refused == {"in/first": b"while all is well"}
    assert bucket.objects["in/clip"] == b"content"


def _cause(station: Station) -> str:
    return next((each.cause for each in queries.transfers(station.home) if each.path == "clip"), "")
