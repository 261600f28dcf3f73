"""Lines of the console become commands of the command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.cli import app, lazy, table
from nephos.cli.console import session, terminal, visitor, words
from nephos.cli.console.session import Door, End, Session
from nephos.lib import errors


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines that were run."""
    seen: list[list[str]] = []
    monkeypatch.setattr(app, "run", lambda argv: seen.append(list(argv)) or 0)
    monkeypatch.setattr(session.station, "listens", lambda _path: True)
    return seen


def conversation(door: Door = Door.ATTACHED, *, answers: list[str] | None = None) -> Session:
    """A session whose questions are answered from a list."""
    waiting = iter(answers or [])

    def ask(_question: str) -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    return Session(root=Path("/nowhere"), door=door, ask=ask)


@pytest.mark.parametrize("name", [*words.SHORT, "lsch"])
def test_every_short_name_is_a_command_that_there_is(name: str) -> None:
    noun, *verb = words.plain([name])
    command = lazy.load(noun, table.TABLE[noun])

    assert not verb or verb[0] in command.commands  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "answers", "command"),
    [
        (
            "adch",
            ["La Uno", "239.1.2.3:1234", "", "spa", "Europe/Madrid"],
            "channel add --language spa --zone Europe/Madrid -- 'La Uno' udp://239.1.2.3:1234",
        ),
        ("adch", ["-x", "rtp://239.1.2.3:1", "ES", "", ""], "channel add --country ES -- -x rtp://239.1.2.3:1"),
        (
            "add job",
            ["News", "La Uno", "20:30", "30", "1111100"],
            "schedule add --name=News --at=20:30 --duration=30m --days=1111100 -- 'La Uno'",
        ),
        ("adjb", ["N", "c", "1:00", "90s", ""], "schedule add --name=N --at=1:00 --duration=90s --days=1111111 -- c"),
        ("adsh", ["a@x.org", "tve1, spa"], "share add --tag=tve1 --tag=spa -- a@x.org"),
        ("rmch", ["La Uno"], "channel remove -- 'La Uno'"),
        ("rmjb x", [], "schedule remove x"),
        ("rmsh", ["a@x.org"], "share remove -- a@x.org"),
        ("lstk", [], "asset list"),
        ("nephos channel list --json", [], "channel list --json"),
    ],
)
def test_the_old_short_names_ask_and_run_our_commands(
    ran: list[list[str]], name: str, answers: list[str], command: str
) -> None:
    conversation(answers=answers).obey(name)

    assert ran == [["--home", "/nowhere", *shlex.split(command)]]


def test_a_form_left_in_the_middle_does_nothing(ran: list[list[str]]) -> None:
    conversation(answers=["La Uno", ""]).obey("adch")
    conversation(answers=["La Uno"]).obey("adch")

    assert ran == []


@pytest.mark.parametrize(
    ("door", "line", "end"),
    [
        (Door.START, "quit", End.DRAIN),
        (Door.START, "EXIT", End.DRAIN),
        (Door.START, "stop", End.DRAIN),
        (Door.ATTACHED, "quit", End.LEAVE),
        (Door.TELNET, "exit", End.LEAVE),
        (Door.ATTACHED, "shutdown", End.LEAVE),
        (Door.ATTACHED, "", None),
        (Door.ATTACHED, "channel list", None),
    ],
)
def test_how_a_conversation_ends(ran: list[list[str]], door: Door, line: str, end: End | None) -> None:
    assert conversation(door).obey(line) is end


@pytest.mark.parametrize(
    "line", ["start", "console", "run web", "channel list --home /etc", "status --server=http://x"]
)
def test_what_belongs_to_the_shell_is_refused(ran: list[list[str]], line: str) -> None:
    talk = conversation()

    talk.obey(line)

    assert ran == []
    assert talk.code != 0


@pytest.mark.parametrize(
    "line",
    [
        "config show",
        "logs web",
        "import /etc/passwd",
        "job submit /etc/passwd",
        "manage shell",
        "user password x",
        "worker run",
        "stop --now",
        "doctor",
        "event follow",
        "completion bash",
        "init",
    ],
)
def test_telnet_does_nothing_beneath_the_api(ran: list[list[str]], line: str) -> None:
    talk = conversation(Door.TELNET)

    talk.obey(line)

    assert ran == []
    assert talk.code == errors.ExitCode.NOT_ALLOWED


@given(st.text(max_size=80))
def test_any_line_is_split_or_refused(line: str) -> None:
    try:
        typed = words.split(line)
    except errors.Invalid:
        return
    if typed:
        words.plain(typed)
        terminal.candidates(typed)


@given(st.binary(max_size=200))
def test_telnets_own_signs_never_reach_a_line(raw: bytes) -> None:
    assert b"\xff" not in visitor.strip_signs(raw)


def test_negotiation_is_taken_out() -> None:
    assert visitor.strip_signs(b"\xff\xfd\x01ls\xff\xfa\x18\x01x\xff\xf0ch\xff\xf1\r") == b"lsch\r"
