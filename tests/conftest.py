"""What all tests share: Django on a throw-away home, the database that the environment names."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from nephos.config import load


def pytest_configure() -> None:
    """Configure Django once, on SQLite or on what NEPHOS_DATABASE_URL names."""
    from nephos.core import bootstrap

    root = Path(tempfile.mkdtemp(prefix="nephos-tests-"))
    loaded = load.load(root)
    loaded.home.create()
    bootstrap.configure(loaded)
    default = settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        # A file, as in real life: other threads, and roles that a test starts, work on the same database.
        default.setdefault("TEST", {})["NAME"] = str(loaded.home.database)
    elif worker := os.environ.get("PYTEST_XDIST_WORKER"):
        default.setdefault("TEST", {})["NAME"] = f"test_nephos_{worker}"


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Nothing to add to names: each process of tests has a home, or a database, of its own already."""


@pytest.fixture
def home(tmp_path: Path) -> load.Loaded:
    """A fresh home with default settings."""
    loaded = load.load(tmp_path / "home", environment={})
    loaded.home.create()
    return loaded
