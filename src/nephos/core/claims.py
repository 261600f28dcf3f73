"""Leases on rows: taken, kept and lost by conditional updates, so that two processes can never hold one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models.functions import Now

Row = TypeVar("Row", bound=models.Model)


def take(rows: models.QuerySet[Row], **changes: Any) -> bool:
    """Update the one row that still fits the filter; True if it was ours to take."""
    return rows.update(**changes) == 1


def database_now(rows: models.QuerySet[Row]) -> datetime:
    """The database's clock: leases of several machines are only comparable on one clock."""
    found = rows.model._default_manager.annotate(_now=Now()).values_list("_now", flat=True).first()
    if isinstance(found, datetime):
        return found
    from nephos.lib import clock

    return clock.now()
