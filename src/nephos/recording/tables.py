"""The programme map of a transport stream (PAT and PMT of ISO 13818-1), read as it comes; pure.

Everything is bounded: a fixed number of programmes, one section of at most 1024 bytes a PID, a few packets of each
batch. A section with a wrong checksum is as good as none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PAT_PID = 0
_MOST_PROGRAMMES = 64
_MOST_STREAMS = 64
_LONGEST_SECTION = 1024
_PACKET_BYTES = 188
_PAT, _PMT = 0x00, 0x02

CODECS = {
    0x01: "mpeg1video",
    0x02: "mpeg2video",
    0x03: "mp2",
    0x04: "mp2",
    0x0F: "aac",
    0x10: "mpeg4",
    0x11: "aac-latm",
    0x1B: "h264",
    0x24: "hevc",
    0x33: "vvc",
    0x42: "cavs",
    0x81: "ac3",
    0x82: "scte-27",
    0x86: "scte-35",
    0x87: "eac3",
}
VIDEO = frozenset({"mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc", "vvc", "cavs"})
# What a private stream (type 6) is, told by a descriptor.
_BY_DESCRIPTOR = {0x56: "teletext", 0x59: "dvb-subtitle", 0x6A: "ac3", 0x7A: "eac3", 0x7B: "dts", 0x7C: "aac"}
_LANGUAGE, _CAPTION_SERVICE, _REGISTRATION = 0x0A, 0x86, 0x05


@dataclass(frozen=True, slots=True)
class Stream:
    """One part of a programme. `captions` names what its descriptors promise."""

    pid: int
    codec: str
    language: str = ""
    captions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme of the map."""

    number: int
    pid: int  # of its own table
    streams: tuple[Stream, ...] = ()


class BadSection(ValueError):
    """These bytes are no section of such a table."""


@dataclass(slots=True)
class _Gathering:
    """The section that a PID is in the middle of."""

    raw: bytearray = field(default_factory=bytearray)
    last: bytes = b""  # the last whole section, so that a repeated one costs nothing


class Tables:
    """Feed it the packets of `wanted` PIDs; `changes` counts how often the map was another."""

    def __init__(self) -> None:
        self.changes = 0
        self.bad_sections = 0
        self._programmes: dict[int, Programme] = {}
        self.wanted = frozenset({PAT_PID})  # the PIDs that tables come on
        self._gathering: dict[int, _Gathering] = {PAT_PID: _Gathering()}
        self._maps: dict[int, int] = {}  # number of a programme to the PID of its table

    @property
    def has_pat(self) -> bool:
        return bool(self._gathering[PAT_PID].last)

    @property
    def programmes(self) -> tuple[Programme, ...]:
        """The programmes of which the table has come, by number."""
        return tuple(self._programmes[number] for number in sorted(self._programmes))

    @property
    def listed(self) -> int:
        """How many programmes the PAT names."""
        return len(self._maps)

    def feed(self, packet: bytes) -> None:
        """One packet of 188 bytes; what makes no sense is counted and left."""
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        gathering = self._gathering.get(pid)
        payload = _payload(packet)
        if gathering is None or not payload:
            return
        if packet[1] & 0x40:  # a section starts in here; the one before ends before the pointer's place
            pointer = 1 + payload[0]
            gathering.raw += payload[1:pointer]
            self._finish(pid, gathering)
            gathering.raw = bytearray(payload[pointer:])
        elif gathering.raw:
            gathering.raw += payload
        self._finish(pid, gathering)

    def _finish(self, pid: int, gathering: _Gathering) -> None:
        """Read the whole sections that are gathered."""
        raw = gathering.raw
        while len(raw) >= 3 and raw[0] != 0xFF:
            length = 3 + (int.from_bytes(raw[1:3], "big") & 0x0FFF)
            if length > _LONGEST_SECTION:
                self.bad_sections += 1
                raw.clear()
                return
            if len(raw) < length:
                return
            section = bytes(raw[:length])
            del raw[:length]
            if section != gathering.last:
                self._read(pid, gathering, section)
        raw.clear()

    def _read(self, pid: int, gathering: _Gathering, section: bytes) -> None:
        try:
            if crc32(section):
                raise BadSection
            if len(section) < 12 or not section[5] & 1:  # announced for later
                return
            if pid == PAT_PID and section[0] == _PAT:
                self._take_pat(_programme_list(section))
            elif pid != PAT_PID and section[0] == _PMT:
                self._take_pmt(_programme(section, pid))
            else:
                return
        except (BadSection, IndexError):
            self.bad_sections += 1
            return
        gathering.last = section

    def _take_pat(self, listed: dict[int, int]) -> None:
        if listed == self._maps:
            return
        if self._maps:
            self.changes += 1
        self._maps = listed
        wanted = set(listed.values()) - {PAT_PID}
        kept = {pid: old for pid, old in self._gathering.items() if pid == PAT_PID or pid in wanted}
        self._gathering = kept | {pid: _Gathering() for pid in wanted if pid not in kept}
        self.wanted = frozenset(self._gathering)
        self._programmes = {n: one for n, one in self._programmes.items() if listed.get(n) == one.pid}

    def _take_pmt(self, programme: Programme) -> None:
        if self._maps.get(programme.number) != programme.pid:
            return  # a table of a programme that the PAT does not name there
        before = self._programmes.get(programme.number)
        if before is not None and before != programme:
            self.changes += 1
        self._programmes[programme.number] = programme


def _payload(packet: bytes) -> bytes:
    if len(packet) != _PACKET_BYTES or not packet[3] & 0x10 or packet[1] & 0x80 or packet[3] & 0xC0:
        return b""
    start = 5 + packet[4] if packet[3] & 0x20 else 4
    return packet[start:]


def _programme_list(section: bytes) -> dict[int, int]:
    body = section[8:-4]
    entries = (body[place : place + 4] for place in range(0, len(body) - 3, 4))
    listed: dict[int, int] = {}
    for entry in entries:
        number, pid = int.from_bytes(entry[:2], "big"), int.from_bytes(entry[2:], "big") & 0x1FFF
        if number and len(listed) < _MOST_PROGRAMMES:  # 0 names the network table
            listed[number] = pid
    return listed


def _programme(section: bytes, pid: int) -> Programme:
    end = len(section) - 4
    place = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    streams: list[Stream] = []
    while place + 5 <= end and len(streams) < _MOST_STREAMS:
        length = int.from_bytes(section[place + 3 : place + 5], "big") & 0x0FFF
        if place + 5 + length > end:
            raise BadSection
        streams.append(_stream(section[place : place + 5 + length]))
        place += 5 + length
    return Programme(number=int.from_bytes(section[3:5], "big"), pid=pid, streams=tuple(streams))


def _stream(entry: bytes) -> Stream:
    kind = entry[0]
    found = _descriptors(entry[5:])
    codec = CODECS.get(kind, f"type {kind:#04x}")
    if kind == 0x06:
        codec = next((name for tag, name in _BY_DESCRIPTOR.items() if tag in found), _registered(found))
    captions = [name for tag, name in ((0x56, "teletext"), (0x59, "dvb-subtitle")) if tag in found]
    if _CAPTION_SERVICE in found:
        captions.append("cea-608/708")
    holder = next((found[tag] for tag in (_LANGUAGE, 0x56, 0x59) if tag in found), b"")
    language = holder[:3].decode("latin-1")
    return Stream(
        pid=int.from_bytes(entry[1:3], "big") & 0x1FFF,
        codec=codec,
        language=language if language.isalpha() and language.isascii() else "",
        captions=tuple(captions),
    )


def _descriptors(raw: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = 0
    while place + 2 <= len(raw):
        tag, length = raw[place], raw[place + 1]
        found.setdefault(tag, raw[place + 2 : place + 2 + length])
        place += 2 + length
    return found


def _registered(found: dict[int, bytes]) -> str:
    name = found.get(_REGISTRATION, b"")[:4].decode("latin-1").strip().lower()
    return name if name.isalnum() and name.isascii() else "private"


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x8000_0000 else 0)
        table.append(crc & 0xFFFF_FFFF)
    return tuple(table)


_CRC = _crc_table()


def crc32(raw: bytes) -> int:
    """The checksum of sections; 0 over a whole one, its own checksum included."""
    crc = 0xFFFF_FFFF
    for byte in raw:
        crc = (crc << 8 & 0xFFFF_FFFF) ^ _CRC[crc >> 24 ^ byte]
    return crc
