"""What does the server allow? Asked by a small file that is written, renamed over another and removed."""

from __future__ import annotations

from nephos.lib import ids
from nephos.sync.connections import base, hidden
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp import copying, packets, refusals
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Mode, Status
from nephos.sync.connections.sftp.place import Place

_BODY = b"nephos probe"


def probe(channel: Channel, place: Place) -> base.Profile:
    """Make the folder, write there; four times there and back. Raises SyncError if that cannot be done."""
    names = [place.below(hidden.name("probe", ids.new()).encode()) for _ in range(2)]
    _write(channel, _make(channel, place, names))
    copying.rename(channel, (names[0], names[1]), len(_BODY))
    folder, _, name = names[1].rpartition(b"/")
    other = folder + b"/" + name.upper() if folder else name.upper()
    requests = [(Kind.STAT, packets.text(other)), (Kind.REMOVE, packets.text(names[1]))]
    found, removed = channels.answers(channel, requests, base.NEVER)
    return base.Profile(
        can_delete=removed.status == Status.OK,
        folds_names=found.kind == Kind.ATTRIBUTES,
        note=_note(channel),
    )


def _make(channel: Channel, place: Place, names: list[bytes]) -> list[bytes]:
    """The base and two files in it; their handles. Raises SyncError."""
    parts = place.folder.split(b"/")
    above = [b"/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    requests = [(Kind.MKDIR, packets.text(folder) + packets.NO_ATTRIBUTES) for folder in above if folder]
    mode = packets.u32(Mode.WRITE | Mode.CREATE | Mode.TRUNCATE) + packets.NO_ATTRIBUTES
    requests.append((Kind.STAT, packets.text(place.below(b""))))
    requests += [(Kind.OPEN, packets.text(name) + mode) for name in names]
    there, *opened = channels.answers(channel, requests, base.NEVER)[-3:]
    if there.kind != Kind.ATTRIBUTES:
        raise refusals.of(there, "find or make the folder")
    for reply in opened:
        if reply.kind != Kind.HANDLE:
            raise refusals.of(reply, "make a file")
    return [reply.text for reply in opened]


def _write(channel: Channel, handles: list[bytes]) -> None:
    requests = []
    for handle in handles:
        requests.append((Kind.WRITE, packets.write(handle, 0, len(_BODY)) + _BODY))
        requests.append((Kind.FSETSTAT, packets.text(handle) + packets.times(0)))
        requests.append((Kind.CLOSE, packets.text(handle)))
    written, timed, *_ = channels.answers(channel, requests, base.NEVER)
    if written.status != Status.OK:
        raise refusals.of_write(written)
    channel.sets_times = timed.status == Status.OK


def _note(channel: Channel) -> str:
    """What is missing, for people; all of it is worked around."""
    missing = [
        what
        for what, there in (
            ("a rename that replaces", channel.offers(packets.POSIX_RENAME)),
            ("fsync", channel.offers(packets.FSYNC)),
            ("setting times", channel.sets_times),
            ("copies on the server", channel.offers(packets.COPY)),
        )
        if not there
    ]
    return f"It works. The server lacks: {', '.join(missing)}." if missing else ""
