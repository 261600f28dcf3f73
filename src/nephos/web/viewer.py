"""What a viewer's browser told us in cookies: their time zone and the look they chose."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest

ZONE_COOKIE = "nephos_zone"
THEME_COOKIE = "nephos_theme"
THEMES = ("light", "dark")


def zone(request: HttpRequest) -> tzinfo:
    """The viewer's zone; UTC until it is known, and for nonsense."""
    name = request.COOKIES.get(ZONE_COOKIE, "")
    if not name or len(name) > 64:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def theme(request: HttpRequest) -> str:
    """`light`, `dark`, or nothing for what the system prefers."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""
