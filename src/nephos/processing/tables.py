"""What a transport stream says that it carries: programme association, programme maps, teletext descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nephos.processing import transport

_LOOK_BYTES = 32 << 20  # tables come several times a second, so this is plenty even at 100 Mb/s
_LANGUAGE, _TELETEXT, _VBI_TELETEXT = 0x0A, 0x56, 0x46
_SUBTITLE_TYPES = (0x02, 0x05)  # subtitles, and those for the hard of hearing

MPEG2_VIDEO, H264, HEVC = (0x01, 0x02), 0x1B, 0x24
VIDEO = (*MPEG2_VIDEO, H264, HEVC)


@dataclass(frozen=True, slots=True)
class TeletextPage:
    """A subtitle page that a teletext descriptor announces."""

    page: int
    language: str
    hard_of_hearing: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """An elementary stream of a programme."""

    pid: int
    kind: int
    language: str
    teletext: bool
    pages: tuple[TeletextPage, ...]


def streams(path: Path, *, step: int = transport.PACKET_BYTES) -> tuple[Stream, ...]:
    """The streams of the first programme that has pictures, else of the first one; nothing if no map was found."""
    reader = _Reader()
    for run in transport.runs(path, step=step):
        reader.take(run)
        if reader.complete or run.offset > _LOOK_BYTES:
            break
    with_pictures = [found for found in reader.maps.values() if any(stream.kind in VIDEO for stream in found)]
    return next(iter(with_pictures or reader.maps.values()), ())


class _Reader:
    """Follows the association table to the maps of all programmes."""

    def __init__(self) -> None:
        self.maps: dict[int, tuple[Stream, ...]] = {}
        self._wanted: set[int] = set()
        self._collectors = {0: _Collector()}

    @property
    def complete(self) -> bool:
        return bool(self._wanted) and self._wanted <= self.maps.keys()

    def take(self, run: transport.Run) -> None:
        done: set[int] = set()
        while todo := self._collectors.keys() - done:
            pid = min(todo)
            done.add(pid)
            for section in self._collectors[pid].sections(run, pid):
                self._take_section(pid, section)

    def _take_section(self, pid: int, section: bytes) -> None:
        if section[0] == 0x00:
            self._wanted = set(_map_pids(section))
            for wanted in self._wanted - self._collectors.keys():
                self._collectors[wanted] = _Collector()
        elif section[0] == 0x02:
            self.maps[pid] = _parse_map(section)


class _Collector:
    """Puts the sections of one PID together."""

    def __init__(self) -> None:
        self._pending = b""

    def sections(self, run: transport.Run, pid: int) -> Iterator[bytes]:
        for place in transport.packets(run, pid):
            packet = run.packets[place : place + transport.PACKET_BYTES]
            content = transport.payload(packet)
            if not content:
                continue
            if packet[1] & 0x40:
                self._pending = content[1 + content[0] :]
            elif self._pending:
                self._pending += content
            if len(self._pending) >= 3:
                size = 3 + ((self._pending[1] & 0x0F) << 8 | self._pending[2])
                if len(self._pending) >= size > 12:
                    yield self._pending[:size]
                    self._pending = b""


def _map_pids(section: bytes) -> Iterator[int]:
    for at in range(8, len(section) - 7, 4):
        programme = section[at] << 8 | section[at + 1]
        if programme:
            yield (section[at + 2] & 0x1F) << 8 | section[at + 3]


def _parse_map(section: bytes) -> tuple[Stream, ...]:
    found = []
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= len(section) - 4:
        size = (section[at + 3] & 0x0F) << 8 | section[at + 4]
        descriptors = list(_descriptors(section[at + 5 : at + 5 + size]))
        pid = (section[at + 1] & 0x1F) << 8 | section[at + 2]
        found.append(
            Stream(
                pid=pid,
                kind=section[at],
                language=next((_letters(body[:3]) for tag, body in descriptors if tag == _LANGUAGE), ""),
                teletext=any(tag == _TELETEXT for tag, _ in descriptors),
                pages=tuple(page for tag, body in descriptors if tag == _TELETEXT for page in _pages(body)),
            )
        )
        at += 5 + size
    return tuple(found)


def _descriptors(raw: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(raw):
        yield raw[at], raw[at + 2 : at + 2 + raw[at + 1]]
        at += 2 + raw[at + 1]


def _pages(body: bytes) -> Iterator[TeletextPage]:
    for at in range(0, len(body) - 4, 5):
        kind, magazine = body[at + 3] >> 3, body[at + 3] & 7
        if kind in _SUBTITLE_TYPES:
            number = (magazine or 8) * 100 + (body[at + 4] >> 4) * 10 + (body[at + 4] & 15)
            yield TeletextPage(page=number, language=_letters(body[at : at + 3]), hard_of_hearing=kind == 0x05)


def _letters(raw: bytes) -> str:
    text = raw.decode("ascii", errors="replace").lower()
    return text if text.isalpha() and text.isascii() else ""
