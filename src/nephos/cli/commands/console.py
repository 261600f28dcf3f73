"""`nephos console`: a prompt on a running station."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from nephos.cli import lazy, options, output, station
from nephos.cli.console.session import Door, End, Session
from nephos.config.home import Home
from nephos.daemon import errors, front, supervisor
from nephos.lib import ports

app = lazy.single()

_CODES = {End.LEAVE: front.LEFT, End.DRAIN: front.DRAIN, End.STOP: front.STOP}


@app.command()
def console() -> int:
    """Talk to a running station line by line; `help` there lists the words."""
    pipe, supervised = front.inherited()
    server = options.current.station
    session = Session(
        root=Home.at(options.current.root).root,
        door=Door.ATTACHED if pipe is None else Door.START,
        ask=_line,
        server=server,
    )
    if pipe is None:
        _require_running(session)
        end = _talk(session, None)
        return session.code if end is End.LEAVE and not sys.stdin.isatty() else 0
    ports.die_with_parent(supervised)
    signal.signal(signal.SIGTERM, _leave)
    session.stop = lambda more: _may_stop(session, more)
    return _CODES[_talk(session, pipe)]


def _talk(session: Session, pipe: int | None) -> End:
    from nephos.cli.console import terminal
    from nephos.cli.console.lines import Lines

    if not (sys.stdin.isatty() and output.on_terminal()):
        return terminal.plainly(session, _line)
    run = Home.at(session.root).run
    talk = terminal.Terminal(run / "console.history" if run.is_dir() else None, Lines(pipe) if pipe else None)
    session.ask = talk.ask
    if session.door is Door.ATTACHED:
        output.say("`help` lists the words, `quit` leaves.")
    return talk.talk(session)


def _line(question: str = "") -> str:
    """A line of standard input. Raises EOFError at its end."""
    if question:
        output.say(question.rstrip())
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _require_running(session: Session) -> None:
    if not session.server and not station.listens(Home.at(session.root).api_socket):
        raise errors.NotRunning(hint="`nephos start` starts it.")


def _may_stop(session: Session, more: list[str]) -> bool:
    running = supervisor.open_bookings(station.settings_or_defaults(session.root))
    if running and more != ["--now"]:
        raise errors.RecordingRuns(
            hint="`quit` waits for its end; `shutdown --now` stops at once, and it goes on at the next start."
        )
    return True


def _leave(_sign: int, _frame: FrameType | None) -> None:
    """A prompt puts the terminal in order on its way out; a command has not touched it."""
    from prompt_toolkit.application import current

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if current.get_app_or_none() is None:
        os._exit(0)
    raise SystemExit(0)
