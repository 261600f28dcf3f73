"""Signatures of S3 requests (AWS Signature Version 4). Tested against botocore."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from nephos.config.secret import Secret
from nephos.lib import clock

UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_ALGORITHM = "AWS4-HMAC-SHA256"
_BLOCK_BYTES = 64  # of SHA-256, as HMAC wants it


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `target` is the encoded path, `query` plain pairs, `headers` in lower case without the host."""

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    payload_sha256: str = EMPTY_SHA256


class Moment(NamedTuple):
    """What the requests of one second share: the beginnings of texts, and the key of the day as HMAC's two halves."""

    second: int
    stamp: str
    beginning: str
    credential: str
    inner: hashlib._Hash
    outer: hashlib._Hash


class Signer:
    """Signs for one key pair and region; the key of the day is computed once a day."""

    def __init__(self, *, access_key: Secret, secret_key: Secret, region: str) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._region = region
        self._moment = Moment(0, "", "", "", hashlib.sha256(), hashlib.sha256())

    def sign(self, request: Request, *, host: str, now: datetime | None = None) -> dict[str, str]:
        """All headers to send, the signature among them."""
        moment = self.moment() if now is None else self._at(now.timestamp())
        headers = {
            **request.headers,
            "host": host,
            "x-amz-content-sha256": request.payload_sha256,
            "x-amz-date": moment.stamp,
        }
        ordered = sorted(headers.items())
        signed = ";".join([name for name, _ in ordered])
        lines = "\n".join([f"{name}:{value if value.isalnum() else _folded(value)}" for name, value in ordered])
        query = canonical_query(request.query) if request.query else ""
        canonical = f"{request.method}\n{request.target}\n{query}\n{lines}\n\n{signed}\n{request.payload_sha256}"
        headers["authorization"] = f"{moment.credential}{signed}, Signature={self.signature(moment, canonical)}"
        return headers

    def moment(self) -> Moment:
        """Of now."""
        return self._at(clock.unix())

    def signature(self, moment: Moment, canonical: str) -> str:
        """Of a canonical request."""
        text = f"{moment.beginning}{hashlib.sha256(canonical.encode()).hexdigest()}"
        # HMAC by its two halves, which are the same for a whole day: a third of the time of `hmac.digest`.
        inner, outer = moment.inner.copy(), moment.outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest()

    def _at(self, unix: float) -> Moment:
        """What is the same for all requests of one second. For several threads: it is replaced as a whole."""
        known = self._moment
        if known.second == int(unix):
            return known
        stamp = clock.compact(datetime.fromtimestamp(unix, UTC))
        inner, outer = known.inner, known.outer
        if known.stamp[:8] != stamp[:8]:
            inner, outer = self._halves(stamp[:8])
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        beginning = f"{_ALGORITHM}\n{stamp}\n{scope}\n"
        credential = f"{_ALGORITHM} Credential={self._access_key.reveal()}/{scope}, SignedHeaders="
        self._moment = Moment(int(unix), stamp, beginning, credential, inner, outer)
        return self._moment

    def _halves(self, day: str) -> tuple[hashlib._Hash, hashlib._Hash]:
        key = f"AWS4{self._secret_key.reveal()}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        return hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)), hashlib.sha256(
            bytes(byte ^ 0x5C for byte in padded)
        )


def canonical_query(query: Mapping[str, str]) -> str:
    """Pairs encoded and in order, as they are signed and sent."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in encoded)


def _folded(value: str) -> str:
    return " ".join(value.split())
