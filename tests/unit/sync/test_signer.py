"""Our signatures against botocore's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote, urlencode

import pytest
from botocore import auth, awsrequest, compat, credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.config.secret import Secret
from nephos.sync.connections.s3 import endpoint, signer

NOW = datetime(2026, 11, 22, 19, 16, 20, tzinfo=UTC)
PLACE = endpoint.parse(endpoint.S3Options("http://127.0.0.1:8060", "env:A", "env:B"), "bucket/pre fix", name="test")


def ours(request: signer.Request, host: str) -> str:
    sign = signer.Signer(access_key=Secret("AKIDEXAMPLE"), secret_key=Secret("se/cr+et"), region="eu-west-1")
    return sign.sign(request, host=host, now=NOW)["authorization"]


def theirs(request: signer.Request, host: str) -> str:
    query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
    headers = {**request.headers, "Host": host, "X-Amz-Content-SHA256": request.payload_sha256}
    asked = awsrequest.AWSRequest(request.method, f"http://{host}{request.target}{query}", headers=headers)
    asked.context["payload_signing_enabled"] = True
    oracle = auth.S3SigV4Auth(credentials.Credentials("AKIDEXAMPLE", "se/cr+et"), "s3", "eu-west-1")
    with (
        mock.patch.object(oracle, "payload", return_value=request.payload_sha256),
        mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None))
        if hasattr(auth, "get_current_datetime")
        else mock.patch.object(compat, "get_current_datetime", return_value=NOW.replace(tzinfo=None)),
    ):
        oracle.add_auth(asked)
    return str(asked.headers["Authorization"])


def same(request: signer.Request, host: str = "127.0.0.1:8060") -> None:
    pattern = r"Credential=(\S+), SignedHeaders=(\S+), Signature=(\S+)"
    found = re.search(pattern, ours(request, host))
    wanted = re.search(pattern, theirs(request, host))
    assert found
    assert wanted
    assert found.groups() == wanted.groups()


@pytest.mark.parametrize(
    "key",
    ["a.mp4", "a b/c+d.mp4", "ü/é'&<>\"%20.ts", "x\ny\tz", "~tilde-_.~", "a=b&c=d?e#f", "(1)!*'@:;,$", "日本/語"],
)
def test_odd_keys_are_signed_as_botocore_signs_them(key: str) -> None:
    same(signer.Request("PUT", PLACE.target(PLACE.key(key)), {}, {"content-type": "video/mp4"}, signer.UNSIGNED))


def test_queries_and_metadata_are_part_of_the_signature() -> None:
    query = {"uploadId": "a+b/c=", "partNumber": "7"}
    same(signer.Request("PUT", PLACE.target("k"), query, {"x-amz-meta-nephos-transfer": "two  spaces"}, "0" * 64))


def test_a_query_without_a_value() -> None:
    same(signer.Request("POST", PLACE.target("k"), {"uploads": ""}, {}))


@settings(max_examples=60)
@given(
    key=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
def test_any_key_and_any_query_value(key: str, value: str) -> None:
    same(signer.Request("GET", PLACE.target(key), {"prefix": value, "list-type": "2"}, {}), host="s3.example.org")


def test_the_key_of_the_day_changes_with_the_day() -> None:
    sign = signer.Signer(access_key=Secret("A"), secret_key=Secret("B"), region="r")
    request = signer.Request("GET", "/b/k", {}, {})

    first = sign.sign(request, host="h", now=NOW)["authorization"]
    sign.sign(request, host="h", now=NOW.replace(day=23))

    assert sign.sign(request, host="h", now=NOW)["authorization"] == first
