"""Sizes, lengths of time and rates as people read and write them."""

from __future__ import annotations

import re
from datetime import timedelta

from nephos.lib import errors

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTP]?)(i?B)?", re.IGNORECASE)
_STEPS = "KMGTP"


def parse_duration(text: str) -> timedelta:
    """Read `20s`, `1h30m`, `2d` or `HH:MM:SS`.

    Raises Invalid for anything else, and for nothing at all.
    """
    text = text.strip()
    clock_face = re.fullmatch(r"(\d{1,3}):(\d{2})(?::(\d{2}))?", text)
    if clock_face:
        hours, minutes, seconds = (int(part or 0) for part in clock_face.groups())
        if minutes > 59 or seconds > 59:
            raise errors.Invalid(
                f"{text!r} is not a length of time.", hint="After HH: comes at most 59; or write 1h30m."
            )
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise errors.Invalid(f"{text[:40]!r} is not a length of time.", hint="Write it like 90s, 20m or 1h30m.")
    days, hours_, minutes_, seconds_ = match.groups()
    try:
        return timedelta(
            days=int(days or 0), hours=int(hours_ or 0), minutes=int(minutes_ or 0), seconds=float(seconds_ or 0)
        )
    except OverflowError:
        raise errors.Invalid(f"{text[:40]!r} is too long.", hint="Write it like 90s, 20m or 1h30m.") from None


def duration(length: timedelta) -> str:
    """`1h 30m`, `20 s`, `0.5 s`: the two largest units."""
    seconds = length.total_seconds()
    if abs(seconds) < 60:
        return f"{seconds:.3g} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = [(days, "d"), (hour, "h"), (minute, "m"), (second, "s")]
    shown = [f"{number}{unit}" for number, unit in parts if number]
    return " ".join(shown[:2])


def parse_size(text: str) -> int:
    """Bytes of `16MiB`, `10G` or `500`; binary steps throughout. Raises Invalid."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise errors.Invalid(f"{text[:40]!r} is not a size.", hint="Write it like 500, 64KiB, 16MiB or 2G.")
    number, step, _ = match.groups()
    power = _STEPS.index(step.upper()) + 1 if step else 0
    return int(float(number) * 1024**power)


def size(number_of_bytes: int) -> str:
    """`1.5 MiB`: binary units, three digits."""
    amount = float(number_of_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} TiB"


def bit_rate(bits_per_second: float) -> str:
    """`4.2 Mb/s`: decimal units, as broadcasters count."""
    amount = bits_per_second
    for unit in ("b/s", "kb/s", "Mb/s"):
        if abs(amount) < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} Gb/s"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 gap`, `2 gaps`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def searched(given: str) -> str:
    """What a database can be asked for: longer than any name of ours, shorter than what SQLite takes for a pattern."""
    return given[:500]
