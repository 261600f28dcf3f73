"""Schedules and bookings: columns and constraints."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.deletion import Collector, ProtectedError

from nephos.core.models import Stateful
from nephos.lib import clock
from nephos.library.models import Asset, Channel
from nephos.recording import states


def protect_open(collector: Collector, field: Any, bookings: Any, using: str) -> None:
    """Of a channel's bookings the open ones hold it; those of the past let it go."""
    needed = [booking for booking in bookings if booking.state in states.OPEN]
    if needed:
        raise ProtectedError("The channel has open bookings.", set(needed))
    models.SET_NULL(collector, field, bookings, using)


class Schedule(models.Model):
    """A rule: what is recorded, when, and what becomes of it."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=90)  # unique on its channel: it begins the names of the channel's files
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="schedules")
    zone = models.CharField(max_length=64, blank=True, default="")  # IANA; empty: the channel's, else the station's
    start_time = models.TimeField()
    date = models.DateField(null=True)  # the day of a single airing, or the first day
    weekdays = models.PositiveSmallIntegerField(default=0)  # Monday 1 ... Sunday 64; 0: none or once
    every = models.CharField(max_length=16, blank=True, default="")  # `3 days` or `2 weeks`, counted from `date`
    recurrence = models.CharField(max_length=400, blank=True, default="")  # RFC 5545, begins on `date`
    not_on = models.JSONField(default=list)  # dates without an airing
    also_on = models.JSONField(default=list)  # dates with one besides
    duration_seconds = models.PositiveIntegerField()
    padding_before_seconds = models.PositiveIntegerField(default=0)
    padding_after_seconds = models.PositiveIntegerField(default=0)
    until = models.DateField(null=True)
    pipeline = models.CharField(max_length=64, blank=True, default="")  # empty: the station's; none: not processed
    priority = models.SmallIntegerField(default=0)
    tags = models.JSONField(default=list)
    enabled = models.BooleanField(default=True)
    booked_until = models.DateTimeField(default=clock.now)  # how far its airings are bookings
    changed_at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["channel", "slug"], name="one_schedule_of_a_name_on_a_channel")]


class Programme(models.Model):
    """What a guide says a channel airs."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="programmes")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    title = models.CharField(max_length=200)
    subtitle = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["channel", "starts_at"])]


class Booking(Stateful):
    """One planned airing. Times are UTC: wanted from `starts_at` to `ends_at`, received from `from_at` to `to_at`."""

    TABLE = states.BOOKING

    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.SET_NULL, related_name="bookings")
    channel = models.ForeignKey(Channel, null=True, on_delete=protect_open, related_name="bookings")
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    from_at = models.DateTimeField(db_index=True)
    to_at = models.DateTimeField(db_index=True)
    extra_seconds = models.PositiveIntegerField(default=0)  # what a person added to the end
    stopped = models.BooleanField(default=False)  # a person ended it early
    cut_short = models.BooleanField(default=False)  # the disk was almost full
    reason = models.TextField(blank=True, default="")
    asset = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="bookings")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "starts_at"], name="one_booking_for_an_airing"),
            models.CheckConstraint(
                condition=models.Q(from_at__lt=models.F("to_at")), name="a_booking_ends_after_it_begins"
            ),
        ]
