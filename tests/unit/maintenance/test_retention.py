"""Retention never chooses what is not proven, and chooses of the rest what the rules say."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.config import upkeep
from nephos.maintenance import retention
from nephos.maintenance.retention import Candidate, Held, Proven, Room
from nephos.sync.states import Proof

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOMY = Room(free_bytes=10**12)


def asset(number: int = 1, *, days: float = 10, size: int = 100, group: str = "one", **changes: object) -> Candidate:
    name = f"one/{number}/a.mp4"
    made = Candidate(
        id=number,
        title=f"asset {number}",
        group=group,
        is_delivered=True,
        is_kept=False,
        delivered_at=NOW - timedelta(days=days),
        files=[Held(name, size, "ab" * 32)],
        receipts=[Proven("tv", "archive", name, size, "ab" * 32, Proof.SERVER)],
        wanted={"tv": ["archive"]},
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def going(*assets: Candidate, rules: upkeep.Retention, room: Room = ROOMY) -> list[int]:
    return [one.id for one in retention.plan(assets, settings=rules, now=NOW, room=room) if one.goes]


def test_what_was_delivered_long_ago_goes() -> None:
    rules = upkeep.Retention(keep_days=5)

    assert going(asset(1, days=6), asset(2, days=4), rules=rules) == [1]


def test_the_newest_of_each_channel_stay() -> None:
    rules = upkeep.Retention(keep_count=2)
    many = [asset(number, days=number, group="one") for number in (1, 2, 3, 4)] + [asset(9, days=9, group="two")]

    assert going(*many, rules=rules) == [3, 4]


def test_an_asset_that_cannot_go_counts_among_those_that_are_kept() -> None:
    rules = upkeep.Retention(keep_count=1)

    assert going(asset(1, days=1, is_kept=True), asset(2, days=2), rules=rules) == [2]


def test_the_oldest_go_until_there_is_room_and_no_more() -> None:
    rules = upkeep.Retention(free_bytes=250)
    many = [asset(number, days=number) for number in (1, 2, 3, 4)]

    assert going(*many, rules=rules, room=Room(free_bytes=100, wanted_bytes=250)) == [3, 4]
    assert going(*many, rules=rules, room=Room(free_bytes=250, wanted_bytes=250)) == []


def test_what_age_frees_counts_for_the_room() -> None:
    rules = upkeep.Retention(keep_days=3.5, free_bytes=200)
    many = [asset(number, days=number) for number in (1, 2, 3, 4)]

    assert going(*many, rules=rules, room=Room(free_bytes=100, wanted_bytes=200)) == [4]


def test_nothing_goes_where_no_rule_is_set() -> None:
    assert going(asset(1, days=9999), rules=upkeep.Retention()) == []


def test_what_was_delivered_just_now_stays_even_without_room() -> None:
    rules = upkeep.Retention(least_hours=24, keep_days=0.1, free_bytes=10**9)

    assert going(asset(1, days=0.9), rules=rules, room=Room(free_bytes=0, wanted_bytes=10**9)) == []


def test_a_watch_may_have_rules_of_its_own_and_of_two_the_longer_counts() -> None:
    rules = upkeep.Retention(
        keep_days=1, watch={"tv": upkeep.Keep(keep_days=30), "copy": upkeep.Keep(keep_days=5), "all": upkeep.Keep()}
    )

    def of(number: int, *watches: str) -> Candidate:
        receipts = [Proven(w, "archive", f"one/{number}/a.mp4", 100, "ab" * 32, Proof.SERVER) for w in watches]
        return asset(number, days=10, wanted={w: ["archive"] for w in watches}, receipts=receipts)

    many = [of(1, "tv"), of(2, "copy"), of(3, "tv", "copy"), of(4, "else"), of(5, "copy", "all")]
    assert sorted(going(*many, rules=rules)) == [2, 4]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"is_kept": True}, "kept"),
        ({"is_delivered": False}, "not delivered"),
        ({"delivered_at": None}, "not delivered"),
        ({"is_elsewhere": True}, "watched folder"),
        ({"files": []}, "no files"),
        ({"wanted": {}}, "no watch"),
        ({"wanted": {"tv": []}}, "no watch"),
        ({"wanted": {"tv": ["archive", "vault"]}}, "no receipt of vault"),
        ({"wanted": {"tv": ["archive"], "copy": ["archive"]}}, "no receipt"),
        ({"receipts": []}, "no receipt"),
        ({"receipts": [Proven("tv", "archive", "one/1/a.mp4", 100, "ab" * 32, Proof.TRANSPORT)]}, "transport"),
        ({"receipts": [Proven("tv", "archive", "one/1/a.mp4", 100, "ab" * 32, Proof.SENT)]}, "read back"),
        ({"receipts": [Proven("tv", "archive", "one/1/a.mp4", 100, "cd" * 32, Proof.SERVER)]}, "not what is here"),
        ({"receipts": [Proven("tv", "archive", "one/1/a.mp4", 99, "ab" * 32, Proof.SERVER)]}, "not what is here"),
        ({"receipts": [Proven("tv", "archive", "one/1/a.mp4", 100, "", Proof.SERVER)]}, "no checksum"),
        ({"files": [Held("one/1/a.mp4", 100, "")]}, "not what is here"),
    ],
)
def test_what_is_not_proven_stays_and_says_why(changes: dict[str, object], word: str) -> None:
    rules = upkeep.Retention(keep_days=1, keep_count=1, free_bytes=10**15)
    verdict = retention.plan(
        [asset(**changes)],  # type: ignore[arg-type]
        settings=rules,
        now=NOW,
        room=Room(free_bytes=0, wanted_bytes=10**15),
    )[0]

    assert not verdict.goes
    assert word in verdict.reason


def fully_proven(one: Candidate) -> bool:
    """The promise, told in another way than the planner does."""
    good = {
        (receipt.watch, receipt.destination, receipt.name, receipt.size_bytes, receipt.sha256)
        for receipt in one.receipts
        if receipt.proof in ("server", "read-back")
    }
    needed = {
        (watch, place, file.name, file.size_bytes, file.sha256)
        for watch, places in one.wanted.items()
        for place in places
        for file in one.files
    }
    return bool(needed) and needed <= good and one.is_delivered and not one.is_kept and not one.is_elsewhere


NAMES = st.sampled_from(["a", "b"])
SUMS = st.sampled_from(["", "ab" * 32, "cd" * 32])
SIZES = st.sampled_from([0, 1, 100])
CANDIDATES = st.builds(
    Candidate,
    id=st.integers(1, 10**6),
    title=st.just("t"),
    group=NAMES,
    is_delivered=st.booleans(),
    is_kept=st.booleans(),
    delivered_at=st.none() | st.integers(0, 10**4).map(lambda hours: NOW - timedelta(hours=hours)),
    files=st.lists(st.builds(Held, NAMES, SIZES, SUMS), max_size=2, unique_by=lambda file: file.name),
    receipts=st.lists(
        st.builds(Proven, NAMES, NAMES, NAMES, SIZES, SUMS, st.sampled_from(Proof)),
        max_size=6,
        unique_by=lambda one: (one.watch, one.destination, one.name),
    ),
    wanted=st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
    is_elsewhere=st.booleans(),
)
RULES = st.builds(
    upkeep.Retention,
    keep_days=st.sampled_from([0, 0.001, 5]),
    keep_count=st.integers(0, 2),
    free_bytes=st.just(0),
    least_hours=st.sampled_from([0, 1, 100]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CANDIDATES, max_size=6, unique_by=lambda one: one.id), RULES, st.integers(0, 10**6))
def test_never_is_anything_chosen_without_full_proof(
    assets: list[Candidate], rules: upkeep.Retention, wanted: int
) -> None:
    verdicts = retention.plan(assets, settings=rules, now=NOW, room=Room(0, wanted))

    assert {one.id for one in verdicts} == {one.id for one in assets}
    table = {one.id: one for one in assets}
    assert all(fully_proven(table[one.id]) for one in verdicts if one.goes)
    assert all(one.reason for one in verdicts)
