"""The recorder receives a channel with a rolling buffer all the time."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from nephos.lib import clock
from nephos.recording import plan
from tests.fakes import multicast
from tests.integration.recording.test_receiving_recorder import Station, channel, joined, sender, station

__all__ = ["sender", "station"]  # fixtures


def test_a_buffered_channel_is_received_without_a_booking_and_joined_once(
    station: Station, sender: multicast.MulticastSender
) -> None:
    bare = dataclasses.replace(channel(sender), windows=(), buffer_seconds=60)
    station.plan(bare)
    station.start()
    with sender:
        station.wait_until(joined(sender))
        station.wait_until(station.receives)
        now = clock.now()
        window = plan.Window(booking=7, start=now - timedelta(seconds=1), end=now + timedelta(seconds=1))
        station.plan(dataclasses.replace(bare, windows=(window,)))
        station.wait_until(lambda: any(7 in one["bookings"] for one in station.shown()))
        assert multicast.join_count(sender.group) == 1
        station.wait_until(lambda: all(not one["bookings"] for one in station.shown()))
        assert joined(sender)()

        station.plan()
        station.wait_until(lambda: not joined(sender)())
    station.end()

    assert station.seconds()
