"""Which code receives which kind of address: the one place where a new kind is added."""

from __future__ import annotations

from collections.abc import Callable

from nephos.recording.sources import address, base, udp

Maker = Callable[[str, str, int], base.Source]


def _udp(url: str, interface: str, buffer_bytes: int) -> base.Source:
    return udp.UdpSource(address.parse(url), interface=interface, buffer_bytes=buffer_bytes)


KINDS: dict[str, Maker] = {
    "udp": _udp,
    "rtp": _udp,
}


def make(url: str, *, interface: str = "", buffer_bytes: int) -> base.Source:
    """The source for a channel's address, not yet open. Raises AddressInvalid."""
    kind = KINDS.get(url.partition("://")[0].lower(), _udp)  # an unknown one gets the message of `address.parse`
    return kind(url, interface, buffer_bytes)
