"""`nephos start` and `nephos stop`."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from nephos.config import addresses, sample
from nephos.config.load import Loaded
from nephos.core import logs
from nephos.daemon import errors, front, roles
from nephos.daemon.children import Children
from nephos.lib import clock, files, heartbeats, listening, locks, ports, signals
from nephos.maintenance import vitals
from nephos.monitoring import last_resort

logger = logging.getLogger(__name__)

_ROLE_PATIENCE = timedelta(seconds=10)
_GRACE = timedelta(seconds=12)
_PREPARE_TIMEOUT = 600
_PAGE_PATIENCE = 20.0

Say = Callable[[str], None]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def start(
    loaded: Loaded, *, only: Sequence[str] = (), detach: bool = False, prompt: bool = False, say: Say = _say
) -> int:
    """Run the station until it is told to stop, with a prompt for the person before it if wanted; the exit code.

    Raises AlreadyRunning, PortTaken, HomeUnusable or NotPrepared before anything was started.
    """
    wanted = roles.wanted(loaded, only)
    os.umask(0o027)
    loaded.home.create()
    if detach:
        return _detach(loaded, only, say)
    with locks.FileLock(loaded.home.run / "nephos.lock").acquire():
        _await_old_roles(loaded, wanted)
        if "web" in wanted:
            _prove_port_free(loaded)
        with contextlib.suppress(OSError):  # of a folder that is mounted read-only: the defaults are in force
            sample.write_if_none(loaded.home)
        terminal = front.Front(loaded.home.root) if prompt else None
        logs.setup(loaded, role="supervisor", pipe=terminal.pipe if terminal else None)
        (loaded.home.run / "stop.json").unlink(missing_ok=True)
        return _Station(loaded, wanted, terminal.say if terminal else say, terminal).run()


def _await_old_roles(loaded: Loaded, wanted: Sequence[str]) -> None:
    """After a kill -9 the old roles are dying: two recorders on one home must never run."""
    deadline = clock.monotonic() + _ROLE_PATIENCE.total_seconds()
    for role in wanted:
        lock = locks.FileLock(loaded.home.run / f"{role}.lock")
        left = timedelta(seconds=max(0.0, deadline - clock.monotonic()))
        lock.acquire(wait=left).release()


def _prove_port_free(loaded: Loaded) -> None:
    web = loaded.settings.web
    if not web.port:
        return
    found = listening.obstacle(web.host, web.port)
    if found is not None:
        raise errors.PortTaken(
            f"The page cannot listen on {web.host}:{web.port}: {found.reason}.",
            hint=listening.remedy(found, host=web.host),
        )


def _answers(host: str, port: int) -> bool:
    """Whether somebody accepts a connection there; an address that means "all" is asked on the loopback interface."""
    try:
        socket.create_connection((addresses.LOOPBACK.get(host, host), port), timeout=1).close()
    except OSError:
        return False
    return True


class _Station:
    """One run of the station, from the first role's start to the last one's end."""

    def __init__(self, loaded: Loaded, wanted: Sequence[str], say: Say, terminal: front.Front | None) -> None:
        self._loaded = loaded
        self._wanted = wanted
        self._say = say
        self._front = terminal
        self._stop = threading.Event()
        self._children = Children(loaded, pipe=terminal.pipe if terminal else None)

    def run(self) -> int:
        signals.set_by_end(self._stop, unless=self._is_for_prompt)
        try:
            # Receiving and sending need no database: a recording that is due does not wait for a migration.
            early = [role for role in self._wanted if role in ("recorder", "sync")]
            for role in early:
                self._children.start(role)
            link = self._prepare()
            for role in self._wanted:
                if role not in early:
                    self._children.start(role)
            self._await_page()
            self._greet(link)
            if self._front is not None:
                self._say("`help` lists the words of this prompt; `quit` waits for running recordings and stops.")
                self._front.open()
            last_resort.watch(self._loaded, self._stop)
            self._watch()
        finally:
            self._stop_roles()
        self._say("Stopped.")
        return 0

    def _prepare(self) -> str:
        """A migration may take minutes: meanwhile the roles that run are watched like ever."""
        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="prepare") as pool:
            link = pool.submit(_prepare, self._loaded)
            while not link.done():
                self._children.watch(0.1)
            return link.result()

    def _is_for_prompt(self, sign: int) -> bool:
        """A Ctrl-C that ends a command of the prompt reaches this process, too; the prompt says what was meant."""
        return sign == signal.SIGINT and self._front is not None and self._front.is_open()

    def _await_page(self) -> None:
        """A link that is printed must work: wait until the page answers, or until it clearly will not."""
        web = self._loaded.settings.web
        deadline = clock.monotonic() + _PAGE_PATIENCE
        while "web" in self._wanted and web.port and clock.monotonic() < deadline and not self._stop.is_set():
            if _answers(web.host, web.port):
                return
            self._children.watch(0.05)

    def _greet(self, link: str) -> None:
        home = self._loaded.home.root
        self._say(f"Nephos is running on {home} with {', '.join(self._wanted)}.")
        if "web" in self._wanted:
            self._say(f"Open {vitals.page(self._loaded)}{link} (works once, for the owner).")
        self._say("Ctrl-C stops it; a running recording goes on at the next start.")

    def _watch(self) -> None:
        said = False
        while not self._stop.is_set() and not self._heard_stop():
            self._children.watch(0.25)
            request = files.read_json(self._loaded.home.run / "stop.json")
            if not isinstance(request, dict):
                continue
            if request.get("how") != "drain" or not open_bookings(self._loaded):
                return
            if not said:
                self._say("Waiting for running recordings to end before stopping.")
                said = True

    def _heard_stop(self) -> bool:
        """Whether the person at the prompt wants an end now; one that may wait becomes a request like any other."""
        code = self._front.look() if self._front is not None else None
        if code == front.DRAIN:
            files.write_json(self._loaded.home.run / "stop.json", {"how": "drain"})
        elif code is not None and code != front.STOP:
            self._say("The prompt is closed and the station runs on; Ctrl-C stops it, `nephos console` opens another.")
        return code == front.STOP

    def _stop_roles(self) -> None:
        if self._front is not None:
            self._front.close()
        # Backwards, so that the recorder is the last to go.
        for role in reversed(self._wanted):
            self._children.stop(role, grace=_GRACE)
            if self._front is not None:
                self._front.look()
        (self._loaded.home.run / "stop.json").unlink(missing_ok=True)


def _prepare(loaded: Loaded) -> str:
    """Bring the database up to date in a process of its own and get the owner's one-time link."""
    made = subprocess.run(
        [sys.executable, "-m", "nephos.web.prepare", "--home", str(loaded.home.root)],
        capture_output=True,
        text=True,
        timeout=_PREPARE_TIMEOUT,
        stdin=subprocess.DEVNULL,
        check=False,
        start_new_session=True,  # Ctrl-C in the terminal ends no migration in its middle
    )
    if made.returncode != 0:
        sentence, _, hint = made.stderr.strip().partition("\nhint: ")
        raise errors.NotPrepared(sentence.splitlines()[-1] if sentence else "", hint=hint)
    return str(json.loads(made.stdout.strip().splitlines()[-1])["login"])


def open_bookings(loaded: Loaded) -> list[int]:
    """Bookings that the recorder is receiving now."""
    beat = heartbeats.read(loaded.home.run, "recorder") or {}
    receivers = beat.get("details", {}).get("receivers", [])
    return [booking for receiver in receivers for booking in receiver.get("bookings", [])]


def _detach(loaded: Loaded, only: Sequence[str], say: Say) -> int:
    lock = locks.FileLock(loaded.home.run / "nephos.lock")
    lock.acquire().release()  # a second start is refused here, in words, not in a log
    argv = [sys.executable, "-m", "nephos", "--home", str(loaded.home.root), "start"]
    argv += ["--only", ",".join(only)] if only else []
    output = loaded.home.logs / "start.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = clock.monotonic() + 60
    while clock.monotonic() < deadline:
        text = output.read_text(encoding="utf-8", errors="replace")
        if process.poll() is not None:
            say(text.strip())
            return process.returncode
        if "Ctrl-C stops it" in text:
            say("\n".join(line for line in text.splitlines() if "Ctrl-C" not in line))
            say(f"Running in the background as process {process.pid}; `nephos stop` ends it.")
            return 0
        ports.pause(0.1)
    raise errors.NotPrepared("The station did not come up within a minute.", hint=f"See {output}.")


def ask_to_stop(loaded: Loaded, *, drain: bool) -> None:
    """Tell the running supervisor to stop, at once or when running recordings have ended; does not wait for it."""
    files.write_json(loaded.home.run / "stop.json", {"how": "drain" if drain else "now"})


def stop(loaded: Loaded, *, now: bool = False, drain: bool = False, say: Say = _say) -> int:
    """Stop the running station.

    Raises NotRunning, RecordingRuns (unless told how to deal with it), DidNotStop.
    """
    lock = locks.FileLock(loaded.home.run / "nephos.lock")
    if not lock.is_held():
        raise errors.NotRunning(hint="`nephos start` starts it.")
    if not now and not drain and open_bookings(loaded):
        raise errors.RecordingRuns(
            hint="--drain waits for its end; --now stops at once, and the recording goes on at the next start."
        )
    ask_to_stop(loaded, drain=drain)
    deadline = None if drain else clock.monotonic() + 60
    while lock.is_held():
        if deadline is not None and clock.monotonic() > deadline:
            raise errors.DidNotStop(hint=f"It is process {lock.holder()}; see {loaded.home.logs}/supervisor.log.")
        ports.pause(0.1)
    say("Stopped.")
    return 0


describe = vitals.describe
