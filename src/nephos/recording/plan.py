"""The plan: which channels to receive when. Written by the keeper, obeyed by the recorder, one JSON file between them.

The recorder needs no database; a plan that cannot be read leaves the one in force in force.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nephos.lib import clock, errors, files
from nephos.recording.sources import address

VERSION = 1
_LARGEST_BYTES = 32 * 1024 * 1024
_UNUSABLE = (errors.Invalid, KeyError, TypeError, ValueError, OverflowError, AttributeError)
_SLUG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)  # names a folder, so never `..` nor a path


class PlanBroken(errors.NephosError):
    """The recording plan cannot be read."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time for which a booking wants its channel received, padding included."""

    booking: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    """What to receive and when. An empty interface means the station's usual one.

    With `buffer_seconds` it is received all the time, so that what aired can be recorded afterwards.
    """

    slug: str
    name: str
    url: str
    interface: str = ""
    windows: tuple[Window, ...] = ()
    buffer_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole document. `problems` says in words what was left out when it was read.

    `broken` names the channels that were left out: who is receiving one of them goes on as before.
    """

    made_at: datetime
    channels: tuple[Channel, ...] = ()
    problems: tuple[str, ...] = ()
    broken: frozenset[str] = frozenset()


def write(path: Path, plan: Plan) -> None:
    """Replace the plan in one step."""
    files.write_json(path, document(plan), mode=0o600)  # an address may hold a password


def document(plan: Plan) -> dict[str, Any]:
    """The plan as it is kept on disk."""
    return {
        "version": VERSION,
        "made_at": clock.stamp(plan.made_at),
        "channels": [
            {
                "slug": channel.slug,
                "name": channel.name,
                "url": channel.url,
                "interface": channel.interface,
                "buffer_seconds": channel.buffer_seconds,
                "windows": [
                    {"booking": w.booking, "start": clock.stamp(w.start), "end": clock.stamp(w.end)}
                    for w in channel.windows
                ],
            }
            for channel in plan.channels
        ],
    }


def read(path: Path) -> Plan | None:
    """The plan on disk, None if there is none yet. Raises PlanBroken."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise PlanBroken(f"{path} is too large for a plan.")
        return parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise PlanBroken(f"{path} cannot be read: {error}.") from error


def parse(raw: object) -> Plan:
    """A plan from its document; one bad channel is left out and named. Raises PlanBroken."""
    if not isinstance(raw, Mapping) or raw.get("version") != VERSION or not isinstance(raw.get("channels"), list):
        raise PlanBroken(f"This is no plan of version {VERSION}.")
    try:
        made_at = clock.parse(raw["made_at"])
    except _UNUSABLE as error:
        raise PlanBroken(f"The plan does not say when it was made: {error}.") from error
    channels: dict[str, Channel] = {}
    problems: list[str] = []
    broken: set[str] = set()
    for place, entry in enumerate(raw["channels"]):
        try:
            channel = _channel(entry)
        except _UNUSABLE as error:
            problems.append(f"channel {place + 1}: {error!s:.300}")
            if isinstance(entry, Mapping):
                broken.add(str(entry.get("slug")))
        else:
            channels.setdefault(channel.slug, channel)
    return Plan(made_at=made_at, channels=tuple(channels.values()), problems=tuple(problems), broken=frozenset(broken))


def _channel(entry: Mapping[str, Any]) -> Channel:
    slug = entry["slug"]
    if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
        raise ValueError(f"{str(slug)[:60]!r} cannot name a folder")
    return Channel(
        slug=slug,
        name=str(entry.get("name") or slug),
        url=address.parse(str(entry["url"])).url,
        interface=address.interface(str(entry.get("interface") or "")),
        windows=tuple(_window(window) for window in entry["windows"]),
        buffer_seconds=max(0, int(entry.get("buffer_seconds") or 0)),
    )


def _window(entry: Mapping[str, Any]) -> Window:
    window = Window(booking=int(entry["booking"]), start=clock.parse(entry["start"]), end=clock.parse(entry["end"]))
    if window.end <= window.start:
        raise ValueError(f"booking {window.booking} ends before it starts")
    return window
