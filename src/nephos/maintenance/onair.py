"""Is each channel on air? Asked by listening for a moment, and of the recorder for what it receives anyhow."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from nephos.config import upkeep
from nephos.config.load import Loaded
from nephos.lib import clock, errors, text
from nephos.library import services as library
from nephos.library.models import Channel
from nephos.library.states import ChannelStatus
from nephos.maintenance import hearing
from nephos.monitoring import services
from nephos.recording import states
from nephos.recording.sources import address, links, probe, registry

KIND = "channel.down"
_WELL_BEFORE = timedelta(seconds=45)  # longer than any look takes

_SAID = {
    probe.State.DOWN: "Nothing comes.",
    probe.State.WEAK: "A transport stream comes, but very little of it.",
    probe.State.NOT_TS: "Something comes, but it is no transport stream.",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What one look at a channel said; no reason means that it is up."""

    channel: Channel
    reason: str
    hint: str = ""
    bits_per_second: int = 0


@dataclass(slots=True)
class OnAir:
    """Remembers how often in a row each channel was not heard, and when to listen again."""

    _misses: dict[int, int] = field(default_factory=dict)
    _looked: dict[int, float] = field(default_factory=dict)

    def check(self, loaded: Loaded) -> None:
        """Listen to the channels that are due, a few at a time; those that are being received are left alone."""
        chosen = loaded.settings.maintenance.channels
        channels = list(Channel.objects.all())
        self._forget(channels)
        now, taken = clock.monotonic(), _spoken_for(loaded)
        due = [one for one in channels if one.slug not in taken and self._is_due(one, chosen, now)]
        if not due:
            return
        busy = {_host(one) for one in channels if one.slug in taken} - {""}
        last_start = now + (_WELL_BEFORE - timedelta(seconds=chosen.fetch_seconds)).total_seconds()

        def look(channel: Channel) -> Heard | None:
            """The slow ones may make a late one too late: it is asked at the next check."""
            if clock.monotonic() > last_start or _host(channel) in busy:
                return None
            return listen(channel, loaded)

        # A pool of its own: a look that hangs costs a thread of this check and of nothing else.
        with ThreadPoolExecutor(max_workers=chosen.threads, thread_name_prefix="on-air") as pool:
            for heard in pool.map(look, due):
                if heard is not None:
                    self._judge(heard, loaded)

    def look_now(self, loaded: Loaded) -> None:
        """Listen to all of them, due or not."""
        self._looked.clear()
        self.check(loaded)

    def rest(self) -> None:
        """The check is off: it no longer knows of any channel that it is down."""
        self._misses.clear()
        self._looked.clear()
        services.clear_others(KIND)

    def _is_due(self, channel: Channel, chosen: upkeep.ChannelCheck, now: float) -> bool:
        """After the first miss sooner than else: it takes another to be sure."""
        misses = self._misses.get(channel.pk, 0)
        doubts = 0 < misses < chosen.misses
        pause = min(chosen.recheck_seconds, chosen.interval_seconds) if doubts else chosen.interval_seconds
        return channel.pk not in self._looked or now - self._looked[channel.pk] >= pause

    def _judge(self, heard: Heard, loaded: Loaded) -> None:
        chosen, pk = loaded.settings.maintenance.channels, heard.channel.pk
        self._looked[pk] = clock.monotonic()
        if not heard.reason:
            self._misses.pop(pk, None)
            up(heard.channel)
            return
        misses = self._misses[pk] = self._misses.get(pk, 0) + 1
        if misses < chosen.misses:
            return
        every = text.duration(timedelta(seconds=chosen.interval_seconds))
        down(
            heard.channel,
            reason=f"{heard.reason} So it was {_times(chosen.misses)} in a row.",
            hint=heard.hint,
            retry=f"It is listened to every {every}; a booking that is due is tried all the same.",
        )

    def _forget(self, channels: Iterable[Channel]) -> None:
        known = {channel.pk for channel in channels}
        for gone in (set(self._misses) | set(self._looked)) - known:
            self._misses.pop(gone, None)
            self._looked.pop(gone, None)
        services.clear_others(KIND, keep=[key(channel) for channel in channels])


def _spoken_for(loaded: Loaded) -> set[str]:
    """Channels that are received, or will be in a moment: of unicast datagrams the last to listen gets them all."""
    soon, now = clock.now() + _WELL_BEFORE, clock.now()
    booked = Channel.objects.filter(
        bookings__state__in=states.OPEN, bookings__from_at__lt=soon, bookings__to_at__gt=now
    ).values_list("slug", flat=True)
    return {*booked, *(one.slug for one in hearing.receivers(loaded))}


def listen(channel: Channel, loaded: Loaded) -> Heard | None:
    """One look at a channel; None for what is not to be asked: a command of the settings may hold the only tuner."""
    chosen = loaded.settings.maintenance.channels
    given = registry.options(loaded.settings)
    try:
        place = address.parse(channel.address)
        if isinstance(place, address.Address):
            timeout = timedelta(seconds=chosen.timeout_seconds)
            found = probe.probe(place, interface=given.interface, timeout=timeout)
        elif chosen.fetched and place.scheme != "pipe":
            ear = probe.Ear(registry.make(channel.address, given))
            timeout = timedelta(seconds=chosen.fetch_seconds)
            found = probe.hear(ear, timeout=timeout, is_enough=lambda heard: heard.is_clear)
        else:
            return None
    except errors.NephosError as error:
        return Heard(channel, error.message, error.hint)
    return Heard(channel, _SAID.get(found.state, ""), bits_per_second=found.bits_per_second)


def _host(channel: Channel) -> str:
    """Of what is fetched. A provider may allow a single connection: a look must not cost the recording that uses it."""
    try:
        place = address.parse(channel.address)
    except errors.NephosError:
        return ""
    return place.host if isinstance(place, links.Link) else ""


def key(channel: Channel) -> str:
    """Of the one problem that a channel can have: not to be heard, recorded or not."""
    return f"{KIND}:{channel.pk}"


def down(channel: Channel, *, reason: str, retry: str, hint: str = "", sentence: str = "") -> None:
    """The channel is not heard: note it, and open its problem if it is not open."""
    library.note_channel_status(channel=channel, status=ChannelStatus.DOWN)
    services.report(
        services.Finding(
            key=key(channel),
            kind=KIND,
            subject=f"channel:{channel.pk}",
            sentence=sentence or f"Channel {channel.name} is down.",
            reason=reason,
            retry=retry,
            hint=hint
            or f"`nephos channel check {channel.slug}` looks closer; is the sender on, does multicast reach "
            "this machine?",
        )
    )


def up(channel: Channel) -> None:
    """The channel is heard: note it, and close its problem."""
    library.note_channel_status(channel=channel, status=ChannelStatus.UP)
    services.clear(key(channel))


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
