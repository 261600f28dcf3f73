"""The journal on the disk: groups, failures, orders from other processes, cursors."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.config.home import Home
from nephos.lib import errors as lib_errors
from nephos.sync import database, errors, fingerprints, journal, orders, paths, queries
from nephos.sync.states import PathState

VERSION = fingerprints.Fingerprint(10, 1, 7)
NEWER = fingerprints.Fingerprint(11, 2, 7)
SIGHT = paths.Sight("inbox", "cloud", b"caf\xe9", b"/inbox/caf\xe9", VERSION)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home.at(tmp_path)
    place.create()
    return place


@pytest.fixture
def notes(home: Home) -> Iterator[journal.Journal]:
    opened = journal.Journal(home.sync_database)
    yield opened
    opened.close()


def test_what_is_asked_for_by_many_threads_is_all_there(notes: journal.Journal) -> None:
    def work(number: int) -> None:
        for step in range(50):
            notes.submit(
                lambda db, step=step: db.execute(  # type: ignore[misc]
                    "INSERT INTO pauses VALUES (?, ?, x'')", (str(number), str(step))
                )
            )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert notes.commit(lambda db: db.execute("SELECT count(*) FROM pauses").fetchone()[0]) == 400


def test_a_note_that_fails_takes_nothing_else_with_it(notes: journal.Journal, caplog: pytest.LogCaptureFixture) -> None:
    def wrong(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO pauses VALUES ('half', '', x'')")
        raise ValueError("on purpose")

    good = notes.submit(lambda db: db.execute("INSERT INTO pauses VALUES ('before', '', x'')"))
    bad = notes.submit(wrong)
    with pytest.raises(ValueError, match="on purpose"):
        notes.commit(wrong)
    notes.commit(lambda db: db.execute("INSERT INTO pauses VALUES ('after', '', x'')"))

    assert good.exception() is None
    assert isinstance(bad.exception(), ValueError)
    rows = notes.commit(lambda db: [row[0] for row in db.execute("SELECT watch FROM pauses ORDER BY watch")])
    assert rows == ["after", "before"]


def test_an_order_comes_from_any_process_and_only_once(home: Home, notes: journal.Journal) -> None:
    code = (
        "import pathlib, sys; from nephos.config.home import Home; from nephos.sync import orders;"
        "print(orders.put(Home.at(pathlib.Path(sys.argv[1])), key='a', kind='rescan', body={'watch': '\\udce9'}))"
    )

    told = [subprocess.check_output([sys.executable, "-c", code, str(home.root)], text=True) for _ in range(2)]

    assert [line.strip() for line in told] == ["True", "False"]
    found = notes.commit(orders.unfinished)
    assert [(order.key, order.kind, order.text("watch")) for order in found] == [("a", "rescan", "\udce9")]


def test_an_order_before_the_first_start_makes_the_journal(home: Home) -> None:
    assert orders.put(home, key="a", kind="pause", body={})
    assert home.sync_database.exists()


def test_many_may_make_the_journal_at_the_same_moment(tmp_path: Path) -> None:
    refused: list[Exception] = []
    for number in range(40):
        together = threading.Barrier(6, timeout=60)

        def make(path: Path, together: threading.Barrier) -> None:
            together.wait()
            try:
                database.connect(path).close()
            except errors.JournalBroken as error:
                refused.append(error)

        makers = [threading.Thread(target=make, args=(tmp_path / f"{number}.db", together)) for _ in range(6)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()

    assert refused == []


def test_an_unknown_order_is_refused_with_what_there_is(home: Home) -> None:
    with pytest.raises(lib_errors.Invalid) as caught:
        orders.put(home, key="a", kind="dance", body={})

    assert "set" in caught.value.hint


def test_a_journal_of_a_newer_version_is_left_alone(home: Home) -> None:
    connection = sqlite3.connect(home.sync_database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(errors.JournalBroken, match="newer version"):
        journal.Journal(home.sync_database)


def test_a_file_that_is_no_journal_is_told_in_a_sentence(home: Home) -> None:
    home.sync_database.write_bytes(b"this is no database, it is a text" * 100)

    with pytest.raises(errors.JournalBroken, match=r"sync\.db"):
        journal.Journal(home.sync_database)


def test_nothing_was_ever_written_means_nothing_to_tell(home: Home) -> None:
    assert queries.transfers(home) == []
    assert queries.changes(home, after=7) == queries.Changes(cursor=7, transfers=())


def test_changes_are_told_once_and_the_latest_wins(home: Home, notes: journal.Journal) -> None:
    row = notes.commit(lambda db: paths.observe(db, SIGHT))
    first = queries.changes(home)
    notes.commit(lambda db: paths.settle(db, row))
    notes.commit(lambda db: paths.observe(db, SIGHT))

    second = queries.changes(home, after=first.cursor)

    assert [(each.path, each.state) for each in first.transfers] == [("caf\\xe9", PathState.SETTLING)]
    assert [(each.path, each.state) for each in second.transfers] == [("caf\\xe9", PathState.READY)]
    assert queries.changes(home, after=second.cursor).transfers == ()


def test_a_version_that_came_while_the_older_was_sent_is_not_lost(notes: journal.Journal) -> None:
    def story(db: sqlite3.Connection) -> PathState:
        row = paths.observe(db, SIGHT)
        paths.settle(db, row)
        generation = paths.begin(db, get(db, row.id), VERSION)
        paths.observe(db, paths.Sight("inbox", "cloud", b"caf\xe9", b"/inbox/caf\xe9", NEWER))
        assert not paths.settle(db, get(db, row.id))
        paths.finish(db, get(db, row.id), generation=generation, fingerprint=VERSION)
        assert get(db, row.id).state is PathState.SETTLING
        paths.settle(db, get(db, row.id))
        return get(db, row.id).state

    assert notes.commit(story) is PathState.READY


def test_a_move_that_the_table_does_not_know_is_refused(notes: journal.Journal) -> None:
    def story(db: sqlite3.Connection) -> None:
        paths.begin(db, paths.observe(db, SIGHT)._replace(state=PathState.HELD), VERSION)

    with pytest.raises(errors.JournalBroken, match="held to sending"):
        notes.commit(story)


def test_a_next_try_far_in_the_future_is_the_work_of_a_clock(home: Home, notes: journal.Journal) -> None:
    row = notes.commit(lambda db: paths.observe(db, SIGHT))
    lane = paths.Lane("cloud", frozenset({"inbox"}), 0, 100)
    notes.commit(lambda db: db.execute("UPDATE paths SET state = 'waiting', action = 'send', next_try_at = 1e11"))

    with database.reading(home.sync_database) as db:
        assert db is not None
        assert [found.id for found in paths.due(db, lane, limit=10)] == [row.id]


def test_a_pause_takes_rows_out_at_every_scope(home: Home, notes: journal.Journal) -> None:
    row = notes.commit(lambda db: paths.observe(db, SIGHT))
    notes.commit(lambda db: paths.settle(db, row))
    lane = paths.Lane("cloud", frozenset({"inbox"}), 0, 100)
    for scope in [("", "", b""), ("inbox", "", b""), ("", "cloud", b""), ("inbox", "cloud", b"caf\xe9")]:
        notes.commit(lambda db, scope=scope: db.execute("INSERT INTO pauses VALUES (?, ?, ?)", scope))  # type: ignore[misc]
        assert notes.commit(lambda db: paths.due(db, lane, limit=10)) == []
        notes.commit(lambda db: db.execute("DELETE FROM pauses"))
    notes.commit(lambda db: db.execute("INSERT INTO pauses VALUES ('other', '', x'')"))

    assert len(notes.commit(lambda db: paths.due(db, lane, limit=10))) == 1


def get(db: sqlite3.Connection, row_id: int) -> paths.PathRow:
    row = paths.get(db, row_id)
    assert row is not None
    return row
