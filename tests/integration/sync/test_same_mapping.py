"""A mapping is a folder, a destination and a base; as long as it is the same, nothing is sent a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from nephos.sync import queries
from tests.fakes.sync import Station


@pytest.fixture
def mapped(station: Station, tmp_path: Path) -> Station:
    """The old program's own example: local root x and folder z are mapped to remote root y."""
    (tmp_path / "x" / "z").mkdir(parents=True)
    (tmp_path / "y").mkdir()
    (tmp_path / "x" / "z" / "a").write_bytes(b"a file")
    station.connect("y", "file", str(tmp_path / "y" / "z"))
    station.watch("z", "y", folder=tmp_path / "x" / "z")
    return station


def deliver(station: Station, *paths: str) -> int:
    """Run until these are there and everything was looked at; how many receipts there are."""
    with station.running():
        station.until_delivered(*paths)
        looked = f"looked-{len(queries.receipts(station.home))}"
        folder = Path(str(station.tables["watch"]["z"]["folder"]))
        (folder / looked).write_bytes(b"the scan has come by")
        station.until_delivered(looked)
    return sum(not receipt.path.startswith("looked") for receipt in queries.receipts(station.home))


def test_the_worked_example_x_z_a_arrives_as_y_z_a(mapped: Station, tmp_path: Path) -> None:
    assert deliver(mapped, "a") == 1

    assert (tmp_path / "y" / "z" / "a").read_bytes() == b"a file"


def test_other_settings_of_a_watch_make_no_new_mapping(mapped: Station) -> None:
    deliver(mapped, "a")

    mapped.tables["watch"]["z"] |= {"priority": 3, "ignore": ["*.bak"], "settle_seconds": 0.1, "mode": "mirror"}

    assert deliver(mapped, "a") == 1


def test_a_watch_that_was_taken_out_and_put_back_sends_nothing_again(mapped: Station) -> None:
    deliver(mapped, "a")
    kept = mapped.tables.pop("watch")
    with mapped.running():
        pass
    mapped.tables["watch"] = kept

    assert deliver(mapped, "a") == 1


def test_another_base_is_a_new_mapping_with_a_first_scan_of_its_own(mapped: Station, tmp_path: Path) -> None:
    deliver(mapped, "a")

    mapped.tables["destination"]["y"]["base"] = str(tmp_path / "y" / "elsewhere")

    assert deliver(mapped, "a") == 2
    assert (tmp_path / "y" / "elsewhere" / "a").read_bytes() == b"a file"
