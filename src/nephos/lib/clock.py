"""The only reader of the system clock."""

from __future__ import annotations

import functools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path


def now() -> datetime:
    """Wall-clock time, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


def unix() -> float:
    """Wall-clock time in seconds since 1970, UTC."""
    return time.time()


def monotonic() -> float:
    """Seconds of a clock that never steps; only differences mean anything."""
    return time.monotonic()


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z: `2026-11-22T19:16:20.125Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def compact(moment: datetime) -> str:
    """For file names: `20261122T191620Z`."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def parse(text: str) -> datetime:
    """Read what `stamp` wrote.

    Raises ValueError if the text is no moment or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment.astimezone(UTC)


def elapsed() -> float:
    """As `monotonic`, and goes on while the machine sleeps where the system offers such a clock (not on Windows)."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


@functools.cache
def boot() -> str:
    """Names this start of the machine: `elapsed` counts from it. Empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
