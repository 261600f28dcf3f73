"""The `config.ini` of skylark-skynet, read into connections, destinations and a watch of ours; pure.

That program had one folder, one server of each kind, and a file of `key = value` lines in which comments were keys
without a value. It took the word False for true: whether deletions travel has to be asked again.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nephos.importers import errors

MOST_CHARACTERS = 100_000
NAME = "skynet"
ASKED = (
    "The old program let deletions travel whatever stood here, unless it was empty."
    " They stay here until you choose: nephos import FILE --deletions mirror"
)

_SECTION = re.compile(r"\[([^\]]+)\]\s*")
_PAIR = re.compile(r"([^=:\s][^=:]*?)\s*[=:]\s*(.*)")
_KNOWN: Mapping[str, frozenset[str]] = {
    "sftp": frozenset({"remote_host", "remote_username", "remote_port", "remote_password"}),
    "s3": frozenset({"bucket", "key_id", "aws_secret", "region"}),
    "sync": frozenset({"complete_sync", "local_root", "local_dir", "remote_root", "remote_dir", "ignore_patterns"}),
}


@dataclass(frozen=True, slots=True)
class Value:
    """What stood on a line."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """Something that is to be told of a line; refused if it means that what it says is not taken."""

    line: int
    name: str
    text: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of our settings. Values in `secrets` go into files of their own, by option."""

    kind: str
    line: int
    values: dict[str, object]
    name: str = NAME
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Ini:
    """The file."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    def text(self, section: str, key: str) -> str:
        """The value, empty if there is none."""
        found = self.values.get((section, key))
        return found.text if found else ""

    def line(self, section: str, *keys: str) -> int:
        """Where the first of these stands."""
        return min((self.values[section, key].line for key in keys if (section, key) in self.values), default=0)


def looks_like(text: str) -> bool:
    """Whether the first thing that is said is a section of that program."""
    for _, line in _lines(text[:MOST_CHARACTERS]):
        section = _SECTION.fullmatch(line)
        return bool(section and section[1].strip().lower() in _KNOWN)
    return False


def read(text: str) -> Ini:
    """All values with their lines. Raises NotReadable for a file that is too long."""
    if len(text) > MOST_CHARACTERS:
        raise errors.NotReadable(f"The file is longer than {MOST_CHARACTERS:,} characters.")
    found, section = Ini(), ""
    for number, line in _lines(text):
        header = _SECTION.fullmatch(line)
        if header:
            section = header[1].strip().lower()
            if section not in _KNOWN:
                found.said.append(Said(number, _short(header[1]), "There was no such section.", refused=True))
            continue
        pair = _PAIR.fullmatch(line)
        if pair and section in _KNOWN:
            _keep(found, section, number, pair[1].strip().lower(), pair[2].strip())
    return found


def tables(found: Ini, *, deletions: str = "") -> Iterator[Table | Said]:
    """What becomes of it, in the order in which one needs the other; and what has to be said."""
    yield from found.said
    destinations = []
    for make in (_s3, _sftp):
        made = list(make(found))
        yield from made
        destinations += [one.name for one in made if isinstance(one, Table) and one.kind == "destination"]
    yield from _watch(found, destinations, deletions)


def _keep(found: Ini, section: str, number: int, key: str, text: str) -> None:
    if key not in _KNOWN[section]:
        found.said.append(Said(number, _short(key), "The old program knew no such setting.", refused=True))
    elif (section, key) in found.values:
        found.said.append(Said(number, key, "It stands here a second time.", refused=True))
    elif text and not text.isprintable():
        found.said.append(Said(number, key, "It holds characters that cannot be printed.", refused=True))
    elif text:
        found.values[section, key] = Value(number, text)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip("\ufeff \t")
        if line and line[0] not in "#;":
            yield number, line


def _s3(found: Ini) -> Iterator[Table | Said]:
    if not any(section == "s3" for section, _ in found.values):
        return
    bucket, line = found.text("s3", "bucket"), found.line("s3", "bucket", "key_id", "aws_secret", "region")
    if not bucket:
        yield Said(line, "bucket", "Without a bucket there is nowhere to send to.", refused=True)
        return
    region = found.text("s3", "region") or "us-east-1"
    values: dict[str, object] = {"endpoint": f"https://s3.{region}.amazonaws.com", "region": region}
    secrets = {"access_key": found.text("s3", "key_id"), "secret_key": found.text("s3", "aws_secret")}
    missing = [old for old, new in (("key_id", "access_key"), ("aws_secret", "secret_key")) if not secrets[new]]
    if missing:
        yield Said(line, missing[0], "The keys of the bucket are not both there.", refused=True)
        return
    yield Said(line, "region", f"The old program did not use it; the server is {values['endpoint']} now.")
    yield Table("connection", line, {"kind": "s3", "options": values}, f"{NAME}-s3", secrets)
    base = "/".join([bucket, *_remote(found).strip("/").split("/")]).rstrip("/")
    yield Table("destination", line, {"connection": f"{NAME}-s3", "base": base}, f"{NAME}-s3")


def _sftp(found: Ini) -> Iterator[Table | Said]:
    if not any(section == "sftp" for section, _ in found.values):
        return
    line = found.line("sftp", "remote_host", "remote_username", "remote_port", "remote_password")
    host, port = found.text("sftp", "remote_host"), found.text("sftp", "remote_port") or "22"
    if not host:
        yield Said(line, "remote_host", "Without a host there is nowhere to send to.", refused=True)
        return
    if not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
        yield Said(found.line("sftp", "remote_port"), "remote_port", f"There is no port {_short(port)}.", refused=True)
        return
    values: dict[str, object] = {"host": host, "port": int(port)}
    values |= {"user": user} if (user := found.text("sftp", "remote_username")) else {}
    password = found.text("sftp", "remote_password")
    yield Said(
        line, "remote_host", "The old program believed any server. Compare its key: nephos connection test skynet-sftp"
    )
    secrets = {"password": password} if password else {}
    yield Table("connection", line, {"kind": "sftp", "options": values}, f"{NAME}-sftp", secrets)
    yield Table("destination", line, {"connection": f"{NAME}-sftp", "base": _remote(found)}, f"{NAME}-sftp")


def _watch(found: Ini, destinations: list[str], deletions: str) -> Iterator[Table | Said]:
    if not any(section == "sync" for section, _ in found.values):
        return
    line = found.line("sync", "local_root", "local_dir")
    folder = Path(found.text("sync", "local_root") or "/") / found.text("sync", "local_dir").strip("/\\")
    if not line or not folder.expanduser().is_absolute() or folder == Path("/"):
        yield Said(line, "local_root", "It names no folder, so nothing is watched.", refused=True)
        return
    if not destinations:
        yield Said(line, "local_root", "There is no destination that could be used.", refused=True)
        return
    if ("sync", "complete_sync") in found.values and not deletions:
        yield Said(found.line("sync", "complete_sync"), "complete_sync", ASKED)
    values: dict[str, object] = {"destinations": destinations, "folder": str(folder.expanduser())}
    patterns = found.text("sync", "ignore_patterns").split()
    values |= {"ignore": patterns} if patterns else {}
    values |= {"mode": deletions} if deletions else {}
    yield Table("watch", line, values, NAME)


def _remote(found: Ini) -> str:
    """The base over there: the two halves, joined as that program did, without steps back."""
    joined = posixpath.join(found.text("sync", "remote_root"), found.text("sync", "remote_dir").lstrip("/"))
    return posixpath.normpath(joined) if joined else ""


def _short(text: str) -> str:
    return text[:40]
