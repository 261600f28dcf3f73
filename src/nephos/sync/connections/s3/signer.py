"""Signatures of S3 requests (AWS Signature Version 4). Tested against botocore."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from nephos.config.secret import Secret
from nephos.lib import clock

UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `target` is the encoded path, `query` plain pairs, `headers` in lower case without the host."""

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    payload_sha256: str = EMPTY_SHA256


class Signer:
    """Signs for one key pair and region; the key of the day is computed once a day."""

    def __init__(self, *, access_key: Secret, secret_key: Secret, region: str) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._region = region
        self._day = ""
        self._day_key = b""

    def sign(self, request: Request, *, host: str, now: datetime | None = None) -> dict[str, str]:
        """All headers to send, the signature among them."""
        stamp = clock.compact(now or clock.now())
        headers = {
            **request.headers,
            "host": host,
            "x-amz-content-sha256": request.payload_sha256,
            "x-amz-date": stamp,
        }
        ordered = sorted(headers.items())
        signed = ";".join(name for name, _ in ordered)
        canonical = "\n".join(
            (
                request.method,
                request.target,
                canonical_query(request.query),
                *(f"{name}:{_folded(value)}" for name, value in ordered),
                "",
                signed,
                request.payload_sha256,
            )
        )
        day = stamp[:8]
        scope = f"{day}/{self._region}/s3/aws4_request"
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key(day), text.encode(), "sha256").hex()
        credential = f"{self._access_key.reveal()}/{scope}"
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={credential}, SignedHeaders={signed}, Signature={signature}"
        )
        return headers

    def _key(self, day: str) -> bytes:
        if self._day != day:
            key = f"AWS4{self._secret_key.reveal()}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            # The key goes in first: another thread that sees the new day must not find the old key.
            self._day_key = key
            self._day = day
        return self._day_key


def canonical_query(query: Mapping[str, str]) -> str:
    """Pairs encoded and in order, as they are signed and sent."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in encoded)


def _folded(value: str) -> str:
    return " ".join(value.split())
