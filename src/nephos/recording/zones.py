"""The time zone of this station and machine."""

from __future__ import annotations

import os
from pathlib import Path

from nephos.config.load import Loaded
from nephos.recording import rules

_LINK = Path("/etc/localtime")
_NAME_FILE = Path("/etc/timezone")


def of_station(loaded: Loaded) -> str:
    """What the settings say, else what this machine is set to; may be empty."""
    return loaded.settings.station.zone or of_machine()


def of_machine() -> str:
    """The IANA name that this machine is set to, empty if it cannot be told."""
    for name in (os.environ.get("TZ", "").lstrip(":"), _from_link(), _from_file()):
        if name and rules.is_zone(name):
            return name
    return ""


def _from_link() -> str:
    # Debian's link goes straight to the zone's file; others pass through a few more links.
    path = os.path.realpath(_LINK)
    return path.partition("/zoneinfo/")[2].removeprefix("posix/").removeprefix("right/")


def _from_file() -> str:
    try:
        return _NAME_FILE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
