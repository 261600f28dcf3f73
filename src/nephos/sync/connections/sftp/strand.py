"""One login's share of a big file: an open handle, and the pieces that went by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nephos.sync import errors
from nephos.sync.connections.sftp import packets, refusals
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Mode, Reply, Status
from nephos.sync.connections.sftp.pieces import Piece, Pieces
from nephos.sync.connections.sftp.source import Source


class Whole(Protocol):
    """The file that it is a share of."""

    @property
    def is_over(self) -> bool: ...
    @property
    def pieces(self) -> Pieces: ...
    @property
    def source(self) -> Source: ...
    def piece_arrived(self) -> None: ...
    def fail(self, error: errors.SyncError) -> None: ...


class Strand:
    """Sends pieces by a handle that is open."""

    def __init__(self, whole: Whole, channel: Channel, handle: bytes) -> None:
        self._whole = whole
        self.channel = channel
        self.handle = handle
        self._under_way: dict[int, Piece] = {}

    @property
    def has_more(self) -> bool:
        return bool(self.handle) and not self._whole.is_over and self._whole.pieces.has_next

    def send_next(self, most: int) -> int:
        """One piece more."""
        piece = self._whole.pieces.next(min(most, self.channel.write_bytes))
        self._under_way[piece.start] = piece
        self.channel.in_flight_bytes += piece.bytes
        self.channel.ask_write(
            self.handle,
            self._whole.source,
            (piece.start, piece.end),
            then=lambda reply: self._answered(reply, piece),
            spoiled=self._whole.fail,
        )
        return piece.bytes

    def let_go(self) -> None:
        """What was not answered will not be."""
        for piece in self._under_way.values():
            self.channel.in_flight_bytes -= piece.bytes
            self._whole.pieces.lost(piece)
        self._under_way.clear()

    def _answered(self, reply: Reply, piece: Piece) -> None:
        if self._under_way.pop(piece.start, None) is None:
            return
        self.channel.in_flight_bytes -= piece.bytes
        if self._whole.is_over:
            return
        if reply.status != Status.OK:
            self._whole.fail(refusals.of_write(reply))
            return
        self._whole.pieces.arrived(piece)
        self._whole.piece_arrived()


class Helper:
    """One more login that carries a share. That it cannot is no trouble: the others carry more.

    `ended` is called once, when its handle is closed or lost; with an error only if the server had one at the close.
    """

    def __init__(self, whole: Whole, channel: Channel, hidden: bytes, ended: Callable[[Helper, Reply], None]) -> None:
        self.is_over = False
        self._whole = whole
        self._ended = ended
        self._strand = Strand(whole, channel, b"")
        body = packets.text(hidden) + packets.u32(Mode.WRITE) + packets.NO_ATTRIBUTES
        channel.ask(Kind.OPEN, body, self._opened)

    @property
    def has_more(self) -> bool:
        return self._strand.has_more

    @property
    def left_bytes(self) -> int:
        return 0 if self.is_over else self._whole.pieces.left

    def send_next(self, most: int) -> int:
        """One piece more."""
        return self._strand.send_next(most)

    def fail(self, error: errors.SyncError) -> None:  # noqa: ARG002 - it is no reason for the file to fail
        """Its login broke: what it had on its way is sent by the others."""
        self._strand.let_go()
        self._end(packets.OK)

    def close(self) -> None:
        """All pieces are there, or nobody wants them any more."""
        handle, self._strand.handle = self._strand.handle, b""
        if handle and self._strand.channel.broken is None:
            self._strand.channel.ask(Kind.CLOSE, packets.text(handle), self._end)

    def _opened(self, reply: Reply) -> None:
        if reply.kind != Kind.HANDLE:
            self._end(packets.OK)
            return
        self._strand.handle = reply.text
        if self._whole.is_over or self._whole.pieces.is_done:
            self.close()

    def _end(self, reply: Reply) -> None:
        if not self.is_over:
            self.is_over = True
            self._strand.handle = b""
            self._ended(self, reply)
