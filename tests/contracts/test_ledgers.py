"""One suite for every way to the ledger: in process, over HTTP, and the fake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import pytest
from django.db import connections

from nephos.client import http
from nephos.client import ledger as client_ledger
from nephos.config.secret import Secret
from nephos.farm import dispatcher, ledger, local_ledger, queries, services
from nephos.farm.models import Attempt, Task
from nephos.lib import clock, errors, ids
from tests.fakes import ledger as fakes
from tests.support import farm

pytestmark = pytest.mark.django_db(transaction=True)


class Station(Protocol):
    """The other side: makes attempts and looks at what became of them."""

    def dispatch(self, worker: str) -> str: ...
    def end(self, attempt: str, state: str) -> None: ...
    def let_lease_run_out(self, attempt: str) -> None: ...
    def seen(self, attempt: str) -> dict[str, Any]: ...


@dataclass
class Real:
    def dispatch(self, worker: str) -> str:
        job = services.submit(name="j", template=farm.template({"Only": ""}), parameters={"Folder": "/f"})
        made = dispatcher._new_attempt(Task.objects.get(job=job).pk, worker)
        assert made is not None
        return made

    def end(self, attempt: str, state: str) -> None:
        if state == "cancelled":
            services.cancel(job=Attempt.objects.get(pk=attempt).task.job)
        else:
            assert dispatcher.take_back(Attempt.objects.select_related("task__job", "task__step").get(pk=attempt))

    def let_lease_run_out(self, attempt: str) -> None:
        Attempt.objects.filter(pk=attempt).update(lease_until=clock.now() - timedelta(seconds=1))

    def seen(self, attempt: str) -> dict[str, Any]:
        row = Attempt.objects.select_related("task").get(pk=attempt)
        return {
            "state": row.state,
            "lines": [line.removeprefix("Only: ") for line in queries.job_log(row.task.job_id)],
            "progress": (row.task.progress, row.task.status_text),
            "outputs": row.outputs,
            "reason": row.reason,
            "exit_code": row.exit_code,
            "counted": row.task.tries,
        }


@dataclass
class Fake:
    book: fakes.MemoryLedger

    def dispatch(self, worker: str) -> str:
        attempt = ids.new()
        self.book.add(ledger.Assignment(attempt, "j", "j", "Only", 0, "", {"Folder": "/f"}, "/a", 30), worker=worker)
        return attempt

    def end(self, attempt: str, state: str) -> None:
        self.book.end(attempt, state)

    def let_lease_run_out(self, attempt: str) -> None:
        self.book.rows[attempt].until = 0.0

    def seen(self, attempt: str) -> dict[str, Any]:
        row = self.book.rows[attempt]
        reason, code, retry = row.failure or ("", None, True)
        return {
            "state": row.state,
            "lines": row.lines,
            "progress": row.progress,
            "outputs": row.outputs,
            "reason": reason,
            "exit_code": code,
            "counted": int(not retry),
        }


def _answer(verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return local_ledger.answer(verb, body)
    finally:
        connections.close_all()  # of the server's thread


@pytest.fixture(params=["in process", "http", "fake", "fake over http"])
def sides(request: pytest.FixtureRequest) -> Iterator[tuple[ledger.Ledger, Station]]:
    book = fakes.MemoryLedger()
    if request.param == "in process":
        yield local_ledger.LocalLedger(), Real()
    elif request.param == "fake":
        yield book, Fake(book)
    else:
        real = request.param == "http"
        with fakes.served(_answer if real else fakes.answer(book)) as url:
            yield remote(url), Real() if real else Fake(book)


def remote(url: str, token: str = fakes.TOKEN) -> client_ledger.Ledger:
    client = http.Client(http.Remote(url, Secret(token), timeout=timedelta(seconds=5)))
    return client_ledger.Ledger(client, assignment=ledger.Assignment)


OUTPUT = ledger.Output("text", "sub/a.txt", 3, "00", {"language": "en"})


def test_an_attempt_goes_from_claim_to_commit(sides: tuple[ledger.Ledger, Station]) -> None:
    book, station = sides
    attempt = station.dispatch("w1")

    assignment = book.claim(attempt, worker="w1")
    renewed = book.renew(attempt)
    book.log(attempt, ["one", "two"])
    book.log(attempt, ["three"])
    book.progress(attempt, fraction=0.25, text="at it")
    middle = station.seen(attempt)
    committed = book.commit(attempt, [OUTPUT])

    assert assignment is not None
    assert (assignment.attempt, assignment.step, assignment.number, assignment.parameters["Folder"]) == (
        attempt,
        "Only",
        0,
        "/f",
    )
    assert renewed
    assert committed
    assert (middle["lines"], middle["progress"]) == (["one", "two", "three"], (0.25, "at it"))
    assert station.seen(attempt)["outputs"] == [OUTPUT.plain()]
    assert station.seen(attempt)["state"] == "done"


def test_a_second_claim_is_fenced(sides: tuple[ledger.Ledger, Station]) -> None:
    book, station = sides
    attempt = station.dispatch("w1")

    answers = [book.claim(attempt, worker=worker) for worker in ("w2", "w1", "w1", "w2")]

    assert [answer is not None for answer in answers] == [False, True, False, False]


def test_an_unknown_attempt_is_fenced_everywhere(sides: tuple[ledger.Ledger, Station]) -> None:
    book, _ = sides

    assert book.claim("nope", worker="w1") is None
    assert not book.renew("nope")
    assert not book.commit("nope", [])
    assert not book.fail("nope", reason="", exit_code=1, retry=False)
    book.log("nope", ["x"])
    book.progress("nope", fraction=1, text="")


@pytest.mark.parametrize("state", ["cancelled", "lost"])
def test_an_attempt_that_was_taken_away_can_do_nothing_more(sides: tuple[ledger.Ledger, Station], state: str) -> None:
    book, station = sides
    attempt = station.dispatch("w1")
    book.claim(attempt, worker="w1")

    station.end(attempt, state)
    book.log(attempt, ["late"])

    assert not book.renew(attempt)
    assert not book.commit(attempt, [OUTPUT])
    assert not book.fail(attempt, reason="late", exit_code=1, retry=False)
    assert station.seen(attempt)["state"] == state
    assert (station.seen(attempt)["lines"], station.seen(attempt)["outputs"]) == ([], [])


def test_a_lease_that_ran_out_cannot_be_renewed(sides: tuple[ledger.Ledger, Station]) -> None:
    book, station = sides
    attempt = station.dispatch("w1")
    book.claim(attempt, worker="w1")

    station.let_lease_run_out(attempt)

    assert not book.renew(attempt)


def test_reports_may_be_repeated_but_not_contradicted(sides: tuple[ledger.Ledger, Station]) -> None:
    book, station = sides
    done, failed = station.dispatch("w1"), station.dispatch("w1")
    book.claim(done, worker="w1")
    book.claim(failed, worker="w1")

    assert book.commit(done, [OUTPUT])
    assert book.commit(done, [OUTPUT])
    assert not book.fail(done, reason="no", exit_code=1, retry=False)
    assert book.fail(failed, reason="no", exit_code=1, retry=False)
    assert book.fail(failed, reason="no", exit_code=1, retry=False)
    assert not book.commit(failed, [])
    assert station.seen(failed) | {"lines": []} == {
        "state": "failed",
        "lines": [],
        "progress": (0.0, ""),
        "outputs": [],
        "reason": "no",
        "exit_code": 1,
        "counted": 1,
    }


def test_a_failure_that_does_not_count_costs_no_try(sides: tuple[ledger.Ledger, Station]) -> None:
    book, station = sides
    attempt = station.dispatch("w1")
    book.claim(attempt, worker="w1")

    book.fail(attempt, reason="no ffmpeg", exit_code=75, retry=True)

    assert station.seen(attempt)["counted"] == 0


def test_a_wrong_token_or_a_dead_station_is_unreachable_not_fenced() -> None:
    with fakes.served(_answer) as url, pytest.raises(errors.Unreachable):
        remote(url, "wrong").claim("x", worker="w")
    with pytest.raises(errors.Unreachable):
        remote(url).renew("x")


def test_malformed_calls_over_http_are_refused_in_words() -> None:
    for verb, body in [
        ("claim", {"attempt": "x"}),
        ("nonsense", {"attempt": "x"}),
        ("renew", {}),
        ("log", {"attempt": "x"}),
    ]:
        with pytest.raises(errors.Invalid):
            local_ledger.answer(verb, body)
    bad = {"attempt": "x", "outputs": [{"kind": "a", "path": "../b", "bytes": 1}]}
    with pytest.raises(errors.Invalid, match="does not lie in"):
        local_ledger.answer("commit", bad)
