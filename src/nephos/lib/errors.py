"""The root of all errors that people see."""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command answers to the shell. The numbers are a contract; see docs/reference/cli.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    NOT_FOUND = 4
    NOT_NOW = 5
    UNREACHABLE = 6
    NOT_ALLOWED = 7
    TIMED_OUT = 8
    INTERRUPTED = 130


class NephosError(Exception):
    """Something went wrong.

    The docstring of a subclass is the sentence people see, unless a message is given. `hint` says what a person can
    do. `permanent` tells loops not to try again by themselves; `retry_after` is the least time to wait before a try.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    http_status: ClassVar[int] = 500
    permanent: ClassVar[bool] = True
    retry_after: ClassVar[timedelta] = timedelta(seconds=10)

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        first_line = (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        self.message = message or first_line
        self.hint = hint
        super().__init__(self.message)


class Invalid(NephosError):
    """That value cannot be used."""

    exit_code = ExitCode.USAGE
    http_status = 422


class NotFound(NephosError):
    """There is no such thing."""

    exit_code = ExitCode.NOT_FOUND
    http_status = 404


class NotNow(NephosError):
    """That is not possible in this state."""

    exit_code = ExitCode.NOT_NOW
    http_status = 409


class AlreadyRunning(NotNow):
    """Another process holds this lock."""


class Unreachable(NephosError):
    """The other side cannot be reached."""

    exit_code = ExitCode.UNREACHABLE
    http_status = 503
    permanent = False


class NotAllowed(NephosError):
    """You are not allowed to do that."""

    exit_code = ExitCode.NOT_ALLOWED
    http_status = 403


class TimedOut(NephosError):
    """It took too long."""

    exit_code = ExitCode.TIMED_OUT
    http_status = 504
    permanent = False
