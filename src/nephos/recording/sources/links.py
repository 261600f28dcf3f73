"""Addresses that another program fetches for us: `http://...`, `rtsp://...`, `srt://...`, `file:///...`, `pipe:X`."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from pathlib import PurePosixPath

from nephos.lib import urls
from nephos.recording.sources import errors

_FORM = "For example https://host/live.m3u8, rtsp://host/stream, srt://host:9000, file:///home/me/a.ts or pipe:NAME."
_WEB = ("http", "https", "rtsp", "rtsps")
_RELAYS = ("srt", "rist")
SCHEMES = (*_WEB, *_RELAYS, "file", "pipe")
_ALLOWED = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)  # as the settings name a source


@dataclass(frozen=True, slots=True)
class Link:
    """One checked address; `url` may hold a password, `shown` does not."""

    scheme: str
    url: str

    @property
    def shown(self) -> str:
        """For people and logs."""
        return urls.masked(self.url)

    @property
    def is_playlist(self) -> bool:
        """Whether this names an HLS playlist rather than the stream itself."""
        return self.scheme in _WEB and urllib.parse.urlsplit(self.url).path.lower().endswith((".m3u8", ".m3u"))

    @property
    def host(self) -> str:
        """The host and port of a server, empty if there is none."""
        return urllib.parse.urlsplit(self.url).netloc.rpartition("@")[2] if self.scheme not in ("file", "pipe") else ""

    @property
    def path(self) -> str:
        """The path of a `file:`."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.url).path)

    @property
    def name(self) -> str:
        """The name in a `pipe:`, one of the settings' [source.NAME]."""
        return self.url.partition(":")[2]


def read(url: str) -> Link:
    """Read such an address. Raises AddressInvalid."""
    scheme, _, rest = url.partition(":")
    scheme = scheme.lower()
    if scheme == "pipe":
        return _pipe(rest)
    if not rest.startswith("//") or not _ALLOWED.fullmatch(rest):
        raise errors.AddressInvalid(
            "This address holds characters that no address does.", hint=f"Write others as %20 and the like. {_FORM}"
        )
    return _file(rest) if scheme == "file" else _network(scheme, rest)


def _pipe(name: str) -> Link:
    if not _NAME.fullmatch(name):
        raise errors.AddressInvalid("pipe: is followed by the name of a [source.NAME] of the settings.", hint=_FORM)
    return Link("pipe", f"pipe:{name}")


def _file(rest: str) -> Link:
    place = rest.removeprefix("//")
    path = urllib.parse.unquote(place)
    parts = PurePosixPath(path).parts
    if not path.startswith("/") or path.startswith("//") or ".." in parts or len(parts) < 2 or not path.isprintable():
        raise errors.AddressInvalid("file:// is followed by the whole path of a file.", hint=_FORM)
    if "?" in place:
        raise errors.AddressInvalid("The path of a file takes no question mark.", hint="Write it as %3F.")
    return Link("file", f"file://{place}")


def _network(scheme: str, rest: str) -> Link:
    try:
        parts = urllib.parse.urlsplit(f"{scheme}:{rest}")
        port = parts.port
    except ValueError as error:
        raise errors.AddressInvalid(f"That address cannot be read: {urls.masked(str(error))}.", hint=_FORM) from None
    user, at, place = parts.netloc.rpartition("@")
    host = place[: place.rfind("]") + 1] if place.startswith("[") else place.partition(":")[0]
    listens = scheme in _RELAYS and not host and port is not None
    if not listens and not _HOST.fullmatch(host):
        raise errors.AddressInvalid("That address names no host.", hint=_FORM)
    if scheme in _RELAYS and port is None:
        raise errors.AddressInvalid(f"{scheme}:// needs a port.", hint=f"For example {scheme}://host:9000.")
    if port == 0:
        raise errors.AddressInvalid("0 is no port.", hint="A number from 1 to 65535.")
    if "[" in user or "]" in user:
        raise errors.AddressInvalid("Write brackets in a user name or password as %5B and %5D.", hint=_FORM)
    shown_port = f":{port}" if port is not None else ""
    query = f"?{parts.query}" if parts.query else ""
    return Link(scheme, f"{scheme}://{user}{at}{host.lower()}{shown_port}{parts.path}{query}")
