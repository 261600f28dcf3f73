"""While a booking runs and nothing comes: one alert, one notice when it is over; the recorder tries on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from nephos.config.load import Loaded
from nephos.lib import clock, text
from nephos.library.models import Channel
from nephos.library.states import ChannelStatus
from nephos.maintenance import hearing, onair
from nephos.monitoring import services
from nephos.recording.models import Booking

_RECEIVING = "receiving"


@dataclass(slots=True)
class Signal:
    """Remembers since when each receiver hears nothing, on the monotonic clock."""

    _since: dict[str, float] = field(default_factory=dict)
    _ours: set[str] = field(default_factory=set)  # channels that we said are down

    def check(self, loaded: Loaded) -> None:
        """Look at every receiver. What it hears is the channel's status, better than any look at it."""
        found = hearing.receivers(loaded)
        slugs = {one.slug for one in found}
        for gone in set(self._since) - slugs:
            self._since.pop(gone)
        not_up = set(
            Channel.objects.filter(slug__in=slugs).exclude(status=ChannelStatus.UP).values_list("slug", flat=True)
        )
        for receiver in found:
            if receiver.state != _RECEIVING:
                self._silent(receiver, loaded)
                continue
            self._since.pop(receiver.slug, None)
            if receiver.slug in not_up:
                self._say_up(receiver.slug)
        self._leave(slugs, loaded)

    def rest(self) -> None:
        """The check is off; what is down is for the other check to say."""
        self._since.clear()
        self._ours.clear()

    def _silent(self, receiver: hearing.Receiver, loaded: Loaded) -> None:
        now = clock.monotonic()
        since = self._since.setdefault(receiver.slug, now)
        if now - since >= loaded.settings.maintenance.signal.silent_seconds and receiver.slug not in self._ours:
            self._say_down(receiver, loaded)

    def _say_up(self, slug: str) -> None:
        self._ours.discard(slug)
        for channel in Channel.objects.filter(slug=slug):
            onair.up(channel)

    def _say_down(self, receiver: hearing.Receiver, loaded: Loaded) -> None:
        self._ours.add(receiver.slug)
        channel = Channel.objects.filter(slug=receiver.slug).first()
        if channel is None:
            return
        silent = text.duration(timedelta(seconds=loaded.settings.maintenance.signal.silent_seconds))
        booking = Booking.objects.filter(pk__in=receiver.bookings).order_by("to_at").last()
        what = f"{booking.title} on {channel.name} gets no signal." if booking else f"Channel {channel.name} is down."
        until = f"until it ends at {clock.stamp(booking.to_at)}" if booking else "all the time"
        onair.down(
            channel,
            sentence=what,
            reason=f"Nothing has come for {silent} while it should be recorded.",
            retry=f"The recorder listens and joins again by itself {until}; what comes is recorded.",
        )

    def _leave(self, heard: set[str], loaded: Loaded) -> None:
        """A booking ended in silence: the check of the channels goes on from here, if there is one."""
        for slug in self._ours - heard:
            self._ours.discard(slug)
            if not loaded.settings.maintenance.channels.enabled:
                for channel in Channel.objects.filter(slug=slug):
                    services.clear(onair.key(channel))
