"""Does the server really check what it gets? Asked once, by a small object with a deliberately wrong sum."""

from __future__ import annotations

import base64
import hashlib

from nephos.lib import ids
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.s3 import answers
from nephos.sync.connections.s3.calls import Calls
from nephos.sync.connections.s3.signer import UNSIGNED

_BODY = b"nephos probe"
_NOT_BODY = b"something else"


def probe(calls: Calls) -> base.Profile:
    """Write, be refused, remove. Raises SyncError if even a correct object is not taken."""
    key = calls.endpoint.key(f".nephos-probe-{ids.new()}")
    right = hashlib.sha256(_BODY).hexdigest()
    calls.put(key, _BODY, sha256=right, stop=base.NEVER)
    checks = _refuses_wrong_sum(calls, key)
    can_delete = True
    try:
        calls.delete(key, stop=base.NEVER)
    except errors.NotWelcome:
        can_delete = False  # a write-only account is fine; the probe object stays
    return base.Profile(checks_content=checks, can_delete=can_delete)


def _refuses_wrong_sum(calls: Calls, key: str) -> bool:
    if calls.endpoint.secure:
        from awscrt import checksums

        wrong = base64.b64encode(checksums.crc64nvme(_NOT_BODY).to_bytes(8, "big")).decode()
        answer = calls.ask_raw("PUT", key, {"x-amz-checksum-crc64nvme": wrong}, _BODY, UNSIGNED)
    else:
        answer = calls.ask_raw("PUT", key, {}, _BODY, hashlib.sha256(_NOT_BODY).hexdigest())
    if answer.status >= 500:
        raise answers.refusal(answer)
    return 400 <= answer.status < 500
