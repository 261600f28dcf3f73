"""Columns that many tables share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from nephos.core import states
from nephos.lib import clock


class Stateful(models.Model):
    """A row that is always in one state of a table; only `events.moves.move` changes it."""

    TABLE: ClassVar[states.Table[Any]]

    state = models.CharField(max_length=24, db_index=True)
    state_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True
