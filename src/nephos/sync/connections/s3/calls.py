"""The calls of S3 that we use, signed and sent, one function each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import quote

from nephos.lib import backoff, ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.base import Part, Remote
from nephos.sync.connections.s3 import answers, signer
from nephos.sync.connections.s3.endpoint import Endpoint
from nephos.sync.connections.s3.exchange import IDLE_SECONDS, Answer, Body, FileRange, Pool, Sink

_COMPLETE_SECONDS = 600.0  # a big object may take the server minutes to put together
QUICK_TRIES = 3
QUICK = backoff.Backoff(first=timedelta(milliseconds=200), most=timedelta(seconds=2))

META = "x-amz-meta-"
TRANSFER = "nephos-transfer"


class Calls:
    """One bucket. Errors are SyncErrors; those that pass by themselves are tried a few times at once."""

    def __init__(self, endpoint: Endpoint, sign: signer.Signer, pool: Pool) -> None:
        self.endpoint = endpoint
        self.signer = sign
        self.host = endpoint.authority
        self._pool = pool
        self.tls = pool.tls

    def put(
        self, key: str, body: Body, *, sha256: str, headers: Mapping[str, str] | None = None, stop: ports.Waiter
    ) -> Answer:
        """PutObject."""
        return answers.stored(self._ask("PUT", key, {}, headers or {}, body=body, sha256=sha256, stop=stop))

    def create(self, key: str, *, headers: Mapping[str, str], stop: ports.Waiter) -> str:
        """CreateMultipartUpload: the upload id."""
        answer = self._ask("POST", key, {"uploads": ""}, headers, stop=stop)
        upload = answers.text(answers.tree(answer.body), "UploadId")
        if not upload:
            raise errors.Overloaded("The destination began an upload without naming it.")
        return upload

    def upload_part(  # noqa: PLR0913 - what S3 wants to know of a part
        self,
        key: str,
        upload: str,
        number: int,
        body: FileRange,
        *,
        sha256: str,
        headers: Mapping[str, str],
        stop: ports.Waiter,
    ) -> str:
        """UploadPart: its ETag."""
        query = {"partNumber": str(number), "uploadId": upload}
        answer = self._ask("PUT", key, query, headers, body=body, sha256=sha256, stop=stop)
        return answers.bare(answers.stored(answer).header("etag"))

    def list_parts(self, key: str, upload: str, *, stop: ports.Waiter) -> dict[int, Part]:
        """ListParts, all pages. Raises UploadLost if the server knows no such upload."""
        found: dict[int, Part] = {}
        marker = ""
        while True:
            query = {"uploadId": upload} | ({"part-number-marker": marker} if marker else {})
            try:
                answer = self._ask("GET", key, query, {}, stop=stop)
            except answers.NoSuchObject as error:
                raise errors.UploadLost from error
            root = answers.tree(answer.body)
            found |= {part.number: part for part in answers.parts(root)}
            following = answers.text(root, "NextPartNumberMarker")
            if answers.text(root, "IsTruncated") != "true" or not following or following == marker:
                return found
            marker = following

    def complete(self, key: str, upload: str, found: list[Part], *, stop: ports.Waiter) -> Answer:
        """CompleteMultipartUpload, tried once: what a lost answer means is for the caller to find out."""
        document = answers.completion(found)
        sha256 = hashlib.sha256(document).hexdigest()
        answer = self._once(
            "POST", key, {"uploadId": upload}, {}, body=document, sha256=sha256, stop=stop, idle=_COMPLETE_SECONDS
        )
        answers.finished(answer)
        return answer

    def abort(self, key: str, upload: str, *, stop: ports.Waiter) -> None:
        """AbortMultipartUpload; an upload that is not there is no error."""
        answers.removed(self._once("DELETE", key, {"uploadId": upload}, {}, stop=stop))

    def head(self, key: str, *, stop: ports.Waiter) -> Remote | None:
        """HeadObject, None if there is none."""
        try:
            answer = answers.stored(self._ask("HEAD", key, {}, {}, stop=stop))
        except answers.NoSuchObject:
            return None
        metadata = {name.removeprefix(META): value for name, value in answer.headers.items() if name.startswith(META)}
        return Remote(
            key=key,
            bytes=int(answer.header("content-length") or 0),
            etag=answers.bare(answer.header("etag")),
            version=answer.header("x-amz-version-id"),
            metadata=metadata,
        )

    def get(self, key: str, sink: Sink, *, stop: ports.Waiter, start: int = 0) -> None:
        """GetObject from an offset into a sink; tried once, since the sink has an end of its own."""
        part = {"range": f"bytes={start}-"} if start else {}
        answers.check(self._once("GET", key, {}, part, stop=stop, sink=sink))

    def delete(self, key: str, *, stop: ports.Waiter) -> None:
        """DeleteObject of exactly this key."""
        answers.removed(self._once("DELETE", key, {}, {}, stop=stop))

    def copy(self, source: str, target: str, *, stop: ports.Waiter) -> None:
        """CopyObject, which may carry an error inside a 200."""
        answers.finished(self._once("PUT", target, {}, self._origin(source), stop=stop, idle=_COMPLETE_SECONDS))

    def copy_part(
        self, source: str, target: str, upload: str, *, number: int, span: tuple[int, int], stop: ports.Waiter
    ) -> str:
        """UploadPartCopy of the bytes from one offset to before another: the part's ETag."""
        query = {"partNumber": str(number), "uploadId": upload}
        part = self._origin(source) | {"x-amz-copy-source-range": f"bytes={span[0]}-{span[1] - 1}"}
        answer = answers.check(self._once("PUT", target, query, part, stop=stop, idle=_COMPLETE_SECONDS))
        if not answer.body:  # it took the request for an empty part
            raise errors.Refused("The destination does not copy in parts.")
        return answers.bare(answers.text(answers.finished(answer), "ETag"))

    def _origin(self, source: str) -> dict[str, str]:
        return {"x-amz-copy-source": quote(f"/{self.endpoint.bucket}/{source}", safe="/-_.~")}

    def list(self, prefix: str, *, stop: ports.Waiter) -> Iterator[Remote]:
        """ListObjectsV2, all pages."""
        token = ""
        while True:
            query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
            root = answers.tree(self._ask("GET", "", query, {}, stop=stop).body)
            for entry in root.iter("Contents"):
                yield Remote(
                    key=entry.findtext("Key") or "",
                    bytes=int(answers.text(entry, "Size") or 0),
                    etag=answers.bare(answers.text(entry, "ETag")),
                )
            token = answers.text(root, "NextContinuationToken")
            if answers.text(root, "IsTruncated") != "true" or not token:
                return

    def close(self) -> None:
        """Close the connections that are idle."""
        self._pool.close()

    def ask_raw(self, method: str, key: str, headers: Mapping[str, str], body: bytes, sha256: str) -> Answer:
        """One request as it is, whatever the answer; for probes."""
        return self._once(method, key, {}, headers, body=body, sha256=sha256, stop=base.NEVER)

    def _ask(  # noqa: PLR0913
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        stop: ports.Waiter,
        body: Body = b"",
        sha256: str = signer.EMPTY_SHA256,
    ) -> Answer:
        failures = 0
        while True:
            try:
                return answers.check(self._once(method, key, query, headers, body=body, sha256=sha256, stop=stop))
            except errors.Overloaded:
                # rclone's server answers 500 when two first files meet in a new folder; the second try is fine.
                failures += 1
                if failures >= QUICK_TRIES or stop.wait(QUICK.delay(failures - 1).total_seconds()):
                    raise

    def _once(  # noqa: PLR0913
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        stop: ports.Waiter,
        body: Body = b"",
        sha256: str = signer.EMPTY_SHA256,
        idle: float = IDLE_SECONDS,
        sink: Sink | None = None,
    ) -> Answer:
        length = len(body) if isinstance(body, bytes) else body.length
        request = self.request(method, key, query, headers, length=length, sha256=sha256)
        return self._pool.ask(request, body, stop=stop, idle=idle, sink=sink)

    def request(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        length: int = 0,
        sha256: str = signer.EMPTY_SHA256,
    ) -> bytes:
        """The signed head of a request."""
        target = self.endpoint.target(key)
        signed = self.signer.sign(signer.Request(method, target, query, headers, sha256), host=self.host)
        question = f"?{signer.canonical_query(query)}" if query else ""
        lines = [f"{method} {target}{question} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.items())]
        if length or method in {"PUT", "POST"}:
            lines.append(f"content-length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()
