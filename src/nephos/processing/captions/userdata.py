"""Caption data in pictures (ATSC A/53 part 4): the pairs inside a coded picture, without decoding it."""

from __future__ import annotations

from collections.abc import Iterator

_MARK = b"GA94\x03"
_LARGEST = 2 + 31 * 3
_VALID, _FIELD_1, _FIELD_2 = 0x04, 0, 1


def pairs(picture: bytes, *, escaped: bool) -> Iterator[tuple[int, int, int]]:
    """Field (1 or 2) and both bytes of each pair. `escaped`: H.264 and HEVC guard against false start codes."""
    at = picture.find(_MARK)
    while at >= 0:
        start = at + len(_MARK)
        # Guard bytes make the message longer than it says: one for two bytes of it at the most.
        block = picture[start : start + _LARGEST + _LARGEST // 2]
        yield from _triplets(block.replace(b"\0\0\3", b"\0\0") if escaped else block)
        at = picture.find(_MARK, start)


def _triplets(block: bytes) -> Iterator[tuple[int, int, int]]:
    if len(block) < 2 or not block[0] & 0x40:
        return
    for number in range(block[0] & 0x1F):
        triplet = block[2 + 3 * number : 5 + 3 * number]
        if len(triplet) < 3:
            return
        kind = triplet[0] & 3
        if triplet[0] & _VALID and kind in (_FIELD_1, _FIELD_2):
            yield kind + 1, triplet[1], triplet[2]
