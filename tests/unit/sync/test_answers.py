"""What a server says, in our words."""

from __future__ import annotations

import pytest

from nephos.sync import errors
from nephos.sync.connections.base import Part
from nephos.sync.connections.s3 import answers, multipart
from nephos.sync.connections.s3.exchange import Answer

MIB = 1 << 20


def answer(status: int, body: str = "") -> Answer:
    return Answer(status, {}, body.encode())


@pytest.mark.parametrize(
    ("status", "code", "kind", "permanent"),
    [
        (403, "AccessDenied", errors.NotWelcome, True),
        (403, "", errors.NotWelcome, True),
        (404, "NoSuchUpload", errors.UploadLost, False),
        (404, "NoSuchBucket", answers.NoBucket, False),
        (404, "", answers.NoSuchObject, True),
        (500, "InternalError", errors.Overloaded, False),
        (503, "SlowDown", errors.Overloaded, False),
        (502, "", errors.Overloaded, False),
        (507, "", errors.RemoteFull, False),
        (400, "BadDigest", errors.Mismatch, False),
        (400, "KeyTooLongError", errors.NameRefused, True),
        (400, "SomethingNew", errors.Refused, True),
    ],
)
def test_a_refusal_is_permanent_or_not(status: int, code: str, kind: type[errors.SyncError], permanent: bool) -> None:
    body = f"<Error><Code>{code}</Code><Message>why</Message></Error>" if code else "<html>proxy</html>"

    error = answers.refusal(answer(status, body))

    assert type(error) is kind
    assert error.permanent is permanent
    assert code in error.message


def test_an_error_inside_a_success_is_an_error() -> None:
    with pytest.raises(errors.Overloaded):
        answers.finished(answer(200, "<Error><Code>InternalError</Code></Error>"))


@pytest.mark.parametrize("body", ["", "no xml", "<a>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_trusted_document_is_not_read(body: str) -> None:
    with pytest.raises(errors.Overloaded):
        answers.tree(body.encode())


def test_parts_are_listed_whatever_the_namespace() -> None:
    text = (
        '<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>2</PartNumber>'
        "<Size>5</Size><ETag>&quot;abc&quot;</ETag></Part></ListPartsResult>"
    )

    assert list(answers.parts(answers.tree(text.encode()))) == [Part(2, 5, "abc")]


def test_completion_quotes_etags() -> None:
    assert b'<ETag>"a&amp;b"</ETag>' in answers.completion([Part(1, 5, "a&b")])


@pytest.mark.parametrize(
    ("size", "wanted", "expected"),
    [
        (20 * MIB, 0, 8 * MIB),
        (2048 * MIB, 0, 16 * MIB),
        (20 * MIB, 1 * MIB, 5 * MIB),
        (20 * MIB, 64 * MIB, 64 * MIB),
        (9000 * 32 * MIB, 0, 32 * MIB),
    ],
)
def test_parts_are_few_enough_and_big_enough(size: int, wanted: int, expected: int) -> None:
    assert multipart.part_bytes(size, wanted=wanted) == expected
    assert -(-size // expected) <= 10_000
