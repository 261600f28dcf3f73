"""What every page's template knows: the frame around the content."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from nephos.core import bootstrap
from nephos.web import access, roles, viewer


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One of the five entries."""

    title: str
    path: str
    icon: str
    is_here: bool


_ENTRIES = (
    ("Now", "/", "now"),
    ("Channels", "/channels", "channels"),
    ("Schedules", "/schedules", "schedules"),
    ("Recordings", "/recordings", "recordings"),
    ("System", "/system", "system"),
)


def page(request: HttpRequest) -> dict[str, Any]:
    """The frame: who looks, what they may, where they are, what they must know."""
    settings = bootstrap.loaded().settings
    caller = access.find_caller(request)
    return {
        "caller": caller,
        "may_operate": caller is not None and caller.may(roles.Scope.OPERATE),
        "station": settings.station.name,
        "theme": viewer.theme(request),
        "navigation": [
            NavigationEntry(title, path, icon, is_here(request.path, path)) for title, path, icon in _ENTRIES
        ],
        "unprotected": not settings.web.behind_tls and is_open_to_others(settings.web.host),
    }


def is_here(path: str, entry: str) -> bool:
    """Whether a path belongs to an entry of the navigation."""
    return path == entry if entry == "/" else path == entry or path.startswith(f"{entry}/")


def is_open_to_others(host: str) -> bool:
    """Whether the page listens on more than this machine's own addresses."""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
