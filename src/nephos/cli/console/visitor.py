"""`python -m nephos.cli.console.visitor HOME`: one telnet visitor on file descriptors 0 and 1.

Who comes in shows a token first and can do what the token may, over the API, like everybody else.
"""

from __future__ import annotations

import io
import os
import select
import sys
from pathlib import Path

from nephos.cli.console.session import Door, End, Session
from nephos.cli.console.terminal import plainly
from nephos.client import http
from nephos.config import load
from nephos.config.secret import Secret
from nephos.daemon import supervisor
from nephos.lib import errors, ports
from nephos.maintenance import vitals

_LONGEST_LINE = 4096
_TRIES = 3
_LOGIN_SECONDS = 60.0
_IDLE_SECONDS = 1800.0

_IAC, _SE, _SB = 255, 240, 250
_WITH_OPTION = range(251, 255)  # WILL WONT DO DONT
_HIDE, _SHOW = b"\xff\xfb\x01", b"\xff\xfc\x01"  # WILL ECHO: the client shows nothing; WONT ECHO


class Wire:
    """Lines of a telnet client, its own signs taken out."""

    def __init__(self) -> None:
        self._rest = b""
        self.patience = _LOGIN_SECONDS

    def line(self, question: str = "") -> str:
        """The next line. Raises EOFError when the visitor has gone, says nothing for too long, or floods us."""
        if question:
            write(question)
        while b"\n" not in self._rest:
            self._rest += self._more()
            if len(self._rest) > _LONGEST_LINE:
                raise EOFError
        line, _, self._rest = self._rest.partition(b"\n")
        return "".join(c for c in strip_signs(line).decode("utf-8", "replace") if c.isprintable())

    def _more(self) -> bytes:
        if not select.select([0], [], [], self.patience)[0]:
            write("\nNothing was typed for a long time. Good-bye.\n")
            raise EOFError
        try:
            block = os.read(0, 4096)
        except OSError:
            block = b""
        if not block:
            raise EOFError
        return block


def strip_signs(raw: bytes) -> bytes:
    """Text without telnet's negotiation (RFC 854)."""
    kept, position = bytearray(), 0
    while position < len(raw):
        if raw[position] != _IAC:
            kept.append(raw[position])
            position += 1
            continue
        sign = raw[position + 1] if position + 1 < len(raw) else _SE
        if sign == _SB:
            end = raw.find(bytes([_IAC, _SE]), position)
            position = len(raw) if end < 0 else end + 2
        else:
            position += 3 if sign in _WITH_OPTION else 2
    return bytes(kept)


def write(text: str) -> None:
    """Text for the visitor."""
    sys.stdout.write(text)
    sys.stdout.flush()


def let_in(wire: Wire, url: str) -> bool:
    """Ask for a token until one is good; whether one was."""
    for _ in range(_TRIES):
        os.write(1, _HIDE)
        token = wire.line("Token: ").strip()
        os.write(1, _SHOW)
        write("\n")
        try:
            if not token.isascii() or not token:
                raise errors.NotAllowed("That is no token.", hint="`nephos token add` makes one.")
            http.Client(http.Remote(url, Secret(token))).get("/status")
        except errors.NephosError as error:
            ports.pause(1)
            write(f"{error.message}\n")
        else:
            os.environ["NEPHOS_TOKEN"] = token
            return True
    return False


def main(home: str) -> int:
    """The visit, from the token to good-bye."""
    ports.die_with_parent(os.getppid())
    for name, number in (("stdout", 1), ("stderr", 1)):
        stream = io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", "backslashreplace", newline="\r\n")
        stream.reconfigure(line_buffering=True)
        setattr(sys, name, stream)
    loaded = load.load(Path(home))
    os.environ.pop("NEPHOS_SERVER", None)
    wire, url = Wire(), vitals.address(loaded)
    try:
        write(f"Nephos, station {loaded.settings.station.name}.\n")
        if not let_in(wire, url):
            return 1
        wire.patience = _IDLE_SECONDS
        session = Session(root=loaded.home.root, door=Door.TELNET, ask=wire.line, server=url)
        session.stop = lambda more: _stop(loaded, url, more)
        write("`help` lists the words, `quit` leaves.\n")
        end = plainly(session, lambda: wire.line("nephos> "))
        write("The station stops.\n" if end is End.STOP else "Good-bye.\n")
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    return 0


def _stop(loaded: load.Loaded, url: str, more: list[str]) -> bool:
    """Stop the station for a visitor whose token may do everything. Raises NotAllowed, RecordingRuns."""
    http.Client(http.Remote(url, Secret(os.environ["NEPHOS_TOKEN"]))).get("/users")
    if not more and supervisor.open_bookings(loaded):
        raise errors.NotNow(
            "A recording is running.", hint="`shutdown --drain` waits for its end, `shutdown --now` not."
        )
    supervisor.ask_to_stop(loaded, drain=more == ["--drain"])
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
