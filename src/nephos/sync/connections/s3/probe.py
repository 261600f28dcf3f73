"""Which sums does the server really check? Asked once, by a small object with deliberately wrong ones."""

from __future__ import annotations

import base64
import hashlib

from nephos.lib import ids
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.s3 import answers, sums, vouching
from nephos.sync.connections.s3.calls import Calls
from nephos.sync.connections.s3.signer import UNSIGNED

_BODY = b"nephos probe"
_NOT_BODY = b"something else"


def probe(calls: Calls) -> base.Profile:
    """Write, be refused, remove. Raises SyncError if even a correct object is not taken."""
    key = calls.endpoint.key(f".nephos-probe-{ids.new()}")
    right = hashlib.sha256(_BODY).hexdigest()
    calls.put(key, _BODY, sha256=right, stop=base.NEVER)
    found = [name for name, wrong in _WRONG.items() if _refuses(calls, key, *wrong())]
    can_delete = True
    try:
        calls.delete(key, stop=base.NEVER)
    except errors.NotWelcome:
        can_delete = False  # a write-only account is fine; the probe object stays
    checks = "sha256" in found or "crc64nvme" in found
    return base.Profile(checks_content=checks, can_delete=can_delete, sums=" ".join(found))


def _refuses(calls: Calls, key: str, signed: str, headers: dict[str, str]) -> bool:
    answer = calls.ask_raw("PUT", key, headers, _BODY, signed)
    if answer.status >= 500:
        raise answers.refusal(answer)
    return 400 <= answer.status < 500


def _wrong_crc() -> tuple[str, dict[str, str]]:
    return UNSIGNED, {vouching.CRC: sums.shown(sums.crc64nvme_of(_NOT_BODY))}


def _wrong_sha() -> tuple[str, dict[str, str]]:
    return hashlib.sha256(_NOT_BODY).hexdigest(), {}


def _wrong_md5() -> tuple[str, dict[str, str]]:
    digest = hashlib.md5(_NOT_BODY, usedforsecurity=False).digest()
    return UNSIGNED, {vouching.MD5: base64.b64encode(digest).decode()}


_WRONG = {"crc64nvme": _wrong_crc, "sha256": _wrong_sha, "md5": _wrong_md5}
