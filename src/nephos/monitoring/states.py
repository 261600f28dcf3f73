"""States of a problem; pure."""

from enum import StrEnum

from nephos.core.states import Table


class ProblemState(StrEnum):
    """A problem is open until it goes away; when it comes back it is another one."""

    OPEN = "open"
    CLOSED = "closed"


PROBLEM = Table(
    first=ProblemState.OPEN,
    moves={ProblemState.OPEN: frozenset({ProblemState.CLOSED})},
)


class Weight(StrEnum):
    """How much a problem matters."""

    WARNING = "warning"  # something will go wrong if nobody looks
    ERROR = "error"  # something does go wrong
    CRITICAL = "critical"  # a program's own cry for help
