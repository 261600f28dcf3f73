"""multicat as the receiver of UDP and RTP: an option, because the older program was built on it.

Its traps, each guarded here: told the wrong one of UDP and RTP it crashes or writes rubbish, and it cuts datagrams that
are larger than told, so a probe comes before each start; it ends with 0 whatever happened, so its code means nothing; a
relative output name may become a network address, so it writes to a pipe by an absolute name; it waits for ever in
silence, so the receiver starts it again.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from datetime import timedelta

from nephos.lib import ports
from nephos.recording.sources import address, errors, process, rtp

_USUAL_PAYLOAD = 1316
_LISTEN = timedelta(seconds=1)


def command(place: address.Address, *, interface: str, is_rtp: bool, payload_bytes: int) -> list[str]:
    """The command line for a stream of which it is known what comes. Raises InterfaceMissing."""
    group = f"[{place.group}]" if place.is_ipv6 else place.group
    source = f"{place.source}@" if place.source and not place.is_ipv6 else "@"
    if place.source and place.is_ipv6:
        source = f"[{place.source}]@"
    size = [] if payload_bytes == _USUAL_PAYLOAD else ["-m", str(payload_bytes)]
    plain = [] if is_rtp else ["-u"]
    return ["multicat", *plain, *size, f"{source}{group}:{place.port}{_by(interface)}", "/dev/stdout"]


def source(place: address.Address, *, interface: str) -> process.ProcessSource:
    """The source of an address; the interface in the address goes before `interface`."""
    chosen = place.interface or interface

    def prepare(is_unwanted: ports.Waiter) -> Sequence[str]:
        from nephos.recording.sources import probe  # loads numpy

        while not is_unwanted.is_set():
            heard = probe.probe(place, interface=chosen, timeout=_LISTEN)
            if heard.state in (probe.State.UP, probe.State.WEAK):
                is_rtp = heard.protocol == "rtp"
                payload = heard.largest_bytes - (rtp.HEADER_BYTES if is_rtp else 0)
                return command(place, interface=chosen, is_rtp=is_rtp, payload_bytes=payload)
            is_unwanted.wait(0.2)
        return ()

    return process.ProcessSource(prepare, what="multicat", shown=place.shown)


def _by(interface: str) -> str:
    if not interface:
        return ""
    try:
        ipaddress.IPv4Address(interface)
    except ValueError:
        try:
            return f"/ifindex={socket.if_nametoindex(interface)}"
        except OSError:
            raise errors.InterfaceMissing(f"This machine has no network interface called {interface!r}.") from None
    return f"/ifaddr={interface}"
