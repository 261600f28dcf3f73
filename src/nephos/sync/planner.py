"""Decides what is to be done for a path: observed against delivered. Pure."""

from __future__ import annotations

from enum import StrEnum

from nephos.sync.fingerprints import Fingerprint
from nephos.sync.states import Action


class Mode(StrEnum):
    """What happens at the destination when a file is deleted here."""

    KEEP = "keep"
    MIRROR = "mirror"


def plan(
    *,
    observed: Fingerprint | None,
    delivered: Fingerprint | None,
    mode: Mode = Mode.KEEP,
    moved_from: Fingerprint | None = None,
) -> Action:
    """The one action that brings a path's destination to what was observed here.

    `moved_from` is what was delivered under an old name that vanished while this one appeared. A move is only worth
    trusting when the version is provably the same: inode, size and time.
    """
    if observed is None:
        return Action.DELETE if delivered is not None and mode is Mode.MIRROR else Action.NOTHING
    if observed == delivered:
        return Action.NOTHING
    if delivered is None and moved_from == observed:
        return Action.MOVE
    return Action.SEND
