"""The page of delivery: what it shows, and what its buttons order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from nephos.sync import database, orders, paths
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.states import Action, PathState

pytestmark = pytest.mark.django_db

NAME = b"<script>alert(1)</script>.ts"


@pytest.fixture
def delivering(place: Any, tmp_path: Path) -> Any:
    """A watch that mirrors, with a file on its way and one that is held."""
    place.config_file.write_text(
        '[connection.disk]\nkind = "file"\n[destination.shelf]\nconnection = "disk"\nbase = "/nowhere"\n'
        f'[watch.inbox]\nfolder = "{tmp_path}"\ndestinations = ["shelf"]\nmode = "mirror"\n'
    )
    db = database.connect(place.sync_database)
    db.create_function("next_change", 0, lambda: 1)
    db.execute("INSERT OR REPLACE INTO mappings (watch, destination, identity) VALUES ('inbox', 'shelf', 'x')")
    for path, state in ((NAME, PathState.SENDING), (b"held.ts", PathState.HELD)):
        row = paths.observe(db, paths.Sight("inbox", "shelf", path, b"/" + path, Fingerprint(1 << 20, 1, 1)))
        paths.set_(db, row, state=state, action=Action.SEND, bytes_done=1 << 19, parts=4, parts_done=2, cause="No way.")
    db.close()
    yield place
    place.sync_database.unlink()


def ordered(place: Any) -> list[tuple[str, dict[str, Any]]]:
    with database.reading(place.sync_database) as db:
        return [(str(one.kind), one.body) for one in orders.unfinished(db)] if db is not None else []


def test_it_shows_bytes_parts_and_the_cause_and_names_as_text(person: Callable[..., Client], delivering: Any) -> None:
    text = person().get("/delivery").content.decode()

    assert "<script>alert(1)" not in text
    assert "2 of 4 parts" in text
    assert "No way." in text
    assert "Take deletions back" in text


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("pause", {}),
        ("resume", {}),
        ("pause", {"watch": "inbox"}),
        ("resume", {"destination": "shelf"}),
        ("undo", {"watch": "inbox"}),
        ("retry", {"transfer": "2"}),
    ],
)
def test_each_button_gives_one_order(
    person: Callable[..., Client], delivering: Any, verb: str, form: dict[str, str]
) -> None:
    answer = person().post(f"/delivery/{verb}", form)

    assert answer.status_code == 302
    wanted = {key: int(value) if key == "transfer" else value for key, value in form.items()}
    assert ordered(delivering) == [(verb, wanted)]


def test_who_may_only_look_orders_nothing(person: Callable[..., Client], delivering: Any) -> None:
    client = person("viewer")

    assert "Pause" not in client.get("/delivery").content.decode()
    assert client.post("/delivery/pause", {}).status_code == 403
    assert ordered(delivering) == []


@pytest.mark.parametrize(
    ("verb", "form", "status"), [("burn", {}, 404), ("pause", {"watch": "x"}, 404), ("undo", {}, 422)]
)
def test_what_makes_no_sense_is_refused(
    person: Callable[..., Client], delivering: Any, verb: str, form: dict[str, str], status: int
) -> None:
    assert person().post(f"/delivery/{verb}", form).status_code == status
    assert ordered(delivering) == []
