"""Our own receiver of UDP and RTP, multicast and unicast: one socket a stream."""

from __future__ import annotations

import functools
import socket
from typing import TYPE_CHECKING

from nephos.recording.sources import address, base, errors, sockets

if TYPE_CHECKING:
    from nephos.recording.sources import datagrams

_LARGEST_DATAGRAM = 65536
_BUFFER_BYTES = 256 * 1024  # of our own; what does not fit waits in the kernel's
_MOST_DATAGRAMS = 4096  # in one load, however small they are


class UdpSource:
    """Fulfils `base.Source` for `udp://` and `rtp://` addresses; which of the two it is, the bytes say."""

    def __init__(self, place: address.Address, *, interface: str = "", buffer_bytes: int = 8 * 1024 * 1024) -> None:
        self.address = place
        self._interface = interface
        self._wanted_bytes = buffer_bytes
        self._socket: socket.socket | None = None
        self._buffer = memoryview(bytearray(_BUFFER_BYTES + _LARGEST_DATAGRAM))
        self._used = 0
        self._sizes: list[int] = []

    def open(self) -> None:
        """Join. Raises SourceError."""
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
        """Fetch waiting datagrams until there are none or the buffer is full. Raises SourceError."""
        if self._socket is None:
            return 0
        receive, buffer, used, sizes = self._socket.recv_into, self._buffer, self._used, self._sizes
        before = len(sizes)
        try:
            while used < _BUFFER_BYTES and len(sizes) < _MOST_DATAGRAMS:
                size = receive(buffer[used : used + _LARGEST_DATAGRAM])
                sizes.append(size)
                used += size
        except BlockingIOError:
            pass
        except OSError as error:
            raise errors.SourceError(f"Receiving {self.address.url} failed: {error.strerror or error}.") from error
        finally:
            self._used = used
        return len(sizes) - before

    def take(self) -> base.Load:
        """What came since the last time."""
        load = base.Load(raw=bytes(self._buffer[: self._used]), sizes=self._sizes)
        self._used, self._sizes = 0, []
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
