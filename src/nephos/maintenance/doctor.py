"""What the station needs from this machine: looked at, judged, and said with what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from nephos.config import load
from nephos.lib import children, errors, listening, ports, text
from nephos.maintenance import machine
from nephos.sync import mappings


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its state, a sentence, and what a person can do."""

    name: str
    state: State
    sentence: str
    hint: str = ""


Check = Callable[[load.Loaded], list[Finding]]

_FFMPEG_TIMEOUT = timedelta(seconds=20)
_LEAST_FILES = 1024
_LEAST_WATCHES = 65536


def examine(root: Path) -> list[Finding]:
    """All checks. Bad settings end it early: nothing else can be judged without them."""
    try:
        loaded = load.load(root)
        mappings.check(loaded.settings)
    except errors.NephosError as error:
        return [Finding("settings", State.FAIL, error.message, error.hint)]
    found = [Finding("settings", State.OK, _settings_sentence(loaded))]
    for check in CHECKS:
        found += check(loaded)
    return found


def _settings_sentence(loaded: load.Loaded) -> str:
    file = loaded.home.config_file
    return f"{file} is valid." if file.exists() else f"There is no {file}; the defaults are in force."


def needed(loaded: load.Loaded) -> list[Finding]:
    """What cannot be done without: ffmpeg and ffprobe, and what these settings receive with."""
    found = [_program(name, needed=True) for name in ("ffmpeg", "ffprobe")]
    others = [source.command[0] for source in loaded.settings.source.values()]
    others += ["multicat"] if loaded.settings.recording.engine == "multicat" else []
    return [*found, *(_there(name) for name in dict.fromkeys(others))]


def _there(name: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        install = f"On Debian: apt-get install {children.package_of(name)}"
        return Finding(name, State.FAIL, f"{name} is not installed; channels are received with it.", install)
    return Finding(name, State.OK, f"{path} is there.")


def programs(loaded: load.Loaded) -> list[Finding]:
    """Those, and what the rest of the work can do without."""
    found = needed(loaded)
    optional = (("ssh", "sending over SFTP is slower"), ("tesseract", "bitmap subtitles are not read"))
    found += [_program(name, needed=False, without=loss) for name, loss in optional]
    return found


def _program(name: str, *, needed: bool, without: str = "") -> Finding:
    path = shutil.which(name)
    install = f"On Debian: apt-get install {children.package_of(name)}"
    if path is None:
        state = State.FAIL if needed else State.OK
        loss = f"; without it {without}" if without else ""
        return Finding(name, state, f"{name} is not installed{loss}.", install if needed else "")
    if not needed:
        return Finding(name, State.OK, f"{path} is there.")
    try:
        answer = children.run([name, "-version"], timeout=_FFMPEG_TIMEOUT)
    except (errors.NephosError, OSError) as error:
        return Finding(name, State.FAIL, f"{path} cannot be run: {error}.", install)
    words = answer.stdout.decode(errors="replace").split()
    if answer.code != 0 or len(words) < 3:
        return Finding(name, State.FAIL, f"{path} does not work (exit code {answer.code}).", install)
    return Finding(name, State.OK, f"{path} is version {words[2]}.")


def folders(loaded: load.Loaded) -> list[Finding]:
    """Each folder of the home that exists can be written; those that do not can be made."""
    found = []
    for folder in loaded.home.folders():
        problem = machine.not_writable(folder)
        if problem:
            hint = "Choose another place with --home or [paths], or give this user the right to write there."
            found.append(Finding("folders", State.FAIL, f"{folder}: {problem}", hint))
    return found or [Finding("folders", State.OK, f"All folders of {loaded.home.root} can be written.")]


def space(loaded: load.Loaded) -> list[Finding]:
    """Free space against the floors of the settings."""
    floors = loaded.settings.recording
    found = []
    for name, folder in (("recordings", loaded.home.recordings), ("processed", loaded.home.processed)):
        free = machine.free_bytes(folder)
        sentence = f"{text.size(free)} are free for {name}."
        if free < floors.hard_floor_bytes:
            hint = "Free some space: below the hard floor recording stops."
            found.append(Finding("space", State.FAIL, sentence, hint))
        elif free < floors.soft_floor_bytes:
            hint = f"Below {text.size(floors.soft_floor_bytes)} no new work is taken."
            found.append(Finding("space", State.WARN, sentence, hint))
        else:
            found.append(Finding("space", State.OK, sentence))
    return found


def clocks(loaded: load.Loaded) -> list[Finding]:
    """Schedules are only as right as the clock and the zone."""
    year, oldest = machine.year(), 2026
    if year < oldest:
        hint = "Set the clock; timedatectl set-ntp true keeps it right."
        return [Finding("clock", State.FAIL, f"The clock says that it is {year}.", hint)]
    found = []
    match machine.clock_is_synchronised():
        case True:
            found.append(Finding("clock", State.OK, "The clock is kept in step with network time."))
        case False:
            hint = "timedatectl set-ntp true, or run chrony."
            found.append(Finding("clock", State.WARN, "The clock is not kept in step with network time.", hint))
        case None:
            sentence = "Whether the clock is kept in step cannot be told on this machine."
            found.append(Finding("clock", State.OK, sentence))
    zone = loaded.settings.station.zone or machine.zone()
    hint = 'Set it: nephos config set station.zone "Europe/Madrid"'
    if zone:
        found.append(Finding("zone", State.OK, f"The time zone is {zone}."))
    else:
        found.append(Finding("zone", State.WARN, "This machine names no time zone, so UTC is taken.", hint))
    return found


def limits(loaded: load.Loaded) -> list[Finding]:
    """Open files, receive buffers, inotify."""
    found = [_open_files()]
    wanted = loaded.settings.recording.receive_buffer_bytes
    granted = machine.kernel_number("net/core/rmem_max")
    if granted is not None:
        sentence = f"Receive buffers may have {text.size(granted)}; {text.size(wanted)} are asked for."
        hint = f"sysctl -w net.core.rmem_max={wanted}" if granted < wanted and not machine.may_force_buffers() else ""
        found.append(Finding("receive-buffer", State.WARN if hint else State.OK, sentence, hint))
    watches = machine.kernel_number("fs/inotify/max_user_watches")
    if watches is not None:
        hint = "" if watches >= _LEAST_WATCHES else f"sysctl -w fs.inotify.max_user_watches={_LEAST_WATCHES}"
        sentence = f"inotify may watch {watches:,} folders."
        found.append(Finding("inotify", State.WARN if hint else State.OK, sentence, hint))
    return found


def _open_files() -> Finding:
    allowed = ports.open_files_limit()
    if allowed is None:
        return Finding("open-files", State.OK, "This system has no limit of open files.")
    if allowed < _LEAST_FILES:
        return Finding("open-files", State.WARN, f"Only {allowed} files may be open at once.", "ulimit -n 8192")
    return Finding("open-files", State.OK, f"{allowed:,} files may be open at once.")


def database(loaded: load.Loaded) -> list[Finding]:
    """Whether the database answers."""
    problem, sentence = machine.database(loaded)
    if problem:
        return [Finding("database", State.FAIL, problem, "Check [database] in nephos.toml.")]
    return [Finding("database", State.OK, sentence)]


def network(loaded: load.Loaded) -> list[Finding]:
    """Whether the page's port is ours or free, and whether the page is open to others without TLS."""
    web = loaded.settings.web
    found = []
    if machine.station_runs(loaded):
        found.append(Finding("port", State.OK, f"The station runs; its page is on port {web.port}."))
    elif stands := listening.obstacle(web.host, web.port):
        sentence = f"The page cannot listen on {web.host}:{web.port}: {stands.reason}."
        found.append(Finding("port", State.FAIL, sentence, listening.remedy(stands, host=web.host)))
    else:
        found.append(Finding("port", State.OK, f"Port {web.port} is free for the page."))
    if web.host not in ("127.0.0.1", "::1", "localhost") and not web.behind_tls:
        hint = "Put a proxy with TLS in front and set web.behind_tls, or bind to 127.0.0.1."
        found.append(Finding("tls", State.WARN, f"The page listens on {web.host} without TLS.", hint))
    return found


def telling(loaded: load.Loaded) -> list[Finding]:
    """Whether anybody is told of a problem who does not look at the page."""
    settings = loaded.settings
    by_mail = list(settings.mail.critical) if settings.mail.host and settings.mail.enabled else []
    ways = by_mail + [f"webhook {name}" for name, hook in settings.webhook.items() if hook.enabled]
    if ways and settings.monitoring.enabled:
        return [Finding("telling", State.OK, f"Problems are told to {', '.join(ways)}.")]
    hint = "nephos config set mail.host smtp.example.org, then mail.critical; `nephos mail test` tries it."
    return [Finding("telling", State.WARN, "Nobody is told of problems who does not look at the page.", hint)]


CHECKS: tuple[Check, ...] = (programs, folders, space, clocks, limits, database, network, telling)
