"""What a worker says to the station about an attempt. Two implementations pass one contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Output:
    """One file that a step made; `path` is relative to the attempt's folder."""

    kind: str
    path: str
    bytes: int
    sha256: str
    more: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As it stands in `outputs.json`."""
        return {**self.more, "kind": self.kind, "path": self.path, "bytes": self.bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that a worker needs to run an attempt."""

    attempt: str
    job: str
    name: str
    step: str
    number: int
    template: str
    parameters: dict[str, Any]
    folder: str
    lease_seconds: float


class Ledger(Protocol):
    """The attempt's id is its fencing token: a worker whose attempt is no longer the live one gets None or False.

    Every call may raise Unreachable; then the worker works on until its lease ends.
    """

    def claim(self, attempt: str, *, worker: str) -> Assignment | None:
        """Take a dispatched attempt; None if it is not to be taken (any more)."""

    def renew(self, attempt: str) -> bool:
        """Lengthen the lease by its full length from now."""

    def log(self, attempt: str, lines: Sequence[str]) -> None:
        """Keep lines of output."""

    def progress(self, attempt: str, *, fraction: float, text: str) -> None:
        """Tell how far it is, from 0 to 1, and what it is at."""

    def commit(self, attempt: str, outputs: Sequence[Output]) -> bool:
        """Store what was made; True again for a repeated commit of the same attempt."""

    def fail(self, attempt: str, *, reason: str, exit_code: int | None, retry: bool) -> bool:
        """Give up; `retry` means that the try shall not count, because a later one may well succeed."""


def parse_output(entry: object) -> Output:
    """One entry of `outputs.json`. Raises BadOutputs."""
    from nephos.farm import errors

    if not isinstance(entry, dict):
        raise errors.BadOutputs("outputs.json must be a list of objects.")
    rest = dict(entry)
    try:
        kind, path, size = str(rest.pop("kind")), str(rest.pop("path")), int(rest.pop("bytes"))
        digest = str(rest.pop("sha256", ""))
    except (KeyError, ValueError, TypeError) as error:
        raise errors.BadOutputs(f"An entry of outputs.json has no usable kind, path or bytes ({error}).") from error
    parts = path.replace("\\", "/").split("/")
    if not path or path.startswith("/") or ":" in parts[0] or {"", ".", ".."} & set(parts):
        raise errors.BadOutputs(f"{path!r} in outputs.json does not lie in the folder of the attempt.")
    return Output(kind=kind, path=path, bytes=size, sha256=digest, more=rest)
