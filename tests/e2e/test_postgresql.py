"""The same station on PostgreSQL."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fakes import broadcast
from tests.support import postgres, storage
from tests.support.station import Station

GROUP = f"239.253.{random.randrange(1, 250)}.{random.randrange(1, 250)}"


def test_a_recording_is_delivered_and_a_second_station_on_the_database_is_refused(
    station: Station, tmp_path: Path
) -> None:
    with postgres.running() as url, broadcast.on_air(group=GROUP, port=5008, seconds=120):
        station.environment["NEPHOS_DATABASE_URL"] = url
        station.start()
        storage.add_channel(station, "One", group=GROUP, port=5008)
        storage.deliver_to_folder(station, tmp_path / "shelf")

        other = Station(tmp_path / "other", NEPHOS_DATABASE_URL=url)
        refused = other.spawn().wait(timeout=60)
        station.run("record", "One", "--duration", "5s")
        row = station.await_recording(["delivered"], seconds=90)
        station.stop()

    assert refused == 5, other.tail()
    assert "Another station uses this database" in other.tail()
    assert row["recording"]["verdict"] == "complete"
