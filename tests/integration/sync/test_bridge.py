"""From the engine's outbox to the event log."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from nephos.config.home import Home
from nephos.config.load import Loaded
from nephos.events import log
from nephos.events.models import Cursor
from nephos.sync import bridge, database, orders, outbox

pytestmark = pytest.mark.django_db

DELIVERED = {
    "transfer": 3,
    "watch": "inbox",
    "destination": "cloud",
    "path": "a/clip\udce9.mp4",
    "set": "",
    "key": "x/a/clip.mp4",
    "bytes": 10,
    "sha256": "0" * 64,
    "etag": "e",
    "version": "",
    "proof": "read-back",
    "at": "2026-11-22T19:16:20.125Z",
}
SET = {"set": "asset:12", "watch": "sets", "receipts": [{"path": "x", "key": "x"}]}


@pytest.fixture
def outgoing(home: Loaded) -> sqlite3.Connection:
    return database.connect(home.home.sync_database)


def test_messages_become_events_once_each(home: Loaded, outgoing: sqlite3.Connection) -> None:
    outbox.put(outgoing, outbox.TRANSFER_DELIVERED, DELIVERED)
    outbox.put(outgoing, outbox.SET_DELIVERED, SET)
    outbox.put(outgoing, outbox.FILESET_SETTLED, {"watch": "drop", "stem": "clip", "files": ["/in/clip.mp4"]})
    outbox.put(outgoing, outbox.TRANSFER_HELD, {**DELIVERED, "reason": "why"})
    outbox.put(outgoing, outbox.SET_REFUSED, {"set": "asset:1", "watch": "x", "reason": "no such watch"})
    outbox.put(outgoing, outbox.SETTINGS_REFUSED, {"reason": "bad"})
    outbox.put(outgoing, "kind.of.the.future", {})

    bridge.Bridge(home).step()
    bridge.Bridge(home).step()
    Cursor.objects.all().delete()  # as if the cursor were lost: the messages come again
    bridge.Bridge(home).step()

    found = log.read()
    assert [entry.kind for entry in found] == [
        "transfer.delivered",
        "set.delivered",
        "fileset.settled",
        "transfer.held",
        "set.refused",
        "settings.refused",
    ]
    assert found[1].subject == "asset:12"
    assert found[1].data["receipts"] == [{"path": "x", "key": "x"}]
    assert found[2].data["files"] == ["/in/clip.mp4"]
    assert "\\udce9" in found[0].text


def test_the_engine_is_told_what_it_may_forget(home: Loaded, outgoing: sqlite3.Connection) -> None:
    outbox.put(outgoing, outbox.SET_DELIVERED, SET)

    bridge.Bridge(home).step()

    assert [(order.kind, order.body) for order in orders.unfinished(outgoing)] == [("acknowledge", {"upto": 1})]


def test_a_journal_that_was_begun_anew_is_read_from_its_start(home: Loaded, outgoing: sqlite3.Connection) -> None:
    Cursor.objects.create(reader="sync.outbox", position=500)
    outbox.put(outgoing, outbox.SET_DELIVERED, SET)

    bridge.Bridge(home).step()

    assert [entry.kind for entry in log.read()] == ["set.delivered"]


def test_before_the_first_start_of_sync_there_is_nothing(tmp_path: Path, home: Loaded) -> None:
    loaded = dataclasses.replace(home, home=Home.at(tmp_path / "nowhere"))

    assert bridge.Bridge(loaded).step() is False
