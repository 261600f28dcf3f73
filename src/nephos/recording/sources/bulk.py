"""Fetch many waiting datagrams at once: one system call for up to 64 on Linux, one for each elsewhere.

Datagrams of a stream are nearly always of one size. A table of places of just that size, side by side, is filled by the
kernel with no gap between them, so that one copy takes all; what is longer runs over into a room of its own.
Measured: 38 datagrams in 35 us, against 80 us when each is picked out of a room that holds the largest.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import sys
import threading

LARGEST_DATAGRAM = 65536
_MOST = 64
USUAL_BYTES = 1316
MOST_TABLES = 8  # sizes for which a table is kept; streams with other sizes share one
_MSG_DONTWAIT = 0x40


class _Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("parts", ctypes.c_void_p),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_size_t),  # an int, and the padding that ends struct msghdr
        ("size", ctypes.c_uint32),
    ]


def _find_recvmmsg() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    # It never waits, so it may keep the interpreter lock: giving it up each time costs more than the call.
    function = getattr(ctypes.PyDLL(None, use_errno=True), "recvmmsg", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        function.restype = ctypes.c_int
    return function


_recvmmsg = _find_recvmmsg()
AT_ONCE = _MOST if _recvmmsg is not None else 1


class _Table:
    """Places of one size for one fetch, and the room behind each. What no datagram reaches is never made real."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._rest = LARGEST_DATAGRAM - size
        self._room, self._view = _room(AT_ONCE * size)
        self._behind, self._over = _room(AT_ONCE * self._rest)
        self._parts = (_Part * (2 * AT_ONCE))()
        self._messages = (_Message * AT_ONCE)()
        first, second = ctypes.addressof(self._room), ctypes.addressof(self._behind)
        for place in range(AT_ONCE):
            self._parts[2 * place] = _Part(first + place * size, size)
            self._parts[2 * place + 1] = _Part(second + place * self._rest, self._rest)
            self._messages[place].parts = ctypes.addressof(self._parts) + 2 * place * ctypes.sizeof(_Part)
            self._messages[place].part_count = 2
        self.messages = ctypes.addressof(self._messages)
        stride = ctypes.sizeof(_Message) // 4
        self._sizes = memoryview(self._messages).cast("B").cast("I")[_Message.size.offset // 4 :: stride]

    def taken(self, count: int) -> tuple[bytes, list[int]]:
        """What the kernel put into the first so many places."""
        sizes = self._sizes[:count].tolist()
        if sizes.count(self.size) == count:
            return self._view[: count * self.size].tobytes(), sizes
        pieces: list[memoryview] = []
        for place, size in enumerate(sizes):
            start, over = place * self.size, place * self._rest
            pieces.append(self._view[start : start + min(size, self.size)])
            pieces.append(self._over[over : over + max(0, size - self.size)])
        return b"".join(pieces), sizes


def _room(size: int) -> tuple[ctypes.Array[ctypes.c_char], memoryview]:
    pages = mmap.mmap(-1, size)  # ctypes' own buffers are filled with zeros at once, which makes every page real
    return (ctypes.c_char * size).from_buffer(pages), memoryview(pages)


class _Tables(threading.local):
    """The tables of a thread by the size of their places."""

    def __init__(self) -> None:
        self._usual = _Table(USUAL_BYTES)
        self._by_size = {USUAL_BYTES: self._usual}

    def of(self, usual: int) -> _Table:
        found = self._by_size.get(usual)
        if found is not None:
            return found
        if len(self._by_size) >= MOST_TABLES or not 0 < usual < LARGEST_DATAGRAM:
            return self._usual
        return self._by_size.setdefault(usual, _Table(usual))


tables = _Tables()


def fetch(receiving: socket.socket, *, usual: int = USUAL_BYTES) -> tuple[bytes, list[int]]:
    """Some of the datagrams that wait, joined, and the size of each; nothing if none waits. Raises OSError.

    `usual` is the size that most of them are expected to have: a wrong guess costs time and nothing else.
    """
    if _recvmmsg is None:
        return _fetch_one(receiving)
    table = tables.of(usual)
    count = _recvmmsg(receiving.fileno(), table.messages, AT_ONCE, _MSG_DONTWAIT, None)
    if count < 0:
        code = ctypes.get_errno()
        if code in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR):
            return b"", []
        raise OSError(code, os.strerror(code))
    return table.taken(count)


def _fetch_one(receiving: socket.socket) -> tuple[bytes, list[int]]:
    try:
        raw = receiving.recv(LARGEST_DATAGRAM)
    except BlockingIOError:
        return b"", []
    return raw, [len(raw)]
