"""A copy inside the bucket: in one request, or in parts where the object is too big for that."""

from __future__ import annotations

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync.connections.base import Part, Remote
from nephos.sync.connections.s3.answers import NoSuchObject
from nephos.sync.connections.s3.calls import META, Calls

MOST_AT_ONCE_BYTES = 5 << 30  # the rule of S3 for one CopyObject, and for one part
_PART_BYTES = 1 << 30


def copy(
    calls: Calls,
    source: str,
    target: str,
    *,
    stop: ports.Waiter,
    most: int = MOST_AT_ONCE_BYTES,
    part_bytes: int = _PART_BYTES,
) -> None:
    """Raises SyncError; an unfinished copy in parts is aborted then."""
    found = calls.head(source, stop=stop)
    if found is None:
        raise NoSuchObject
    if found.bytes <= most:
        calls.copy(source, target, stop=stop)
        return
    # In parts nothing of the source comes along by itself.
    upload = calls.create(target, headers={f"{META}{name}": value for name, value in found.metadata.items()}, stop=stop)
    try:
        calls.complete(target, upload, _parts(calls, (source, target, upload), found, part_bytes, stop), stop=stop)
    except BaseException:
        calls.abort(target, upload, stop=stop)
        raise


def _parts(calls: Calls, names: tuple[str, str, str], found: Remote, part_bytes: int, stop: ports.Waiter) -> list[Part]:
    source, target, upload = names
    parts = []
    for number, start in enumerate(range(0, found.bytes, part_bytes), start=1):
        if stop.is_set():
            raise errors.Interrupted
        span = (start, min(start + part_bytes, found.bytes))
        etag = calls.copy_part(source, target, upload, number=number, span=span, stop=stop)
        parts.append(Part(number=number, bytes=span[1] - span[0], etag=etag))
    return parts
