"""How times, sizes and lengths look in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from nephos.lib import text

Show = Callable[[Mapping[str, Any]], str]


def moment(key: str) -> Show:
    """A time of the API, in this machine's zone."""
    return lambda row: local(row.get(key))


def local(stamp: object) -> str:
    """`2026-11-22 20:16:20 CET`, nothing for nothing."""
    if not stamp:
        return ""
    return datetime.fromisoformat(str(stamp)).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def utc(key: str) -> Show:
    """`2026-11-22 19:16:20`: a time of the API as it is in UTC."""
    return lambda row: str(row.get(key) or "")[:19].replace("T", " ")


def size(key: str) -> Show:
    """Bytes for people."""
    return lambda row: "" if row.get(key) is None else text.size(int(row[key]))


def length(key: str) -> Show:
    """Seconds for people."""
    return lambda row: "" if row.get(key) is None else text.duration(timedelta(seconds=float(row[key])))


def share(key: str) -> Show:
    """A fraction in percent."""
    return lambda row: "" if row.get(key) is None else f"{float(row[key]):.0%}"
