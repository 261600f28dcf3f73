"""CEA-608 captions (CC1, pop-on) as byte pairs, and ATSC A/53 caption data as H.264 SEI messages."""

from __future__ import annotations

from collections.abc import Sequence

from cues import FRAMES_PER_SECOND, Cue

RESUME_LOADING = (0x14, 0x20)
ERASE_DISPLAYED = (0x14, 0x2C)
ERASE_HIDDEN = (0x14, 0x2E)
END_OF_CAPTION = (0x14, 0x2F)
ROW_14 = (0x14, 0x50)
ROW_15 = (0x14, 0x70)
_FOREIGN = frozenset("'*\\^_`{|}~")  # the basic set has other characters in these places

Pair = tuple[int, int]


def with_parity(byte: int) -> int:
    """Odd parity in the top bit."""
    return byte | (0x80 if byte.bit_count() % 2 == 0 else 0)


def load(lines: Sequence[str]) -> list[Pair]:
    """The pairs that load a caption into hidden memory; each control code goes twice, as the standard asks."""
    pairs = [RESUME_LOADING] * 2 + [ERASE_HIDDEN] * 2
    for line, row in zip(lines, (ROW_14, ROW_15)[-len(lines) :], strict=True):
        if len(line) > 32 or _FOREIGN & set(line):
            raise ValueError(f"not a CEA-608 row: {line!r}")
        codes = [*line.encode("ascii"), *([0] if len(line) % 2 else [])]
        pairs += [row] * 2 + list(zip(codes[::2], codes[1::2], strict=True))
    return pairs


def schedule(cues: Sequence[Cue], frames: int) -> tuple[list[Pair | None], list[int]]:
    """One pair or none for each frame in order of presentation, and the frame at which each cue starts to load."""
    slots: list[Pair | None] = [None] * frames
    first_frames = []
    for cue in cues:
        pairs = load(cue.lines)
        first = cue.start_frame - len(pairs)
        timed = list(enumerate([*pairs, END_OF_CAPTION, END_OF_CAPTION], first))
        timed += [(cue.end_frame, ERASE_DISPLAYED), (cue.end_frame + 1, ERASE_DISPLAYED)]
        for frame, pair in timed:
            if frame < 0 or slots[frame] is not None:
                raise ValueError(f"no room for the caption {cue.lines} in frame {frame}")
            slots[frame] = pair
        first_frames.append(first)
    return slots, first_frames


def sei(pair: Pair | None) -> bytes:
    """A NAL unit with the caption data of one frame: field 1 carries the pair, field 2 and CEA-708 are idle."""
    count = 600 // FRAMES_PER_SECOND
    first, second = (with_parity(byte) for byte in pair or (0, 0))
    triplets = bytes([0xFC, first, second, 0xFD, 0x80, 0x80]) + b"\xfa\x00\x00" * (count - 2)
    payload = b"\xb5\x00\x31GA94\x03" + bytes([0x40 | count, 0xFF]) + triplets + b"\xff"
    raw = bytes([4, len(payload)]) + payload + b"\x80"
    return b"\x00\x00\x00\x01\x06" + _escape(raw)


def _escape(raw: bytes) -> bytes:
    """Put an emulation prevention byte where three bytes would look like a start code."""
    out = bytearray()
    zeros = 0
    for byte in raw:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def insert(access_unit: bytes, message: bytes) -> bytes:
    """Put a SEI message before the first slice of a picture."""
    position = access_unit.find(b"\x00\x00\x01")
    while position >= 0:
        if access_unit[position + 3] & 0x1F in (1, 5):
            before = position - 1 if position and access_unit[position - 1] == 0 else position
            return access_unit[:before] + message + access_unit[before:]
        position = access_unit.find(b"\x00\x00\x01", position + 3)
    raise ValueError("a picture without a slice")
