"""Why nothing comes: other interfaces, other senders and the kernel's filters are looked at, for advice in words."""

from __future__ import annotations

import contextlib
import dataclasses
import selectors
import socket
from pathlib import Path

from nephos.lib import clock
from nephos.recording.sources import address, errors, links, udp

_LISTEN_SECONDS = 1.0
_BUFFER_BYTES = 1 << 18
_MOST_INTERFACES = 16
_CONFIGURATION = Path("/proc/sys/net/ipv4/conf")


def advice(place: address.Address | links.Link, *, interface: str) -> str:
    """What to do when nothing comes from there."""
    if isinstance(place, links.Link):
        return "Check the address with a player on this machine, and whether the sender is on."
    if not place.is_multicast:
        return f"Check that the sender sends to {place.group} port {place.port}, and the firewall of this machine."
    chosen = place.interface or interface
    heard = _heard_elsewhere(place, chosen)
    if place.source and "" in heard:
        return f"The group has a sender, but it is not {place.source}: check the source in the address."
    names = sorted(name for name in heard if name)
    if names:
        return (
            f"It comes on {' and '.join(names)}: write ?interface={names[0]} in the channel's address, "
            "or set interface in [recording]."
        )
    return _general(place, chosen)


def _heard_elsewhere(place: address.Address, chosen: str) -> set[str]:
    """The interfaces on which the group comes; the empty name stands for any sender on the chosen one."""
    trials: dict[str, udp.UdpSource] = {}
    bare = dataclasses.replace(place, interface="")
    for _, name in _interfaces()[:_MOST_INTERFACES]:
        if name != chosen:
            trials[name] = udp.UdpSource(bare, interface=name, buffer_bytes=_BUFFER_BYTES)
    if place.source:
        trials[""] = udp.UdpSource(dataclasses.replace(place, source=""), interface=chosen, buffer_bytes=_BUFFER_BYTES)
    heard: set[str] = set()
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as opened:
        for name, source in trials.items():
            with contextlib.suppress(errors.SourceError):
                source.open()
                opened.callback(source.close)
                selector.register(source, selectors.EVENT_READ, name)
        until = clock.monotonic() + _LISTEN_SECONDS
        while trials and not heard and (left := until - clock.monotonic()) > 0:
            heard |= {key.data for key, _ in selector.select(left)}
    return heard


def _interfaces() -> list[tuple[int, str]]:
    with contextlib.suppress(OSError):
        return socket.if_nameindex()
    return []


def _general(place: address.Address, chosen: str) -> str:
    parts = ["Check that the sender is on and sends to this group and port."]
    if not chosen:
        parts.append("No interface is named, so the routes choose one: name the right one by ?interface=.")
    parts.append("If it came for some minutes and stopped, a switch with IGMP snooping lacks a querier.")
    if not place.is_ipv6 and (name := _strict(chosen)):
        parts.append(
            f"rp_filter drops senders that the routes do not expect on {name}: sysctl net.ipv4.conf.{name}.rp_filter=2."
        )
    parts.append("A firewall on this machine drops it silently, too: `nft list ruleset`.")
    parts.append("A container needs the host's network.")
    return " ".join(parts)


def _strict(chosen: str) -> str:
    """An interface on which the kernel checks the way back to each sender strictly; empty if there is none."""
    names = [chosen] if (_CONFIGURATION / chosen).is_dir() and chosen else [name for _, name in _interfaces()]
    everywhere = _setting("all")
    return next((name for name in names if name != "lo" and max(everywhere, _setting(name)) == 1), "")


def _setting(name: str) -> int:
    try:
        return int((_CONFIGURATION / name / "rp_filter").read_text())
    except (OSError, ValueError):
        return 0
