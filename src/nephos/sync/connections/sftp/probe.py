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
    """Make the folder, write there. Raises SyncError if that cannot be done."""
    _make_base(channel, place)
    names = [place.below(hidden.name("probe", ids.new()).encode()) for _ in range(2)]
    for name in names:
        _write(channel, name)
    copying.rename(channel, (names[0], names[1]), len(_BODY))
    removed = channels.answer(channel, Kind.REMOVE, packets.text(names[1]), base.NEVER)
    return base.Profile(checks_content=False, can_delete=removed.status == Status.OK, note=_note(channel))


def _make_base(channel: Channel, place: Place) -> None:
    parts = place.folder.split(b"/")
    for count in range(1, len(parts) + 1):
        folder = b"/".join(parts[:count])
        if folder:
            channels.answer(channel, Kind.MKDIR, packets.text(folder) + packets.NO_ATTRIBUTES, base.NEVER)
    there = channels.answer(channel, Kind.STAT, packets.text(place.below(b"")), base.NEVER)
    if there.kind != Kind.ATTRIBUTES:
        raise refusals.of(there, "find or make the folder")


def _write(channel: Channel, name: bytes) -> None:
    body = packets.text(name) + packets.u32(Mode.WRITE | Mode.CREATE | Mode.TRUNCATE) + packets.NO_ATTRIBUTES
    opened = channels.answer(channel, Kind.OPEN, body, base.NEVER)
    if opened.kind != Kind.HANDLE:
        raise refusals.of(opened, "make a file")
    handle = packets.text(opened.text)
    written = channels.answer(channel, Kind.WRITE, handle + packets.u64(0) + packets.text(_BODY), base.NEVER)
    if written.status != Status.OK:
        raise refusals.of_write(written)
    timed = channels.answer(channel, Kind.FSETSTAT, handle + packets.times(0), base.NEVER)
    channel.sets_times = timed.status == Status.OK
    channels.answer(channel, Kind.CLOSE, handle, base.NEVER)


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
