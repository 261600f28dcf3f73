"""What waits to be handed to a login, in order: packets, and pieces of files that never pass through this process."""

from __future__ import annotations

import collections
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass

from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections.sftp.source import Source

_GROUP_BYTES = 1 << 20
_GROUP_BUFFERS = 512
# What a socket says of itself; everything else that goes wrong is said of the file.
_OF_THE_SOCKET = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF, errno.ESHUTDOWN})

Spoiled = Callable[[errors.SyncError], None]


@dataclass(slots=True)
class _Piece:
    """A part of a file; `spoiled` is called if it cannot be read."""

    source: Source
    start: int
    length: int
    spoiled: Spoiled


class Outgoing:
    """A queue before one socket."""

    def __init__(self) -> None:
        self.bytes = 0
        self._queue: collections.deque[bytes | memoryview | _Piece] = collections.deque()

    def __bool__(self) -> bool:
        return bool(self._queue)

    def put(self, packet: bytes) -> None:
        """A packet, or the beginning of one."""
        self._queue.append(packet)
        self.bytes += len(packet)

    def put_piece(self, source: Source, start: int, length: int, spoiled: Spoiled) -> None:
        """The part of a file that a packet carries."""
        self._queue.append(_Piece(source, start, length, spoiled))
        self.bytes += length

    def clear(self) -> None:
        """Nobody takes it any more."""
        self._queue.clear()
        self.bytes = 0

    def hand_over(self, connection: socket.socket) -> int:
        """As much as goes in one call. Raises BlockingIOError, OSError of the socket."""
        first = self._queue[0]
        if isinstance(first, _Piece):
            sent = self._send_piece(connection, first)
        else:
            sent = sync_ports.send_buffers(connection, self._group())
            self._forget(sent)
        self.bytes -= sent
        return sent

    def _group(self) -> list[bytes | memoryview]:
        group: list[bytes | memoryview] = []
        size = 0
        for buffer in self._queue:
            if isinstance(buffer, _Piece) or size >= _GROUP_BYTES or len(group) >= _GROUP_BUFFERS:
                break
            group.append(buffer)
            size += len(buffer)
        return group

    def _forget(self, sent: int) -> None:
        queue = self._queue
        while sent:
            first = queue[0]
            assert not isinstance(first, _Piece)  # noqa: S101 - a group ends before one
            if len(first) > sent:
                queue[0] = memoryview(first)[sent:]
                return
            sent -= len(first)
            queue.popleft()

    def _send_piece(self, connection: socket.socket, piece: _Piece) -> int:
        try:
            sent = sync_ports.send_piece(connection, piece.source.handle, piece.start, piece.length)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno in _OF_THE_SOCKET:
                raise
            self._spoil(piece, errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}."))
            return 0
        if not sent:
            self._spoil(piece, errors.SourceChanged())
        elif sent == piece.length:
            self._queue.popleft()
        else:
            piece.start += sent
            piece.length -= sent
        return sent

    def _spoil(self, piece: _Piece, error: errors.SyncError) -> None:
        """The packet was promised, so zeros fill it; the file they go to never gets its final name."""
        self._queue[0] = bytes(piece.length)
        piece.spoiled(error)
