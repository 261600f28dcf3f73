"""What happens to a station that runs for years: the machine dies, and a newer version takes over, in mid-recording."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from nephos.lib import clock
from tests.fakes import broadcast
from tests.support import storage, waiting
from tests.support.station import Station

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]
GROUP = f"239.255.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
PORT = 5006
MIGRATION = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("library", "{last}")]
    operations = []
"""


@pytest.fixture
def on_air() -> Iterator[None]:
    """The test broadcast, for as long as any of these tests may take."""
    with broadcast.on_air(group=GROUP, port=PORT, seconds=170):
        yield


def record(station: Station, seconds: int) -> None:
    """Begin a recording and wait until its bytes flow."""
    station.run("record", "One", "--duration", f"{seconds}s")

    def flowing() -> bool:
        receivers = station.beat("recorder").get("details", {}).get("receivers", [])
        return any(r["state"] == "receiving" and r["bookings"] for r in receivers)

    waiting.until(flowing, seconds=20, what="the first bytes")


def one_recording_with_one_gap(station: Station) -> dict[str, Any]:
    """The recording once it is finished; fails if there are several, or other gaps than one."""
    row = station.await_recording(["arrived", "processing", "processed", "delivered"], seconds=60)
    assert len(station.recordings()) == 1
    assert [booking["state"] for booking in station.json("booking", "list")] == ["recorded"]
    gaps = row["recording"]["gaps"]
    assert len(gaps) == 1, gaps
    assert row["recording"]["verdict"] == "complete_with_gaps"
    return dict(gaps[0])


def test_a_machine_that_dies_in_mid_recording_goes_on_when_it_is_back(station: Station, on_air: None) -> None:
    station.start()
    storage.add_channel(station, "One", group=GROUP, port=PORT)
    record(station, 20)
    time.sleep(3)

    assert station.process is not None
    supervisor = psutil.Process(station.process.pid)
    for process in [supervisor, *supervisor.children(recursive=True)]:
        process.kill()
    station.process.wait()
    died_at = clock.unix()
    time.sleep(2)
    station.start()
    gap = one_recording_with_one_gap(station)

    assert 1.5 < gap["seconds"] < 2 + 5 + (clock.unix() - died_at) * 0.05, gap


@pytest.mark.slow
def test_an_upgrade_in_mid_recording_keeps_the_recording_and_brings_the_database_along(
    station: Station, on_air: None, tmp_path: Path
) -> None:
    old, new = (wheel(tmp_path, version) for version in ("0.1.0", "0.1.1.dev1"))
    station.program = install(tmp_path / "venv", old)
    station.start()
    storage.add_channel(station, "One", group=GROUP, port=PORT)
    record(station, 25)
    assert station.json("version")["release"] == "0.1.0"
    time.sleep(3)

    station.run("stop", "--now")
    assert station.process is not None
    station.process.wait(60)
    install(tmp_path / "venv", new)
    station.start()

    assert station.json("version")["release"] == "0.1.1.dev1"
    gap = one_recording_with_one_gap(station)
    assert gap["seconds"] < 15, gap
    with sqlite3.connect(station.root / "databases/nephos.db") as database:
        found = database.execute("SELECT name FROM django_migrations WHERE app = 'library'").fetchall()
    database.close()
    assert ("9999_of_the_newer",) in found

    station.stop()
    install(tmp_path / "venv", old)
    refused = station.run("start", check=False)
    assert refused.returncode != 0
    assert "newer version" in refused.stderr
    assert "Traceback" not in refused.stderr


def wheel(folder: Path, version: str) -> Path:
    """A wheel of this tree under another version; the newer one has a migration more."""
    source = folder / f"source-{version}"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    text = (ROOT / "pyproject.toml").read_text()
    (source / "pyproject.toml").write_text(re.sub(r'^version = ".*"$', f'version = "{version}"', text, flags=re.M))
    if version != "0.1.0":
        migrations = source / "src/nephos/library/migrations"
        last = sorted(path.stem for path in migrations.glob("0*.py"))[-1]
        (migrations / "9999_of_the_newer.py").write_text(MIGRATION.format(last=last))
    argv = ["wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(source)]
    subprocess.run([sys.executable, "-m", "pip", *argv], check=True, timeout=120)
    (made,) = folder.glob(f"nephos_station-{version}-*.whl")
    return made


def install(place: Path, made: Path) -> list[str]:
    """Put a wheel into a virtual environment that borrows everything else from ours; the program to run."""
    python = place / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=60)
        (packages,) = place.glob("lib/python3*/site-packages")
        ours = Path(pytest.__file__).parents[1]
        (packages / "borrowed.pth").write_text(f"{ours}\n")
    argv = ["install", "-q", "--no-deps", "--no-index", "--force-reinstall", str(made)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *argv], check=True, timeout=120)
    return [str(python), "-m", "nephos"]
