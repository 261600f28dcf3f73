"""S3 over TLS: the certificate is always verified, the content is vouched for by a CRC."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from nephos.sync import queries
from tests.fakes import tls
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20


def test_small_and_big_files_arrive_over_tls(
    station: Station, inbox: Path, tmp_path: Path, s3_server: S3Server
) -> None:
    contents = {"small": os.urandom(1000), "big": os.urandom(12 * MIB)}
    for name, content in contents.items():
        (inbox / name).write_bytes(content)
    station.tables["sync"] = {"settle_seconds": 0.2, "single_put_bytes": MIB, "part_bytes": 5 * MIB}
    with tls.fronting(s3_server.port, tmp_path / "tls") as (port, authority):
        options = s3_server.options(endpoint=f"https://127.0.0.1:{port}") | {"ca_file": str(authority)}
        station.connect("cloud", "s3", "bench", options)
        station.watch("inbox", "cloud", folder=inbox)
        with station.running():
            station.until_delivered("small", "big")

    found = {receipt.path: receipt.sha256 for receipt in queries.receipts(station.home)}
    assert found == {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_is_sent(
    station: Station, inbox: Path, tmp_path: Path, s3_server: S3Server
) -> None:
    (inbox / "clip").write_bytes(b"x")
    with tls.fronting(s3_server.port, tmp_path / "tls") as (port, _):
        station.connect("cloud", "s3", "bench", s3_server.options(endpoint=f"https://127.0.0.1:{port}"))
        station.watch("inbox", "cloud", folder=inbox)
        with station.running():
            station.until(lambda: "cannot be trusted" in station.beat and "ca_file" in station.beat)

    assert list(s3_server.bucket.iterdir()) == []
    assert station.states()["clip"] in {"ready", "waiting"}
