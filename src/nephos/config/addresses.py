"""Where the page is: for programs of this machine, and for people, who may be far away and behind a proxy."""

from __future__ import annotations

from nephos.config.schema import Web

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


def local(web: Web) -> str:
    """An address that answers on this machine."""
    return f"http://{_bracketed(LOOPBACK.get(web.host, web.host))}:{web.port}"


def for_people(web: Web) -> str:
    """The name that the settings allow, if the page can be reached by it; else the local address."""
    names = [name for name in web.allowed_hosts if name and name[0] not in "*."]
    if names and web.behind_tls:
        return f"https://{_bracketed(names[0])}"
    if names and web.host in LOOPBACK:
        return f"http://{_bracketed(names[0])}:{web.port}"
    return local(web)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
