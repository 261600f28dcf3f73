"""Retention deletes what is proven to be elsewhere, says so, and survives a crash between the word and the deed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.events import log
from nephos.lib import clock
from nephos.library import queries, services
from nephos.library.models import Asset
from nephos.library.states import AssetState, Place
from nephos.maintenance import freeing
from nephos.sync import database

pytestmark = pytest.mark.django_db

Settle = Callable[..., load.Loaded]

SETTINGS = """
[connection.shelf]
kind = "file"
[destination.shelf]
connection = "shelf"
base = "/srv/shelf"
[destination.vault]
connection = "shelf"
base = "/srv/vault"
[watch.tv]
sets = true
destinations = ["shelf"]
[maintenance.retention]
enabled = true
keep_days = 1
"""


def deliver(loaded: load.Loaded, stem: str, *, days: float = 5, proof: str = "read-back") -> Asset:
    """An asset with a source, its manifest and a result, all delivered with receipts."""
    asset = Asset.objects.create(
        state=AssetState.PROCESSED, door="recording", title=stem, key=stem, folder=f"one/{stem}", stem=stem
    )
    for place, root, path in (
        (Place.RECORDINGS, loaded.home.recordings, f"one/{stem}.ts"),
        (Place.RECORDINGS, loaded.home.recordings, f"one/{stem}.manifest.json"),
        (Place.PROCESSED, loaded.home.processed, f"one/{stem}/{stem}.mp4"),
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f"{path}\n".encode() * 100)
        services.add_file(
            asset=asset,
            kind="source",
            place=place,
            path=path,
            size_bytes=file.stat().st_size,
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        )
    services.start_delivery(asset=asset, watches=["tv"])
    with contextlib.closing(database.connect(loaded.home.sync_database)) as db:
        for row in asset.files.all():
            db.execute(
                "INSERT INTO receipts (watch, destination, path, set_id, fingerprint, key, bytes, sha256, etag,"
                " version, proof, at) VALUES ('tv', 'shelf', ?, ?, '', '', ?, ?, '', '', ?, ?)",
                (
                    f"{asset.folder}/{Path(row.path).name}".encode(),
                    services.subject(asset),
                    row.size_bytes,
                    row.sha256,
                    proof,
                    clock.stamp(clock.now()),
                ),
            )
    services.finish_delivery(asset=asset)
    Asset.objects.filter(pk=asset.pk).update(delivered_at=clock.now() - timedelta(days=days))
    return asset


def here(asset: Asset, loaded: load.Loaded) -> list[bool]:
    return [queries.locate(file, loaded.home).exists() for file in asset.files.all()]


def orders(loaded: load.Loaded) -> list[str]:
    with contextlib.closing(database.connect(loaded.home.sync_database)) as db:
        return [row["body"] for row in db.execute("SELECT body FROM orders WHERE kind = 'freed' ORDER BY id")]


def test_what_is_old_and_proven_is_freed_with_an_event_and_marked(settle: Settle) -> None:
    loaded = settle(SETTINGS)
    old, young = deliver(loaded, "old"), deliver(loaded, "young", days=0.5)

    assert [(one.title, one.goes) for one in freeing.plan(loaded)] == [("young", False), ("old", True)]
    assert here(old, loaded) == [True, True, True]  # a plan changes nothing
    freeing.check(loaded)
    freeing.check(loaded)

    assert here(old, loaded) == [False, False, False]
    assert here(young, loaded) == [True, True, True]
    view = queries.asset(old.pk)
    assert view.state == "freed"
    assert all(file.freed_at for file in view.files)
    told = log.read(kind="asset.freed")
    assert [entry.subject for entry in told] == [services.subject(old)]
    assert "3 files" in told[0].text
    assert len(orders(loaded)) == 3  # sync is told that these are no deletions
    assert not (loaded.home.processed / "one/old").exists()
    assert (loaded.home.recordings / "one").is_dir()


@pytest.mark.parametrize("proof", ["transport", "sent"])
def test_what_is_not_proven_is_never_freed(settle: Settle, proof: str) -> None:
    loaded = settle(SETTINGS)
    asset = deliver(loaded, "old", proof=proof)
    freeing.check(loaded)

    assert here(asset, loaded) == [True, True, True]
    assert queries.asset(asset.pk).state == "delivered"


def test_what_would_go_is_read_back_first_and_goes_when_it_was(settle: Settle) -> None:
    loaded = settle(SETTINGS)
    old, young = deliver(loaded, "old", proof="transport"), deliver(loaded, "young", days=0.5, proof="transport")
    freeing.check(loaded)
    freeing.check(loaded)

    with contextlib.closing(database.connect(loaded.home.sync_database)) as db:
        asked = [row["body"] for row in db.execute("SELECT body FROM orders WHERE kind = 'verify' ORDER BY id")]
        db.execute("UPDATE receipts SET proof = 'read-back' WHERE set_id = ?", (services.subject(old),))
    assert len(asked) == 3  # each file once, and none of what may stay
    assert all("one/old/old" in body for body in asked)
    assert here(old, loaded) == [True, True, True]

    freeing.check(loaded)

    assert here(old, loaded) == [False, False, False]
    assert here(young, loaded) == [True, True, True]


def test_what_a_person_keeps_is_never_freed(settle: Settle) -> None:
    loaded = settle(SETTINGS)
    asset = deliver(loaded, "old")
    services.set_keep(asset=asset, keep=True)
    freeing.check(loaded)

    assert here(asset, loaded) == [True, True, True]
    services.set_keep(asset=asset, keep=False)
    freeing.check(loaded)
    assert here(asset, loaded) == [False, False, False]


def test_a_destination_that_was_added_since_is_one_more_proof_to_wait_for(settle: Settle) -> None:
    asset = deliver(settle(SETTINGS), "old")
    loaded = settle(SETTINGS.replace('["shelf"]', '["shelf", "vault"]'))
    freeing.check(loaded)

    assert here(asset, loaded) == [True, True, True]
    assert "no receipt of vault" in freeing.plan(loaded)[0].reason


def test_a_file_that_was_registered_anew_since_keeps_the_asset(settle: Settle) -> None:
    loaded = settle(SETTINGS)
    asset = deliver(loaded, "old")
    verdict = freeing.plan(loaded)[0]
    assert verdict.goes
    asset.files.filter(place=Place.PROCESSED).update(sha256="f" * 64)

    assert not freeing.free(verdict, loaded)  # looked at again right before
    assert here(asset, loaded) == [True, True, True]


def test_an_asset_that_is_processed_again_is_not_freed(settle: Settle) -> None:
    loaded = settle(SETTINGS)
    asset = deliver(loaded, "old")
    verdict = freeing.plan(loaded)[0]
    services.start_processing(asset=queries.get_asset(asset.pk), pipeline="archive")

    assert not freeing.free(verdict, loaded)
    assert here(asset, loaded) == [True, True, True]


def test_a_crash_in_the_middle_is_finished_at_the_next_look(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settle(SETTINGS)
    asset = deliver(loaded, "old")

    class Killed(BaseException):
        """kill -9."""

    whole = services.note_freed
    with monkeypatch.context() as broken:

        def die(**given: Any) -> None:
            whole(**given)
            raise Killed

        broken.setattr(services, "note_freed", die)
        with pytest.raises(Killed):
            freeing.check(loaded)
    assert here(asset, loaded).count(True) == 2

    freeing.check(loaded)
    assert here(asset, loaded) == [False, False, False]
    assert len(log.read(kind="asset.freed")) == 1


def test_a_path_that_leads_out_of_our_folders_is_left_alone(settle: Settle, tmp_path: Path) -> None:
    loaded = settle(SETTINGS)
    asset = deliver(loaded, "old")
    outside = tmp_path / "outside.ts"
    outside.write_bytes(b"precious")
    asset.files.filter(path__endswith=".ts").update(path="../../outside.ts")
    verdict = freeing.plan(loaded)[0]
    with contextlib.closing(database.connect(loaded.home.sync_database)) as db:
        db.execute("UPDATE receipts SET path = ? WHERE path LIKE '%.ts'", (b"one/old/outside.ts",))
    freeing.free(verdict, loaded)
    freeing.check(loaded)

    assert outside.read_bytes() == b"precious"
