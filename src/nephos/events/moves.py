"""The one way to change a state: a conditional update and its event, in one transaction."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import transaction

from nephos.core import errors
from nephos.core.models import Stateful
from nephos.events import kinds, log
from nephos.lib import clock


def move(row: Stateful, *, to: StrEnum, event: kinds.Kind | None, actor: str = "", **changes: Any) -> None:
    """Move a row to another state; `changes` are other columns that change with it.

    Only farm attempts and tasks may move without an event of their own (`event=None`): thousands an hour of them would
    drown the log, and their job's events tell the story.

    Raises ForbiddenMove if the table has no such move, StaleState if somebody moved the row first.
    """
    before = row.state
    if not row.TABLE.allows(before, to):
        raise errors.ForbiddenMove(f"{_title(row)} is {before} and cannot become {to}.")
    changes = {"state": str(to), "state_at": clock.now(), **changes}
    with transaction.atomic():
        rows = type(row)._default_manager.filter(pk=row.pk, state=before)
        if rows.update(**changes) != 1:
            raise errors.StaleState(f"{_title(row)} is no longer {before}.")
        if event is not None:
            log.emit(event, actor=actor)
    for column, value in changes.items():
        setattr(row, column, value)


def _title(row: Stateful) -> str:
    return f"{type(row).__name__} {row.pk}"
