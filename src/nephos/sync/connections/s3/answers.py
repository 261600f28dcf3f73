"""What an S3 server says, in our words: XML documents and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from nephos.sync import errors
from nephos.sync.connections.base import Part
from nephos.sync.connections.s3.exchange import Answer

if TYPE_CHECKING:
    from xml.etree import ElementTree

_MOST_XML_BYTES = 8 * 1024 * 1024


class NoSuchObject(errors.Refused):
    """The destination has no such object."""


class NoBucket(errors.SyncError):
    """The bucket does not exist."""

    permanent = False
    everywhere = True
    retry_after: ClassVar[timedelta] = timedelta(seconds=30)


class NoStore(errors.Offline):
    """Something answered that is no S3 server: a portal, or a proxy in between."""


class ClockWrong(errors.SyncError):
    """The clock here and that of the destination are too far apart for signatures: which of them is wrong?"""

    permanent = False
    everywhere = True
    retry_after: ClassVar[timedelta] = timedelta(seconds=30)


_BY_CODE: dict[str, type[errors.SyncError]] = {
    "NoSuchUpload": errors.UploadLost,
    "NoSuchKey": NoSuchObject,
    "NoSuchBucket": NoBucket,
    "BadDigest": errors.Mismatch,
    "InvalidDigest": errors.Mismatch,
    "XAmzContentSHA256Mismatch": errors.Mismatch,
    "XAmzContentChecksumMismatch": errors.Mismatch,
    "InvalidPart": errors.UploadLost,
    "InvalidPartOrder": errors.UploadLost,
    "EntityTooSmall": errors.UploadLost,
    "KeyTooLongError": errors.NameRefused,
    "AccessDenied": errors.NotWelcome,
    "InvalidAccessKeyId": errors.NotWelcome,
    "SignatureDoesNotMatch": errors.NotWelcome,
    "AccountProblem": errors.NotWelcome,
    "ExpiredToken": errors.Overloaded,
    "RequestTimeTooSkewed": ClockWrong,
    "RequestExpired": ClockWrong,
    "QuotaExceeded": errors.RemoteFull,
    "QuotaExceededException": errors.RemoteFull,
    "InsufficientStorage": errors.RemoteFull,
    "SlowDown": errors.Overloaded,
    "InternalError": errors.Overloaded,
    "ServiceUnavailable": errors.Overloaded,
    "OperationAborted": errors.Overloaded,
    "RequestTimeout": errors.Overloaded,
    "NotImplemented": errors.NotOffered,
}


def tree(body: bytes) -> ElementTree.Element:
    """The root of a document. Raises Overloaded for what is none: a proxy's page, a cut answer, a trick."""
    from xml.etree import ElementTree  # small objects need none, and it would be loaded at each start

    if len(body) > _MOST_XML_BYTES or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise errors.Overloaded("The destination answered with a document that is not trusted.")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - bounded above, and no document type can come in
    except ElementTree.ParseError as error:
        raise errors.Overloaded("The destination answered with something that is no XML.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def check(answer: Answer) -> Answer:
    """The answer itself if it is a success. Raises what it means otherwise."""
    if answer.status < 300:
        return answer
    raise refusal(answer)


def stored(answer: Answer) -> Answer:
    """The answer to what was put or looked at, if it names the content. Raises what it means otherwise.

    A portal in between, or a proxy with an error document, says 200 as well; no S3 server does so without an ETag.
    """
    check(answer)
    if not answer.header("etag"):
        raise NoStore
    return answer


def removed(answer: Answer) -> None:
    """Nothing, if a removal is over. Raises what it means otherwise."""
    if answer.status != 404:
        check(answer)
        if answer.body:
            finished(answer)


def refusal(answer: Answer) -> errors.SyncError:
    """What a refusal means."""
    code, message = _error_of(answer.body)
    kind = _BY_CODE.get(code) or _by_status(answer.status)
    said = ": ".join(part for part in (code, message[:200]) if part) or f"HTTP {answer.status}"
    sentence = (kind.__doc__ or "").splitlines()[0].rstrip(".")
    return kind(f"{sentence} ({said}).")


def finished(answer: Answer) -> ElementTree.Element:
    """The result of a completion, which may carry an error inside a 200."""
    check(answer)
    root = tree(answer.body)
    if root.tag == "Error":
        raise refusal(Answer(500, answer.headers, answer.body))
    return root


def text(element: ElementTree.Element, name: str) -> str:
    """Text of a child, empty if it is absent."""
    return (element.findtext(name) or "").strip()


def parts(root: ElementTree.Element) -> Iterator[Part]:
    """The parts in a list of parts."""
    for element in root.iter("Part"):
        try:
            number, size = int(text(element, "PartNumber")), int(text(element, "Size"))
        except ValueError as error:
            raise errors.Overloaded("The destination lists a part without number or size.") from error
        yield Part(number=number, bytes=size, etag=bare(text(element, "ETag")))


def completion(found: list[Part]) -> bytes:
    """The document that asks for completion."""
    inner = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber><ETag>{_escaped(quoted(part.etag))}</ETag></Part>"
        for part in found
    )
    return f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def bare(etag: str) -> str:
    """An ETag without its quotation marks."""
    return etag.strip().removeprefix("W/").strip('"')


def quoted(etag: str) -> str:
    """And with them."""
    return f'"{etag}"'


def _error_of(body: bytes) -> tuple[str, str]:
    try:
        root = tree(body)
    except errors.Overloaded:
        return "", ""
    return (text(root, "Code"), text(root, "Message")) if root.tag == "Error" else ("", "")


def _by_status(status: int) -> type[errors.SyncError]:
    if status in {401, 403}:
        return errors.NotWelcome
    if status == 404:
        return NoSuchObject
    if status == 507:
        return errors.RemoteFull
    if status in {408, 409, 425, 429} or status >= 500:
        return errors.Overloaded
    return errors.Refused
