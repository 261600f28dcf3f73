"""The log and the one way to change a state."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from nephos.core import errors
from nephos.events import kinds, log, moves
from nephos.library import services
from nephos.library.models import Asset
from nephos.library.states import AssetState

pytestmark = pytest.mark.django_db


def event(name: str = "A") -> kinds.ChannelAdded:
    return kinds.ChannelAdded(subject="channel:1", channel=name)


def asset() -> Asset:
    return services.begin_fileset(key="k", title="Film", watch="inbox", stem="film", pipeline="archive")


def test_an_event_is_kept_with_its_sentence_and_facts() -> None:
    log.emit(event("Demo {TV}"), actor="owner")

    (entry,) = log.read()
    assert entry.text == "Channel Demo {TV} was added."
    assert entry.data == {"channel": "Demo {TV}"}
    assert (entry.kind, entry.subject, entry.actor) == ("channel.added", "channel:1", "owner")


def test_the_same_uid_is_kept_once() -> None:
    for _ in range(3):
        log.emit(event(), uid="outbox:7")

    assert len(log.read()) == 1


def test_a_reader_goes_on_where_it_stopped() -> None:
    log.emit(event("A"))
    log.emit(event("B"))

    first = log.unread("flow", limit=1)
    log.tick_off("flow", upto=first[-1].id)

    assert [entry.data["channel"] for entry in log.unread("flow")] == ["B"]
    assert [entry.data["channel"] for entry in log.unread("bell")] == ["A", "B"]
    assert log.latest() == log.recent(limit=1)[0].id


def test_a_move_changes_the_state_and_writes_its_event() -> None:
    row = asset()

    services.arrive(asset=row)
    services.arrive(asset=row)

    assert Asset.objects.get().state == AssetState.ARRIVED
    assert [entry.kind for entry in log.read(subject=services.subject(row))] == ["asset.begun", "asset.arrived"]


def test_a_move_that_is_not_in_the_table_is_refused_and_writes_nothing() -> None:
    row = asset()
    before = log.latest()

    with pytest.raises(errors.ForbiddenMove):
        services.finish_delivery(asset=row)

    assert log.latest() == before
    assert Asset.objects.get().state == AssetState.ARRIVING


def test_of_two_movers_one_is_told_that_it_came_late() -> None:
    row = asset()
    same = Asset.objects.get()
    services.arrive(asset=row)

    with pytest.raises(errors.StaleState):
        moves.move(same, to=AssetState.ARRIVED, event=event())

    assert [entry.kind for entry in log.read()] == ["asset.begun", "asset.arrived"]


@pytest.mark.django_db(transaction=True)
def test_no_reader_skips_an_event_that_became_visible_late() -> None:
    """On PostgreSQL ids are handed out before commits: without turns a reader could pass by a smaller id."""
    seen: list[int] = []
    writers = [threading.Thread(target=write_25) for _ in range(4)]
    reader = threading.Thread(target=follow_to_the_end, args=(writers, seen))

    for thread in (*writers, reader):
        thread.start()
    reader.join()

    assert len(seen) == 100
    assert seen == sorted(seen)


def write_25() -> None:
    for _ in range(25):
        log.emit(event())
    connections.close_all()


def follow_to_the_end(writers: list[threading.Thread], seen: list[int]) -> None:
    over = False
    while not over:
        over = not any(writer.is_alive() for writer in writers)
        seen += [entry.id for entry in log.read(seen[-1] if seen else 0, limit=1000)]
    connections.close_all()
