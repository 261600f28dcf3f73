"""Which code receives which kind of address: the one place where a new kind is added.

A kind is loaded when a channel needs it: a recorder that was killed shall listen again as soon as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nephos.config import schema
from nephos.lib import ports
from nephos.recording.sources import address, base, errors, links, udp


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say about receiving."""

    interface: str = ""  # for addresses that name none
    buffer_bytes: int = 8 * 1024 * 1024
    engine: str = "socket"  # for datagrams whose address names none
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of the sources called `pipe:NAME`


def options(settings: schema.Settings, *, interface: str = "") -> Options:
    """The options in force; `interface` is the channel's own."""
    return Options(
        interface=interface or settings.recording.interface,
        buffer_bytes=settings.recording.receive_buffer_bytes,
        engine=settings.recording.engine,
        commands={name: tuple(one.command) for name, one in settings.source.items()},
    )


def is_other(url: str, old: Options, new: Options) -> bool:
    """Whether a change of the settings concerns the source of this address. Raises AddressInvalid."""
    place = address.parse(url)
    if isinstance(place, links.Link):
        return place.scheme == "pipe" and old.commands.get(place.name) != new.commands.get(place.name)
    return (place.interface or old.interface, place.engine or old.engine) != (
        place.interface or new.interface,
        place.engine or new.engine,
    )


def _pipe(link: links.Link, given: Options) -> base.Source:
    from nephos.recording.sources import process

    def prepare(_is_unwanted: ports.Waiter) -> Sequence[str]:
        if link.name not in given.commands:
            raise errors.SourceError(
                f"The settings name no source called {link.name}.",
                hint=f'Write [source.{link.name}] and command = ["program", "argument"].',
            )
        return given.commands[link.name]

    return process.ProcessSource(prepare, what="pipe", shown=link.shown)


def _ffmpeg(link: links.Link, _options: Options) -> base.Source:
    from nephos.recording.sources import ffmpeg

    return ffmpeg.source(link)


def _web(link: links.Link, given: Options) -> base.Source:
    if link.is_playlist:
        return _ffmpeg(link, given)
    from nephos.recording.sources import web

    return web.source(link)


KINDS: dict[str, Callable[[links.Link, Options], base.Source]] = {
    "http": _web,
    "https": _web,
    "rtsp": _ffmpeg,
    "rtsps": _ffmpeg,
    "srt": _ffmpeg,
    "rist": _ffmpeg,
    "file": _ffmpeg,
    "pipe": _pipe,
}


def make(url: str, given: Options) -> base.Source:
    """The source for a channel's address, not yet open. Raises AddressInvalid."""
    place = address.parse(url)
    if isinstance(place, links.Link):
        return KINDS[place.scheme](place, given)
    if (place.engine or given.engine) == "multicat":
        from nephos.recording.sources import multicat

        return multicat.source(place, interface=given.interface)
    return udp.UdpSource(place, interface=given.interface, buffer_bytes=given.buffer_bytes)
