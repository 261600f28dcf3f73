"""States of one path on one destination; pure."""

from enum import StrEnum

from nephos.core.states import Table


class PathState(StrEnum):
    """Where a path is between being seen and being proven at its destination."""

    SETTLING = "settling"  # seen, perhaps still being written
    READY = "ready"
    SENDING = "sending"
    VERIFYING = "verifying"
    DELIVERED = "delivered"
    WAITING = "waiting"  # tried again by itself; cause and next try are told
    HELD = "held"  # a person must do something; the reason is told


class Action(StrEnum):
    """What the planner orders for a path."""

    NOTHING = "nothing"
    SEND = "send"
    DELETE = "delete"
    MOVE = "move"


class Proof(StrEnum):
    """How a receipt knows that the content arrived."""

    SERVER = "server"  # it was probed that the server rejects a wrong sum
    READ_BACK = "read-back"
    TRANSPORT = "transport"  # every write acknowledged, sizes equal, source unchanged
    SENT = "sent"  # a simple plug-in class said so


_S = PathState

PATH = Table(
    first=_S.SETTLING,
    moves={
        # What only grows is sent while it is still being written.
        _S.SETTLING: frozenset({_S.READY, _S.SENDING, _S.DELIVERED, _S.WAITING, _S.HELD}),
        _S.READY: frozenset({_S.SENDING, _S.SETTLING, _S.WAITING, _S.HELD, _S.DELIVERED}),
        _S.SENDING: frozenset({_S.VERIFYING, _S.DELIVERED, _S.READY, _S.SETTLING, _S.WAITING, _S.HELD}),
        _S.VERIFYING: frozenset({_S.DELIVERED, _S.READY, _S.SETTLING, _S.WAITING, _S.HELD}),
        _S.DELIVERED: frozenset({_S.SETTLING, _S.READY, _S.HELD}),
        _S.WAITING: frozenset({_S.SENDING, _S.READY, _S.SETTLING, _S.HELD, _S.DELIVERED}),
        _S.HELD: frozenset({_S.READY, _S.SETTLING, _S.DELIVERED}),
    },
)

BUSY = frozenset({_S.SENDING, _S.VERIFYING})
"""An operation runs on the path; nobody else may move it."""
