"""Addresses of streams: `udp://GROUP:PORT`, `rtp://SOURCE@GROUP:PORT?interface=eth1`, and those of `links`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from nephos.lib import urls
from nephos.recording.sources import errors, links

LONGEST = 500  # what the column of a channel holds
_FORM = "Write udp://239.1.2.3:5004 or udp://SOURCE@GROUP:PORT, optionally with ?interface=NAME."
_SCHEMES = ("udp", "rtp")
ENGINES = ("socket", "multicat")
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,14}", re.ASCII)  # IFNAMSIZ is 16 with the final zero

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Address:
    """One checked address of datagrams. `source`, `interface` and `engine` are empty if none was named."""

    scheme: str
    group: str
    port: int
    source: str = ""
    interface: str = ""
    engine: str = ""

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.group

    @property
    def is_multicast(self) -> bool:
        return ipaddress.ip_address(self.group).is_multicast

    @property
    def url(self) -> str:
        """The one way to write this address."""
        source = f"{_bracketed(self.source)}@" if self.source else ""
        named = (("interface", self.interface), ("engine", self.engine))
        query = "&".join(f"{key}={value}" for key, value in named if value)
        return f"{self.scheme}://{source}{_bracketed(self.group)}:{self.port}{'?' if query else ''}{query}"

    @property
    def shown(self) -> str:
        """For people and logs; there is nothing to hide in it."""
        return self.url


def parse(url: str) -> Address | links.Link:
    """Read the address of a stream. Raises AddressInvalid, which is Invalid, with what to write instead."""
    if len(url) > LONGEST:
        raise errors.AddressInvalid(f"An address of {len(url)} characters is too long.", hint=_FORM)
    if not url.isprintable() or any(c.isspace() for c in url):
        raise errors.AddressInvalid("An address holds no blanks or control characters.", hint=_FORM)
    if url.partition(":")[0].lower() in links.SCHEMES:
        return links.read(url)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        known = ", ".join((*_SCHEMES, *links.SCHEMES))
        raise errors.AddressInvalid(f"{_shown(url)} does not start with one of {known}.", hint=_FORM)
    authority, _, query = rest.partition("?")
    authority = authority.removesuffix("/")
    if "/" in authority or "#" in rest:
        raise errors.AddressInvalid(f"{_shown(url)} has something after the port.", hint=_FORM)
    options = _options(query)
    source, _, place = authority.rpartition("@")
    group, port = _split(place, url)
    group_ip = _ip(group, "group")
    _check_group(group_ip)
    return Address(
        scheme=scheme.lower(),
        group=str(group_ip),
        port=_port(port),
        source=_source(source, group_ip),
        interface=interface(options.get("interface", "")),
        engine=options.get("engine", ""),
    )


def interface(text: str) -> str:
    """Check the name or address of a network interface; empty means "as the routes say". Raises AddressInvalid."""
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if _INTERFACE.fullmatch(text):
            return text
    raise errors.AddressInvalid(
        f"{_shown(text)} is no name or address of a network interface.", hint="For example eth0 or 192.0.2.7."
    )


def _split(place: str, url: str) -> tuple[str, str]:
    host, separator, port = place.rpartition(":")
    if not separator or not host:
        raise errors.AddressInvalid(f"{_shown(url)} names no group and port.", hint=_FORM)
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    if ":" in host:
        raise errors.AddressInvalid("An IPv6 group is written in brackets.", hint="For example udp://[ff15::1]:5004.")
    return host, port


def _ip(text: str, what: str) -> Ip:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise errors.AddressInvalid(f"{_shown(text)} is no IP address; the {what} must be one.", hint=_FORM) from None


def _check_group(group: Ip) -> None:
    if getattr(group, "scope_id", None):
        raise errors.AddressInvalid("Name the interface by ?interface=, not in the group.", hint=_FORM)
    if group.is_unspecified or str(group) == "255.255.255.255":
        # A socket on the wildcard address also gets every other group on that port.
        raise errors.AddressInvalid(
            f"{group} would receive everything on that port.",
            hint="Name the multicast group, or for unicast the address of this machine.",
        )


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65535:
        raise errors.AddressInvalid(f"{_shown(text)} is no port.", hint="A number from 1 to 65535.")
    return int(text)


def _source(text: str, group: Ip) -> str:
    if not text:
        return ""
    source = _ip(text.removeprefix("[").removesuffix("]"), "source")
    if source.is_multicast or source.is_unspecified or source.version != group.version:
        raise errors.AddressInvalid(f"{source} cannot be the sender of {group}.", hint=_FORM)
    if not group.is_multicast:
        raise errors.AddressInvalid(f"{group} is no multicast group, so it takes no source.", hint=_FORM)
    return str(source)


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in query.split("&") if query else ():
        key, _, value = part.partition("=")
        if key not in ("interface", "engine") or not value or key in options:
            raise errors.AddressInvalid(
                f"?{_shown(part)} is not understood.", hint="Only ?interface=NAME_OR_ADDRESS and engine=multicat are."
            )
        options[key] = value
    if options.get("engine", ENGINES[0]) not in ENGINES:
        raise errors.AddressInvalid(f"There is no engine {_shown(options['engine'])}.", hint=f"One of {ENGINES}.")
    return options


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _shown(text: str) -> str:
    text = urls.masked(text)
    return repr(text if len(text) <= 60 else text[:57] + "...")
