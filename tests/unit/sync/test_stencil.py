"""The quick way to sign a small object's PUT says the same as the general one, which is tested against botocore."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nephos.config.secret import Secret
from nephos.lib import clock
from nephos.sync import fingerprints
from nephos.sync.connections import base
from nephos.sync.connections.s3 import calls, endpoint, exchange, sending, signer, stencil, vouching

SECOND = 1795374980.5
PLACE = endpoint.parse(endpoint.S3Options("http://127.0.0.1:8060", "env:A", "env:B"), "bucket/pre fix", name="test")
SUM = "0" * 64


@pytest.mark.parametrize("path", ["folder 001/file 0001", "ü/é'&<>.mp4", "plain.txt"])
@pytest.mark.parametrize(
    "headers",
    [{}, {vouching.MD5: "q1B+/w=="}, {vouching.CRC: "AAAAAAAAAAA="}, {vouching.MD5: "a=", vouching.CRC: "b="}],
)
@pytest.mark.parametrize("signed", [SUM, signer.UNSIGNED])
def test_every_form_is_signed_as_the_general_way_signs_it(
    monkeypatch: pytest.MonkeyPatch, path: str, headers: dict[str, str], signed: str
) -> None:
    monkeypatch.setattr(clock, "unix", lambda: SECOND)
    sign = signer.Signer(access_key=Secret("AKIDEXAMPLE"), secret_key=Secret("se/cr+et"), region="eu-west-1")
    of_bucket = calls.Calls(PLACE, sign, exchange.Pool(PLACE))
    item = base.Item(1, b"source", path, fingerprints.Fingerprint(10, 77, 3), "transfer-1")
    key = PLACE.key(path)

    head = stencil.put(of_bucket, key, item, length=10, vouched=(signed, headers)).decode()

    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    sent = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    wanted = sign.sign(
        signer.Request("PUT", PLACE.target(key), {}, sending.metadata(item) | headers, signed),
        host=PLACE.authority,
        now=datetime.fromtimestamp(SECOND, UTC),
    )
    assert first == f"PUT {PLACE.target(key)} HTTP/1.1"
    assert sent == {**wanted, "content-length": "10"}
