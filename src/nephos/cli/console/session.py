"""One conversation with the console, whatever door it came through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nephos.cli import app, exits, output, station, table
from nephos.cli.console import words
from nephos.config.home import Home
from nephos.lib import clock, errors, ports


class Door(StrEnum):
    """How somebody came in."""

    START = "start"  # the terminal of `nephos start`
    ATTACHED = "attached"  # `nephos console`
    TELNET = "telnet"


class End(StrEnum):
    """How a conversation ends."""

    LEAVE = "leave"
    DRAIN = "drain"  # the station stops when running recordings have ended
    STOP = "stop"  # the station stops


class Cancelled(Exception):
    """A form was left in the middle."""


# What works while the station does not answer.
_WITHOUT_STATION = frozenset({"status", "stop", "logs", "config", "doctor", "version", "completion", "init"})
_NEVER = {
    "start": "The station is running already.",
    "console": "This is the console.",
    "run": "The roles are running already.",
}
# Through telnet only what the API allows a token to do: nothing that reads or writes this machine's files, and nothing
# that goes on for ever.
_REMOTE_VERBS = frozenset(
    {
        "list",
        "ls",
        "show",
        "add",
        "edit",
        "remove",
        "rm",
        "enable",
        "disable",
        "skip",
        "stop",
        "extend",
        "check",
        "test",
    }
    | {"preview", "cancel", "retry", "pause", "resume", "why", "log", "plan", "rescan", "process", "search", "drain"}
    | {"receipts", "verify"}
)
_REMOTE_NOUNS = frozenset(
    {"channel", "schedule", "booking", "recording", "asset", "pipeline", "job", "worker", "connection", "destination"}
    | {"watch", "transfer", "share", "event", "problem", "token"}
)
_REMOTE_SINGLE = frozenset({"status", "version", "record"})
_PATIENCE_SECONDS = 15.0


@dataclass(slots=True)
class Session:
    """Understands lines and carries them out by the commands of the command line."""

    root: Path
    door: Door
    ask: Callable[[str], str]  # raises EOFError or KeyboardInterrupt when a person has had enough
    server: str = ""
    stop: Callable[[list[str]], bool] | None = None  # how `shutdown` is done here; whether it was
    code: int = 0  # exit code of the last command

    def obey(self, line: str) -> End | None:
        """Do what a line says; how the conversation ends, None if it goes on. Never raises for what was typed."""
        try:
            return self._obey(words.split(line))
        except errors.NephosError as error:
            self.code = exits.after(error)
        except Cancelled:
            output.say("Nothing was done.")
        return None

    def _obey(self, typed: words.Command) -> End | None:
        if not typed:
            return None
        first = typed[0].lower()
        if first in words.LEAVE or (first == "stop" and len(typed) == 1 and self.door is Door.START):
            return End.DRAIN if self.door is Door.START else End.LEAVE
        if first == words.SHUTDOWN:
            return self._shutdown(typed[1:])
        if first in words.HELP:
            self._help(typed[1:])
            return None
        form = words.form([first, *typed[1:]])
        for command in self._answers(form) if form else [words.plain([first, *typed[1:]])]:
            self.run(command)
        return None

    def run(self, command: words.Command) -> None:
        """Run a command of the command line."""
        self._refuse(command)
        if not self.server and command[0] not in _WITHOUT_STATION and "--help" not in command:
            self._await_station()
        where = ["--server", self.server, "--plain"] if self.server else ["--home", str(self.root)]
        self.code = app.run([*where, *command])

    def _refuse(self, command: words.Command) -> None:
        if command[0] in _NEVER:
            raise errors.NotNow(_NEVER[command[0]])
        if any(word.startswith(("--home", "--server")) for word in command):
            raise errors.Invalid("This console talks to one station; --home and --server belong to the shell.")
        if self.door is Door.TELNET and not _may_be_remote(command):
            raise errors.NotAllowed("That is not done through telnet.", hint="`nephos console` on the machine does it.")

    def _await_station(self) -> None:
        """A station that is just coming up gets its time; a stopped one is never imitated in this process."""
        socket = Home.at(self.root).api_socket
        deadline = clock.monotonic() + _PATIENCE_SECONDS
        while not station.listens(socket):
            if clock.monotonic() > deadline:
                raise errors.Unreachable("The station does not answer.", hint="`status` and `logs` may tell why.")
            ports.pause(0.1)

    def _shutdown(self, more: words.Command) -> End | None:
        if self.stop is not None:
            return End.STOP if self.stop(more) else None
        self.run(["stop", *more])
        return End.LEAVE if self.code == 0 else None

    def _answers(self, form: words.Form) -> list[words.Command]:
        try:
            return form.commands([self._answer(question) for question in form.questions])
        except (EOFError, KeyboardInterrupt):
            raise Cancelled from None

    def _answer(self, question: words.Question) -> str:
        answer = self.ask(f"{question.text}: ").strip()
        if not answer and question.needed:
            raise Cancelled
        return answer

    def _help(self, about: words.Command) -> None:
        if about:
            self.run([*words.plain(about), "--help"])
            return
        groups = dict.fromkeys(entry.group for entry in table.TABLE.values())
        for group in groups:
            output.raw(f"{group}:")
            for name, entry in table.TABLE.items():
                if entry.group == group and name not in _NEVER:
                    output.raw(f"  {name:16}  {entry.help}")
        output.raw(f"Short:\n{words.SHORT_HELP}")
        leave = "wait for running recordings, then stop the station" if self.door is Door.START else "leave"
        output.raw(f"  quit exit         {leave}\n  shutdown          stop the station")


def _may_be_remote(command: words.Command) -> bool:
    if "--help" in command or "-h" in command:
        return command[0] in table.TABLE
    if command[0] in _REMOTE_SINGLE:
        return True
    return command[0] in _REMOTE_NOUNS and len(command) > 1 and command[1] in _REMOTE_VERBS
