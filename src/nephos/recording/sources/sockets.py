"""Sockets that receive one stream and nothing else: joined, bound to the group, with as much buffer as is granted.

The port file of receiving: socket options that differ between systems are named here.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import struct
import sys
from dataclasses import dataclass

from nephos.recording.sources import address, errors

_LINUX = sys.platform.startswith("linux")
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8  # place of the drop counter among the nine numbers of SO_MEMINFO
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_SOCKADDR_STORAGE_BYTES = 128


@dataclass(frozen=True, slots=True)
class _Verb:
    """The socket options of joining or of leaving, by the kind of membership."""

    any_source: int
    one_source: int  # IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP
    one_source_by_index: int  # MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP
    ipv6: int


_JOIN = _Verb(socket.IP_ADD_MEMBERSHIP, 39, 46, socket.IPV6_JOIN_GROUP)
_LEAVE = _Verb(socket.IP_DROP_MEMBERSHIP, 40, 47, socket.IPV6_LEAVE_GROUP)


def receive(place: address.Address, *, interface: str = "", buffer_bytes: int) -> socket.socket:
    """A bound, joined socket that never waits. The address's own interface goes before `interface`.

    Raises SourceError with what to do about it.
    """
    family = socket.AF_INET6 if place.is_ipv6 else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.settimeout(0)
        _enlarge(opened, buffer_bytes)
        if place.is_multicast:
            # Two receivers of one group both get everything. Of one unicast port only one does, in silence.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _only_joined_groups(opened, place)
        opened.bind(_bind_to(place, place.interface or interface))
        if place.is_multicast:
            _say(_JOIN, opened, place, place.interface or interface)
    except OSError as error:
        opened.close()
        raise _explained(error, place, place.interface or interface) from error
    except BaseException:
        opened.close()
        raise
    return opened


def renew(opened: socket.socket, place: address.Address, *, interface: str = "") -> None:
    """Leave the group and join it again on the open socket, so that the network hears of us and nothing that already
    waits in the socket is lost. Raises OSError where that is not possible."""
    for verb in (_LEAVE, _JOIN):
        _say(verb, opened, place, place.interface or interface)


def granted_bytes(opened: socket.socket) -> int:
    """The receive buffer in force. Linux doubles what was asked for its own bookkeeping; that is taken out."""
    size = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return size // 2 if _LINUX else size


def dropped(opened: socket.socket) -> int:
    """Datagrams the kernel threw away because this socket was not emptied in time; 0 where it does not tell."""
    if not _LINUX:
        return 0
    try:
        memory = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_MEMINFO_DROPS + 1))
    except OSError:
        return 0
    return int(struct.unpack(f"={len(memory) // 4}I", memory)[_MEMINFO_DROPS]) if len(memory) >= 36 else 0


def _enlarge(opened: socket.socket, wanted: int) -> None:
    if _LINUX:
        with contextlib.suppress(OSError):  # needs CAP_NET_ADMIN
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, wanted)
            return
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)


def _only_joined_groups(opened: socket.socket, place: address.Address) -> None:
    if not _LINUX:
        return
    level, option = (
        (socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL) if place.is_ipv6 else (socket.IPPROTO_IP, _IP_MULTICAST_ALL)
    )
    with contextlib.suppress(OSError):
        opened.setsockopt(level, option, 0)


def _bind_to(place: address.Address, interface: str) -> tuple[str, int] | tuple[str, int, int, int]:
    """The group itself: a socket on the wildcard address would also get other groups of this port."""
    if sys.platform == "win32" and place.is_multicast:  # cannot bind to a group; it delivers joined groups only
        return "", place.port
    if place.is_ipv6:
        return place.group, place.port, 0, _index(interface) if interface and place.is_multicast else 0
    return place.group, place.port


def _say(verb: _Verb, opened: socket.socket, place: address.Address, interface: str) -> None:
    if place.is_ipv6:
        _say_ipv6(verb, opened, place, interface)
        return
    group = socket.inet_aton(place.group)
    by_address, index = _ipv4_interface(interface)
    if not place.source:
        opened.setsockopt(socket.IPPROTO_IP, verb.any_source, struct.pack("=4s4si", group, by_address, index))
    elif index:
        _say_source(verb, opened, socket.IPPROTO_IP, index, place)
    else:
        request = group + by_address + socket.inet_aton(place.source)
        opened.setsockopt(socket.IPPROTO_IP, verb.one_source, request)


def _say_ipv6(verb: _Verb, opened: socket.socket, place: address.Address, interface: str) -> None:
    index = _index(interface) if interface else 0
    if place.source:
        _say_source(verb, opened, socket.IPPROTO_IPV6, index, place)
    else:
        request = socket.inet_pton(socket.AF_INET6, place.group) + struct.pack("@I", index)
        opened.setsockopt(socket.IPPROTO_IPV6, verb.ipv6, request)


def _say_source(verb: _Verb, opened: socket.socket, level: int, index: int, place: address.Address) -> None:
    """The request that names the interface by number for both families (struct group_source_req)."""
    request = struct.pack("@I4x", index) + _storage(place.group) + _storage(place.source)
    opened.setsockopt(level, verb.one_source_by_index, request)


def _storage(host: str) -> bytes:
    if ":" in host:
        packed = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, host), 0)
    else:
        packed = struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(host))
    return packed.ljust(_SOCKADDR_STORAGE_BYTES, b"\0")


def _ipv4_interface(interface: str) -> tuple[bytes, int]:
    if not interface:
        return bytes(4), 0
    try:
        return ipaddress.IPv4Address(interface).packed, 0
    except ValueError:
        return bytes(4), _index(interface)


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise errors.InterfaceMissing(
            f"This machine has no network interface called {interface!r}.", hint=f"It has: {names}."
        ) from None


def _explained(error: OSError, place: address.Address, interface: str) -> errors.SourceError:
    where = f"[{place.group}]:{place.port}" if place.is_ipv6 else f"{place.group}:{place.port}"
    if error.errno == errno.EADDRINUSE:
        return errors.AddressTaken(f"Another program receives on {where} already.")
    if error.errno == errno.ENODEV:
        if interface:
            return errors.InterfaceMissing(
                f"This machine has no network interface with the address {interface}.", hint="`ip address` lists them."
            )
        return errors.InterfaceMissing(
            f"No route says which network interface receives {where}.",
            hint="Name it: ?interface=eth0 in the channel's address, or interface in [recording].",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return errors.SourceError(
            f"{where} is not receivable on this machine: {error.strerror}.",
            hint="For unicast, name an address of this machine; for multicast, an interface that exists.",
        )
    return errors.SourceError(f"{where} cannot be received: {error.strerror or error}.")
