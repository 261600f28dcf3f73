"""The character sets of CEA-608: the basic one differs from ASCII in places, the others follow a control byte."""

from __future__ import annotations

_BASIC_OTHERS = {
    0x27: "\u2019",
    0x2A: "á",
    0x5C: "é",
    0x5E: "í",
    0x5F: "ó",
    0x60: "ú",
    0x7B: "ç",
    0x7C: "÷",
    0x7D: "Ñ",
    0x7E: "ñ",
    0x7F: "█",
}
_SPECIAL = "®°½¿™¢£♪à\u00a0èâêîôû"  # 0x30 to 0x3f; the tenth is a transparent space
_SPANISH_FRENCH = "ÁÉÓÚÜü\u2018¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»"  # 0x20 to 0x3f
_PORTUGUESE_GERMAN = "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘"  # 0x20 to 0x3f


def basic(code: int) -> str:
    """A printable byte, 0x20 to 0x7f."""
    return _BASIC_OTHERS.get(code) or chr(code)


def special(code: int) -> str:
    """The second byte after 0x11, 0x30 to 0x3f."""
    return _SPECIAL[code - 0x30]


def extended(first: int, code: int) -> str:
    """The second byte after 0x12 or 0x13, 0x20 to 0x3f."""
    return (_SPANISH_FRENCH if first == 0x12 else _PORTUGUESE_GERMAN)[code - 0x20]
