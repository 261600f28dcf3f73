"""S3 on a server that checks every sum: the proof is the server's own word."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.lib import ids
from nephos.sync import fingerprints
from nephos.sync.connections import base
from nephos.sync.connections.s3 import connection as s3
from nephos.sync.connections.s3 import signer
from nephos.sync.states import Proof
from tests.fakes import connection as fake
from tests.fakes import swift

MIB = 1 << 20
TUNING = base.Tuning(single_put_bytes=2 * MIB, part_bytes=5 * MIB, part_threads=2)

pytestmark = pytest.mark.skipif(swift.programs() is None, reason="NEPHOS_TEST_SWIFT names no Swift")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[s3.S3Connection]:
    programs = swift.programs()
    assert programs is not None
    with swift.serving(tmp_path / "swift", programs) as server:
        opened = s3.open_("cloud", server.options(), "bench/in", None, TUNING)
        assert isinstance(opened, s3.S3Connection)
        made = opened._calls.ask_raw("PUT", "", {}, b"", signer.EMPTY_SHA256)
        assert made.status == 200, made
        yield opened
        opened.close()


@pytest.mark.slow
def test_a_server_that_checks_vouches_for_small_and_big_files(cloud: s3.S3Connection, tmp_path: Path) -> None:
    profile = cloud.probe()
    items = []
    for number, size in enumerate([0, 10_000, 300_000, 12 * MIB]):
        source = tmp_path / f"source {number}"
        source.write_bytes(os.urandom(size))
        found = fingerprints.take(os.fsencode(source))
        items.append(base.Item(number, os.fsencode(source), source.name, found, ids.new()))

    outcomes = list(cloud.send(items, journal=fake.Notes(), stop=threading.Event()))

    assert profile == dataclasses.replace(profile, checks_content=True, can_delete=True)
    assert {outcome.error for outcome in outcomes} == {None}
    proofs = {outcome.delivered.proof for outcome in outcomes if outcome.delivered}
    assert proofs == {Proof.SERVER}
    for outcome in outcomes:
        digest = hashlib.sha256()
        cloud.read(outcome.item.path, digest.update, start=0, stop=base.NEVER)
        assert outcome.delivered is not None
        assert digest.hexdigest() == outcome.delivered.sha256
