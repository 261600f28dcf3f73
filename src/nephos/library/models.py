"""What we have: columns and constraints."""

from __future__ import annotations

from django.db import models

from nephos.core.models import Stateful
from nephos.lib import clock
from nephos.library import states


class Channel(models.Model):
    """A named source that can be received."""

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=90, unique=True)
    address = models.CharField(max_length=500, unique=True)
    country = models.CharField(max_length=2, blank=True, default="")  # ISO 3166-1 alpha-2
    language = models.CharField(max_length=3, blank=True, default="")  # ISO 639
    zone = models.CharField(max_length=64, blank=True, default="")  # IANA
    status = models.CharField(max_length=8, default=states.ChannelStatus.UNKNOWN)
    status_at = models.DateTimeField(null=True)
    found = models.JSONField(default=dict)  # what the last examination showed, as the API tells it
    buffer_seconds = models.PositiveIntegerField(default=0)  # so much is kept of what aired, booked or not
    buffer_since = models.DateTimeField(null=True)  # since when; segments of before are not the buffer's to remove
    bits_per_second = models.PositiveBigIntegerField(default=0)  # as measured last; 0: never
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]


class Share(models.Model):
    """A person and the filters that say which assets they get. An empty filter lets everything pass."""

    email = models.EmailField(unique=True)
    channel = models.ForeignKey(Channel, null=True, on_delete=models.CASCADE, related_name="shares")
    country = models.CharField(max_length=2, blank=True, default="")
    language = models.CharField(max_length=3, blank=True, default="")
    zone = models.CharField(max_length=64, blank=True, default="")
    tags = models.JSONField(default=list)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["email"]


class Asset(Stateful):
    """What the station owns and follows to its end."""

    TABLE = states.ASSET

    door = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    key = models.CharField(max_length=200, unique=True)  # makes its creation safe to repeat
    folder = models.CharField(max_length=300)  # below processed/: where its outputs are published
    stem = models.CharField(max_length=200)
    channel = models.ForeignKey(Channel, null=True, on_delete=models.SET_NULL, related_name="assets")
    watch = models.CharField(max_length=64, blank=True, default="")  # the watch that took a file set in
    pipeline = models.CharField(max_length=64, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    tags = models.JSONField(default=list)
    runs = models.PositiveIntegerField(default=0)  # how often it was processed
    keep = models.BooleanField(default=False)  # a person wants its files to stay: retention passes it by
    created_at = models.DateTimeField(default=clock.now, db_index=True)
    arrived_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]


class Recording(models.Model):
    """What is special about an asset that came off the air."""

    asset = models.OneToOneField(Asset, primary_key=True, on_delete=models.CASCADE, related_name="recording")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    recorded_from = models.DateTimeField(null=True)
    recorded_to = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=24, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    score = models.PositiveSmallIntegerField(null=True)
    gaps = models.JSONField(default=list)  # [{"start", "end", "seconds", "cause"}]
    counters = models.JSONField(default=dict)


class MediaFile(models.Model):
    """One file of an asset, with the checksum it had when it was registered."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=32)
    place = models.CharField(max_length=16)
    path = models.CharField(max_length=1000)  # below the place; absolute for files elsewhere
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    label = models.CharField(max_length=64, blank=True, default="")
    language = models.CharField(max_length=8, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    freed_at = models.DateTimeField(null=True)  # retention removed it here

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["asset", "place", "path"], name="one_row_per_file")]
