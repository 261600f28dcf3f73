"""Problems, and what people are to be told: columns and constraints."""

from __future__ import annotations

from django.db import models

from nephos.core.models import Stateful
from nephos.lib import clock
from nephos.monitoring import states


class Problem(Stateful):
    """A condition that is open until it goes away. Of each key one at a time is open."""

    TABLE = states.PROBLEM

    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=128)  # what it is about: channel:3, volume:/srv
    weight = models.CharField(max_length=16)
    sentence = models.TextField()  # what
    reason = models.TextField(blank=True, default="")  # why
    retry = models.TextField(blank=True, default="")  # when it is tried again
    hint = models.TextField(blank=True, default="")  # what a person can do
    count = models.PositiveIntegerField(default=1)  # how often it was noted
    opened_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)
    muted_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(state=states.ProblemState.OPEN), name="one_open_problem_of_a_key"
            ),
        ]


class Notice(models.Model):
    """One message to one receiver over one channel. It waits until it is told or refused for good."""

    uid = models.CharField(max_length=200, unique=True)  # event, channel and receiver: none is made twice
    event = models.BigIntegerField(db_index=True)
    channel = models.CharField(max_length=80)  # mail, webhook:NAME
    receiver = models.CharField(max_length=254)
    title = models.CharField(max_length=300)
    body = models.TextField()
    payload = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=clock.now, db_index=True)
    due_at = models.DateTimeField(default=clock.now)  # not before
    tries = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")  # of the last try that failed

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(told_at=None, refused_at=None),
                name="notices_that_wait",
            ),
        ]
