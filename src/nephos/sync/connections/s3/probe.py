"""Which sums does the server really check? Asked once, by a small object with deliberately wrong ones."""

from __future__ import annotations

import base64
import hashlib

from nephos.lib import ids
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.s3 import answers, vouching
from nephos.sync.connections.s3.calls import Calls
from nephos.sync.connections.s3.signer import UNSIGNED

_BODY = b"nephos probe"
_NOT_BODY = b"something else"
_SHA256, WRONG_SHA256 = (hashlib.sha256(each).hexdigest() for each in (_BODY, _NOT_BODY))
# Constants, so that a probe needs no library of sums: of the body, and of no bytes at all.
_CRC, WRONG_CRC = "nuFI2ZPIKfM=", "AAAAAAAAAAA="


def probe(calls: Calls) -> base.Profile:
    """Write, be refused, remove. Raises SyncError if even a correct object is not taken."""
    key = calls.endpoint.key(f".nephos-probe-{ids.new()}")
    calls.put(key, _BODY, sha256=_SHA256, stop=base.NEVER)
    found = [name for name, (right, wrong) in _forms(calls).items() if _is_checked(calls, key, right, wrong)]
    can_delete = True
    try:
        calls.delete(key, stop=base.NEVER)
    except errors.NotWelcome:
        can_delete = False  # a write-only account is fine; the probe object stays
    checks = "sha256" in found or "crc64nvme" in found
    return base.Profile(checks_content=checks, can_delete=can_delete, sums=" ".join(found))


def _forms(calls: Calls) -> dict[str, tuple[vouching.Vouched, vouching.Vouched]]:
    """Each sum as it will be sent, right and wrong."""
    right, wrong = (
        base64.b64encode(hashlib.md5(each, usedforsecurity=False).digest()).decode() for each in (_BODY, _NOT_BODY)
    )
    signed = UNSIGNED if calls.endpoint.secure else _SHA256
    return {
        "crc64nvme": ((UNSIGNED, {vouching.CRC: _CRC}), (UNSIGNED, {vouching.CRC: WRONG_CRC})),
        "sha256": ((_SHA256, {}), (WRONG_SHA256, {})),
        "md5": ((signed, {vouching.MD5: right}), (signed, {vouching.MD5: wrong})),
    }


def _is_checked(calls: Calls, key: str, right: vouching.Vouched, wrong: vouching.Vouched) -> bool:
    """Refused when it is wrong and taken when it is right: what is refused either way is refused for something else."""
    return _refuses(calls, key, wrong) and not _refuses(calls, key, right)


def _refuses(calls: Calls, key: str, form: vouching.Vouched) -> bool:
    signed, headers = form
    answer = calls.ask_raw("PUT", key, headers, _BODY, signed)
    if answer.status >= 500:
        raise answers.refusal(answer)
    return 400 <= answer.status < 500
