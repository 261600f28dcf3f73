"""The farm's ledger as a worker on another machine sees it: calls to `/api/v1/ledger/...` with a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from nephos.client import http
from nephos.lib import errors


class _Output(Protocol):
    def plain(self) -> dict[str, Any]: ...


class Ledger:
    """Speaks for `farm.ledger.Ledger`; `assignment` makes the farm's value of the plain one (the farm lies above).

    Every call raises Unreachable if the station does not answer, for whatever reason it does not.
    """

    def __init__(self, client: http.Client, *, assignment: Any) -> None:
        self._client = client
        self._assignment = assignment

    def claim(self, attempt: str, *, worker: str) -> Any:
        """The assignment, None if fenced."""
        found = self._call("claim", attempt, worker=worker)["assignment"]
        return self._assignment(**found) if found else None

    def renew(self, attempt: str) -> bool:
        """False if fenced."""
        return bool(self._call("renew", attempt)["ok"])

    def log(self, attempt: str, lines: Sequence[str]) -> None:
        """Keep lines of output."""
        self._call("log", attempt, lines=list(lines))

    def progress(self, attempt: str, *, fraction: float, text: str) -> None:
        """Tell how far it is."""
        self._call("progress", attempt, fraction=fraction, text=text)

    def commit(self, attempt: str, outputs: Sequence[_Output]) -> bool:
        """False if fenced."""
        return bool(self._call("commit", attempt, outputs=[output.plain() for output in outputs])["ok"])

    def fail(self, attempt: str, *, reason: str, exit_code: int | None, retry: bool) -> bool:
        """False if fenced."""
        return bool(self._call("fail", attempt, reason=reason, exit_code=exit_code, retry=retry)["ok"])

    def _call(self, verb: str, attempt: str, **facts: Any) -> Any:
        try:
            return self._client.post(f"/ledger/{verb}", {"attempt": attempt, **facts})
        except errors.TimedOut as error:
            raise errors.Unreachable(error.message, hint=error.hint) from error
        except errors.NephosError as error:
            # A refused token or a station in trouble (500) may be put right while the work goes on.
            if isinstance(error, errors.Unreachable | errors.Invalid):
                raise
            raise errors.Unreachable(error.message, hint=error.hint) from error
