"""What a line of the console means: the commands of the command line, and the old program's short names; pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nephos.lib import errors

Command = list[str]
Answers = Sequence[str]

LEAVE = frozenset({"quit", "exit"})
HELP = frozenset({"help", "?"})
SHUTDOWN = "shutdown"

# The old short names that are a command of ours as they stand; words after them are handed on.
SHORT: dict[str, Command] = {
    "adch": ["channel", "add"],
    "adjb": ["schedule", "add"],
    "adsh": ["share", "add"],
    "lsch": ["channel", "list"],
    "lsjb": ["schedule", "list"],
    "lssh": ["share", "list"],
    "lstk": ["asset", "list"],
    "rmch": ["channel", "remove"],
    "rmjb": ["schedule", "remove"],
    "rmsh": ["share", "remove"],
    "clients": ["worker"],
    "ver": ["version"],
    "info": ["version"],
}
PHRASES = {
    ("add", "channel"): "adch",
    ("add", "job"): "adjb",
    ("add", "share"): "adsh",
    ("list", "channels"): "lsch",
    ("list", "jobs"): "lsjb",
    ("list", "share"): "lssh",
    ("list", "tasks"): "lstk",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a form; without an answer the `usual` one counts, and where there is none, nothing."""

    text: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """Questions, and the commands that the answers make."""

    questions: tuple[Question, ...]
    commands: Callable[[Answers], list[Command]]


def split(line: str) -> Command:
    """The words of a line, old phrases as their short names. Raises Invalid for a quotation mark without its twin."""
    try:
        words = shlex.split(line)
    except ValueError:
        raise errors.Invalid("A quotation mark is missing, or a backslash stands at the end.") from None
    if words and words[0] == "nephos":
        words = words[1:]
    short = PHRASES.get((words[0], words[1])) if len(words) > 1 else None
    return [short, *words[2:]] if short else words


def form(words: Command) -> Form | None:
    """The form that an old short name opens when nothing stands behind it."""
    return FORMS.get(words[0]) if len(words) == 1 else None


def plain(words: Command) -> Command:
    """The same in words of the command line."""
    return [*SHORT.get(words[0], [words[0]]), *words[1:]]


def _option(name: str, value: str) -> Command:
    return [f"--{name}", value] if value else []


def _add_channel(answers: Answers) -> list[Command]:
    name, address, country, language, zone = answers
    url = address if "://" in address else f"udp://{address.removeprefix('@')}"
    more = _option("country", country) + _option("language", language) + _option("zone", zone)
    return [["channel", "add", *more, "--", name, url]]


def _add_job(answers: Answers) -> list[Command]:
    name, channel, start, minutes, mask = answers
    duration = f"{minutes}m" if re.fullmatch(r"\d{1,6}", minutes, re.ASCII) else minutes
    given = [f"--name={name}", f"--at={start}", f"--duration={duration}", f"--days={mask or '1111111'}"]
    return [["schedule", "add", *given, "--", channel]]


def _add_share(answers: Answers) -> list[Command]:
    emails, tags = answers
    given = [f"--tag={tag}" for tag in re.split(r"[\s,]+", tags) if tag]
    return [["share", "add", *given, "--", email] for email in re.split(r"[\s,;]+", emails) if email]


def _remove(noun: str) -> Form:
    return Form((Question(f"Which {noun}"),), lambda answers: [[noun, "remove", "--", answers[0]]])


FORMS: dict[str, Form] = {
    "adch": Form(
        (
            Question("Name"),
            Question("Address (host:port, or a URL)"),
            Question("Country (two letters)", needed=False),
            Question("Language (two or three letters)", needed=False),
            Question("Time zone (for example Europe/Madrid)", needed=False),
        ),
        _add_channel,
    ),
    "adjb": Form(
        (
            Question("Name"),
            Question("Channel"),
            Question("Start (HH:MM)"),
            Question("Duration (minutes)"),
            Question("Weekdays (1111100, Monday first; Enter for every day)", needed=False),
        ),
        _add_job,
    ),
    "adsh": Form((Question("E-mail addresses"), Question("Tags", needed=False)), _add_share),
    "rmch": _remove("channel"),
    "rmjb": _remove("schedule"),
    "rmsh": _remove("share"),
}

SHORT_HELP = """\
  adch adjb adsh    add a channel, a schedule, a share: asks for what it needs; Enter skips
  lsch lsjb lssh    list the channels, schedules, shares
  lstk              list what the station has taken in and how far each is
  rmch rmjb rmsh    remove a channel, a schedule, a share
  clients           the farm's workers: `clients list`, `clients enable NAME`, `clients disable NAME`
  help ?            this; `help NOUN` tells more of one
  version ver info  title, author, licence, version"""
