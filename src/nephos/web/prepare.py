"""`python -m nephos.web.prepare --home H`: before the roles start, the database is brought up to date.

Prints one line, `{"login": "/login/<secret>"}`: the owner's way in.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from nephos.config import load
from nephos.core import bootstrap, single
from nephos.lib import errors

OURS = ("events", "library", "farm", "recording", "monitoring", "web")


def prepare(loaded: load.Loaded) -> str:
    """Migrate, make sure of the owner's account, and return the path of a fresh login link.

    Raises DatabaseNewer, Unreachable, AlreadyRunning if another station uses the database.
    """
    loaded.home.create()
    bootstrap.setup(loaded)
    with _database_errors():
        single.hold()
    migrate(loaded)
    with _database_errors():
        return _owner_link()


def migrate(loaded: load.Loaded) -> None:
    """Bring Django up on this home and its database up to date. Raises DatabaseNewer, Unreachable."""
    bootstrap.setup(loaded)
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    with _database_errors():
        loader = MigrationLoader(connection)
        refuse_newer(loader.applied_migrations, loader.disk_migrations)
        if any(key not in loader.applied_migrations for key in loader.disk_migrations):
            call_command("migrate", verbosity=0, interactive=False)


@contextlib.contextmanager
def _database_errors() -> Iterator[None]:
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise errors.Unreachable(
            f"The database cannot be used: {str(error).strip().splitlines()[0] if str(error) else error!r}.",
            hint="Check [database] in nephos.toml, and that the disk is neither full nor read-only.",
        ) from error


def refuse_newer(applied: object, known: object) -> None:
    """Raises DatabaseNewer if a migration was applied that this program does not know."""
    from nephos.web import errors as web_errors

    assert isinstance(applied, dict)  # noqa: S101 - Django's loader keeps both as mappings by (app, name)
    assert isinstance(known, dict)  # noqa: S101
    strange = sorted(f"{app}.{name}" for app, name in set(applied) - set(known) if app in OURS)
    if strange:
        raise web_errors.DatabaseNewer(
            f"The database was made by a newer version of Nephos: it knows {strange[-1]}.",
            hint="Install that version again, or restore a backup that was made before the upgrade.",
        )


def _owner_link() -> str:
    from nephos.web import services

    owner = services.ensure_owner()
    lifetime = services.LINK_LIFETIME if owner.last_login else services.FIRST_LINK_LIFETIME
    return f"/login/{services.make_login_link(user=owner, lifetime=lifetime)}"


def main(argv: list[str] | None = None) -> int:
    """One JSON line, or one sentence and its hint on stderr."""
    parser = argparse.ArgumentParser(prog="nephos.web.prepare")
    parser.add_argument("--home", type=Path, required=True)
    try:
        link = prepare(load.load(parser.parse_args(argv).home))
    except errors.NephosError as error:
        sys.stderr.write(f"{error.message}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return int(error.exit_code)
    sys.stdout.write(json.dumps({"login": link}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
