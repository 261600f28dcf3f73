"""The log's two tables."""

from __future__ import annotations

from django.db import models

from nephos.lib import clock


class Event(models.Model):
    """One line of the log. Never changed, never deleted by hand."""

    at = models.DateTimeField(default=clock.now, db_index=True)
    kind = models.CharField(max_length=64, db_index=True)
    level = models.CharField(max_length=8)
    subject = models.CharField(max_length=128, db_index=True)
    text = models.TextField()
    data = models.JSONField(default=dict)
    actor = models.CharField(max_length=150, default="", blank=True)
    uid = models.CharField(max_length=128, null=True, unique=True)  # noqa: DJ001 - NULLs are distinct, empty strings are not

    class Meta:
        ordering = ["id"]


class Cursor(models.Model):
    """How far a reader has come."""

    reader = models.CharField(max_length=64, primary_key=True)
    position = models.BigIntegerField(default=0)
