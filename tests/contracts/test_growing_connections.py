"""What every connection must do that takes the beginning of a file which is still being written."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import threading
from pathlib import Path

import pytest

from nephos.lib import ids
from nephos.sync import errors, fingerprints
from nephos.sync.connections import base
from tests.contracts.test_connections import connection, inbox
from tests.fakes import connection as fake

__all__ = ["connection", "inbox"]

MIB = 1 << 20
NEVER = threading.Event()


@pytest.fixture
def grower(connection: base.Connection) -> base.Connection:
    if not isinstance(connection, base.Grower):
        pytest.skip("This kind takes whole files only.")
    return connection


def version(path: Path) -> base.Item:
    found = fingerprints.take(os.fsencode(path))
    return base.Item(1, os.fsencode(path), "day/show.ts", found, ids.new(), base.Verify.AUTO, grown=True)


def grow(connection: base.Connection, path: Path, notes: fake.Notes, *, flush: bool = False) -> int:
    assert isinstance(connection, base.Grower)
    with contextlib.suppress(errors.UploadLost):
        return _grow(connection, path, notes, flush=flush)
    return _grow(connection, path, notes, flush=flush)


def _grow(connection: base.Grower, path: Path, notes: fake.Notes, *, flush: bool) -> int:
    done = -1
    while (now := connection.grow(version(path), 0, flush=flush, journal=notes, stop=NEVER)) != done:
        done = now
    return done


def finish(connection: base.Connection, path: Path, notes: fake.Notes) -> base.Outcome:
    (outcome,) = connection.send([version(path)], journal=notes, stop=NEVER)
    if isinstance(outcome.error, errors.UploadLost):  # a server that takes no part twice: it begins anew
        (outcome,) = connection.send([version(path)], journal=notes, stop=NEVER)
    return outcome


def append(path: Path, content: bytes) -> bytes:
    with path.open("ab") as stream:
        stream.write(content)
    return path.read_bytes()


def there(connection: base.Connection) -> bytes:
    assert isinstance(connection, base.Reader)
    content = bytearray()
    connection.read("day/show.ts", content.extend, start=0, stop=NEVER)
    return bytes(content)


def kept(notes: fake.Notes) -> int:
    intent = notes.intents.get(1)
    return max(intent.offset, sum(part.bytes for part in intent.parts)) if intent else 0


def test_the_beginning_goes_up_unseen_and_the_rest_completes_it(grower: base.Connection, inbox: Path) -> None:
    path, notes = inbox / "show.ts", fake.Notes()
    append(path, os.urandom(11 * MIB))

    first = grow(grower, path, notes)
    append(path, os.urandom(5 * MIB))
    second = grow(grower, path, notes)
    unseen = grower.look("day/show.ts")
    listed = list(grower.list())
    content = append(path, os.urandom(MIB))
    begun = len(notes.history)
    outcome = finish(grower, path, notes)

    assert 10 * MIB <= first <= 11 * MIB
    assert 15 * MIB <= second <= 16 * MIB
    assert unseen is None
    assert listed == []
    assert outcome.delivered is not None, outcome.error
    assert outcome.delivered.sha256 == hashlib.sha256(content).hexdigest()
    assert there(grower) == content
    assert ("adopt", len(notes.intents[1].parts)) not in notes.history[:begun]
    assert [verb for verb, _ in notes.history[begun:] if verb == "adopt"] == ["adopt"]
    assert not [verb for verb, _ in notes.history[begun:] if verb in {"intent", "forget"}]


def test_the_tail_may_go_before_its_end_is_known_and_grow_on(grower: base.Connection, inbox: Path) -> None:
    path, notes = inbox / "show.ts", fake.Notes()
    append(path, os.urandom(7 * MIB))

    assert grow(grower, path, notes, flush=True) == 7 * MIB
    append(path, os.urandom(2 * MIB + 77))
    assert grow(grower, path, notes, flush=True) in {5 * MIB, 9 * MIB + 77}  # the first where no part is taken twice
    content = append(path, os.urandom(188))

    assert finish(grower, path, notes).error is None
    assert there(grower) == content


def test_a_beginning_that_was_rewritten_is_sent_anew(grower: base.Connection, inbox: Path) -> None:
    path, notes = inbox / "show.ts", fake.Notes()
    append(path, os.urandom(16 * MIB))
    grow(grower, path, notes)
    with path.open("r+b") as stream:
        stream.write(b"a header that is only known at the end")
    content = append(path, b"end")

    assert finish(grower, path, notes).error is None
    assert there(grower) == content


def test_a_file_that_became_shorter_begins_anew(grower: base.Connection, inbox: Path) -> None:
    path, notes = inbox / "show.ts", fake.Notes()
    append(path, os.urandom(16 * MIB))
    grow(grower, path, notes)
    path.write_bytes(os.urandom(6 * MIB))

    grow(grower, path, notes)

    assert kept(notes) <= 6 * MIB
    assert finish(grower, path, notes).error is None
    assert there(grower) == path.read_bytes()


def test_another_process_goes_on_where_the_notes_end(grower: base.Connection, inbox: Path) -> None:
    path, notes = inbox / "show.ts", fake.Notes()
    append(path, os.urandom(11 * MIB))
    grow(grower, path, notes)
    begun = len(notes.history)
    intent = notes.intents[1]
    if intent.parts:  # the last part was acknowledged, and its note was lost
        notes.intents[1] = dataclasses.replace(intent, parts=intent.parts[:-1])

    append(path, os.urandom(6 * MIB))
    grow(grower, path, notes)

    assert not [verb for verb, _ in notes.history[begun:] if verb in {"intent", "forget"}]
    assert finish(grower, path, notes).error is None
    assert there(grower) == path.read_bytes()


def test_what_nobody_goes_on_with_leaves_nothing_behind(grower: base.Connection, inbox: Path, tmp_path: Path) -> None:
    path, notes = inbox / "show.ts", fake.Notes()
    append(path, os.urandom(11 * MIB))
    grow(grower, path, notes)
    assert isinstance(grower, base.Grower)

    grower.abandon(version(path), journal=notes, stop=NEVER)

    assert notes.intents == {}
    assert not [found for found in (tmp_path / "there").rglob("*.part")]
