"""Our own receiver of UDP and RTP, multicast and unicast: one socket a stream."""

from __future__ import annotations

import contextlib
import functools
import socket
from typing import TYPE_CHECKING

from nephos.recording.sources import address, base, bulk, errors, sockets

if TYPE_CHECKING:
    from nephos.recording.sources import datagrams

_HELD_BYTES = 256 * 1024  # what does not fit waits in the kernel's buffer
_HELD_DATAGRAMS = 4096  # however small they are


class UdpSource:
    """Fulfils `base.Source` for `udp://` and `rtp://` addresses; which of the two it is, the bytes say."""

    def __init__(self, place: address.Address, *, interface: str = "", buffer_bytes: int = 8 * 1024 * 1024) -> None:
        self.address = place
        self._interface = interface
        self._wanted_bytes = buffer_bytes
        self._socket: socket.socket | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._sizes: list[int] = []
        self._usual_bytes = bulk.USUAL_BYTES

    def open(self) -> None:
        """Join; an open socket joins again and keeps what waits in it. Raises SourceError."""
        if self._socket is not None and self.address.is_multicast:
            with contextlib.suppress(OSError, errors.SourceError):
                sockets.renew(self._socket, self.address, interface=self._interface)
                return
        self.close()
        self._socket = sockets.receive(self.address, interface=self._interface, buffer_bytes=self._wanted_bytes)

    def close(self) -> None:
        """Leave the group."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def fileno(self) -> int:
        """The socket's handle, -1 when closed."""
        return self._socket.fileno() if self._socket is not None else -1

    def fill(self) -> int:
        """Fetch waiting datagrams until there are none or enough is held; the bytes held. Raises SourceError."""
        if self._socket is None:
            return self._held_bytes
        try:
            while self._held_bytes < _HELD_BYTES and len(self._sizes) < _HELD_DATAGRAMS:
                raw, sizes = bulk.fetch(self._socket, usual=self._usual_bytes)
                if not sizes:
                    break
                self._held.append(raw)
                self._held_bytes += len(raw)
                self._sizes += sizes
                self._usual_bytes = sizes[0]
                if len(sizes) < bulk.AT_ONCE:
                    break
        except OSError as error:
            raise errors.SourceError(f"Receiving {self.address.url} failed: {error.strerror or error}.") from error
        return self._held_bytes

    def take(self) -> base.Load:
        """What came since the last time."""
        load = base.Load(raw=b"".join(self._held), sizes=self._sizes)
        self._held, self._held_bytes, self._sizes = [], 0, []
        return load

    def decode(self, load: base.Load) -> base.Chunk:
        """Whole packets of a load."""
        return self._unpacker.unpack(load)

    def facts(self) -> base.Facts:
        """Buffer and drops of the open socket."""
        if self._socket is None:
            return base.Facts()
        return base.Facts(buffer_bytes=sockets.granted_bytes(self._socket), dropped=sockets.dropped(self._socket))

    @functools.cached_property
    def _unpacker(self) -> datagrams.Unpacker:
        # Imported late and on the writing thread: with numpy it costs a tenth of a second, after the join.
        from nephos.recording.sources import datagrams

        return datagrams.Unpacker()
