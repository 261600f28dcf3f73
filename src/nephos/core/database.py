"""Which database, and the pragmas without which SQLite locks up under several processes."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from nephos.config import errors
from nephos.config.load import Loaded

# Measured: 5,347 "database is locked" errors without IMMEDIATE, none with it (docs/decisions/0002).
_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; PRAGMA journal_size_limit=67108864;"
)


def url(loaded: Loaded) -> str:
    """`NEPHOS_DATABASE_URL`, else `[database] url`, else empty for SQLite in the home folder."""
    return os.environ.get("NEPHOS_DATABASE_URL") or loaded.settings.database.url


def options(loaded: Loaded) -> dict[str, Any]:
    """Django's description of the database. Raises ConfigError for a URL that is none of ours."""
    address = url(loaded)
    if not address:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(loaded.home.database),
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": _PRAGMAS},
        }
    parts = urlsplit(address)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise errors.ConfigError(
            "The database URL is not one of PostgreSQL.", hint="Write postgresql://user:password@host:5432/name."
        )
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": 10, **query},
        "CONN_HEALTH_CHECKS": True,
    }
