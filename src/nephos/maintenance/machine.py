"""What a check wants to know of this machine; each answer is None where it cannot be told."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
from datetime import timedelta
from pathlib import Path

from nephos.config.load import Loaded
from nephos.core import database as of_django
from nephos.lib import children, clock, errors, files, locks
from nephos.recording import zones

_TIMEOUT = timedelta(seconds=5)


def not_writable(folder: Path) -> str:
    """Why a folder cannot be written or made, empty if it can."""
    place = nearest(folder)
    if place != folder and folder.parent == place and os.path.lexists(folder):
        return "something else has that name."
    if not place.is_dir():
        return f"{place} is no folder."
    return "" if os.access(place, os.W_OK | os.X_OK) else "this user may not write there."


def nearest(folder: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))


def free_bytes(folder: Path) -> int:
    """Space on the volume where a folder is or would be."""
    return files.free_bytes(nearest(folder))


def year() -> int:
    """The year by this machine's clock."""
    return clock.now().year


def clock_is_synchronised() -> bool | None:
    """What systemd or chrony says about network time."""
    if shutil.which("timedatectl"):
        answer = _ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
        if answer in ("yes", "no"):
            return answer == "yes"
    if shutil.which("chronyc"):
        answer = _ask("chronyc", "-n", "tracking")
        if answer is not None and "Leap status" in answer:
            return "Not synchronised" not in answer
    return None


def _ask(*argv: str) -> str | None:
    try:
        answer = children.run(argv, timeout=_TIMEOUT)
    except (errors.NephosError, OSError):
        return None
    return answer.stdout.decode(errors="replace").strip() if answer.code == 0 else None


def zone() -> str:
    """The IANA zone that this machine is set to, empty if it cannot be told."""
    return zones.of_machine()


def kernel_number(name: str) -> int | None:
    """A number below /proc/sys."""
    try:
        return int((Path("/proc/sys") / name).read_text())
    except (OSError, ValueError):
        return None


def may_force_buffers() -> bool:
    """Whether the receiver may go over net.core.rmem_max: with CAP_NET_ADMIN, which root has."""
    force = int(getattr(socket, "SO_RCVBUFFORCE", 33))  # Python names Linux's number since 3.14 only
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, force, 65536)
        except OSError:
            return False
    return True


def station_runs(loaded: Loaded) -> bool:
    """Whether a supervisor or a page of this home is alive."""
    run = loaded.home.run
    return any(locks.FileLock(run / f"{name}.lock").is_held() for name in ("nephos", "web"))


def database(loaded: Loaded) -> tuple[str, str]:
    """What is wrong with the database, or how it is."""
    address = of_django.url(loaded)
    if address:
        return _reach_server(loaded)
    file = loaded.home.database
    if not file.exists():
        return "", f"There is no {file} yet; the first start makes it."
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as opened:
            verdict = str(opened.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return f"{file} cannot be read: {error}.", ""
    return ("", f"{file} answers.") if verdict == "ok" else (f"{file} is damaged: {verdict}.", "")


def _reach_server(loaded: Loaded) -> tuple[str, str]:
    try:
        described = of_django.options(loaded)
    except errors.NephosError as error:
        return error.message, ""
    host, port = described["HOST"] or "localhost", int(described["PORT"] or 5432)
    if host.startswith("/"):
        return "", f"The database is behind the socket in {host}."
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return f"The database server {host}:{port} cannot be reached: {error.strerror or error}.", ""
    return "", f"The database server {host}:{port} answers."
