"""Schedules over both daylight-saving nights, midnight, leap days and clock steps."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.recording import rules

MADRID = "Europe/Madrid"
NEW_YORK = "America/New_York"
HOUR = timedelta(hours=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def daily(zone: str, start: time, duration: timedelta = HOUR, **more: object) -> rules.Rule:
    return rules.Rule(zone=zone, start=start, duration=duration, weekdays=rules.EVERY_DAY, **more)  # type: ignore[arg-type]


def starts(rule: rules.Rule, after: datetime, before: datetime) -> list[datetime]:
    return [one.start for one in rules.occurrences(rule, after, before)]


@pytest.mark.parametrize(
    ("zone", "night", "expected"),
    [
        # Clocks go forward 02:00 -> 03:00 at 01:00 UTC: 02:30 does not exist and becomes 03:30 CEST.
        (MADRID, date(2026, 3, 29), [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0, 30)]),
        # Clocks go back 03:00 -> 02:00 at 01:00 UTC: the first 02:30 is CEST.
        (MADRID, date(2026, 10, 25), [utc(2026, 10, 24, 0, 30), utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)]),
        (NEW_YORK, date(2026, 3, 8), [utc(2026, 3, 7, 7, 30), utc(2026, 3, 8, 7, 30), utc(2026, 3, 9, 6, 30)]),
        (NEW_YORK, date(2026, 11, 1), [utc(2026, 10, 31, 6, 30), utc(2026, 11, 1, 6, 30), utc(2026, 11, 2, 7, 30)]),
    ],
)
def test_half_past_two_airs_once_on_every_night(zone: str, night: date, expected: list[datetime]) -> None:
    rule = daily(zone, time(2, 30))
    if zone == NEW_YORK and night.month == 11:
        rule = daily(zone, time(1, 30))  # there the hour from one to two comes twice
        expected = [utc(2026, 10, 31, 5, 30), utc(2026, 11, 1, 5, 30), utc(2026, 11, 2, 6, 30)]
    midnight = datetime.combine(night, time(), tzinfo=ZoneInfo(zone))

    found = rules.occurrences(rule, midnight - timedelta(hours=23), midnight + timedelta(hours=47))

    assert [one.start for one in found] == expected
    assert [bool(one.note) for one in found] == [False, True, False]
    assert all(one.end - one.start == HOUR for one in found)


def test_the_note_says_when_a_missing_time_starts_instead() -> None:
    [one] = rules.occurrences(daily(MADRID, time(2, 30)), utc(2026, 3, 29, 1), utc(2026, 3, 29, 2))

    assert one.note == "02:30:00 does not exist on that day: the clocks go forward, so it starts at 03:30:00."
    assert one.start.astimezone(ZoneInfo(MADRID)).time() == time(3, 30)


def test_the_note_says_that_the_first_of_two_is_taken() -> None:
    [one] = rules.occurrences(daily(MADRID, time(2, 30)), utc(2026, 10, 25, 0, 45), utc(2026, 10, 25, 0, 46))

    assert "comes twice" in one.note
    assert one.start.astimezone(ZoneInfo(MADRID)).fold == 0


@pytest.mark.parametrize(
    ("zone", "start", "expected_end_wall"),
    [
        (MADRID, datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 4, 30)),
        (MADRID, datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 25, 2, 30)),
        (NEW_YORK, datetime(2026, 3, 8, 1, 30), datetime(2026, 3, 8, 4, 30)),
        (NEW_YORK, datetime(2026, 11, 1, 0, 30), datetime(2026, 11, 1, 1, 30)),
    ],
)
def test_duration_counts_elapsed_seconds_over_a_change(zone: str, start: datetime, expected_end_wall: datetime) -> None:
    rule = rules.Rule(zone=zone, start=start.time(), date=start.date(), duration=timedelta(hours=2))

    [one] = rules.occurrences(rule, utc(2026, 1, 1), utc(2027, 1, 1))

    assert one.end - one.start == timedelta(hours=2)
    assert one.end.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == expected_end_wall


def test_an_airing_across_midnight_belongs_to_the_day_it_starts() -> None:
    monday_only = rules.Rule(zone=MADRID, start=time(23, 30), duration=HOUR, weekdays=1)

    [one] = rules.occurrences(monday_only, utc(2026, 11, 23, 23, 15), utc(2026, 11, 24, 10))

    assert one.start == utc(2026, 11, 23, 22, 30)
    assert one.end == utc(2026, 11, 23, 23, 30)


def test_the_twenty_ninth_of_february_is_a_day() -> None:
    once = rules.Rule(zone=MADRID, start=time(23, 59, 30), date=date(2028, 2, 29), duration=timedelta(minutes=1))
    every_tuesday = rules.Rule(zone="UTC", start=time(12), weekdays=2, duration=HOUR)

    assert starts(once, utc(2028, 2, 1), utc(2028, 4, 1)) == [utc(2028, 2, 29, 22, 59, 30)]
    assert utc(2028, 2, 29, 12) in starts(every_tuesday, utc(2028, 2, 28), utc(2028, 3, 2))
    assert starts(daily("UTC", time(12)), utc(2028, 2, 28, 13), utc(2028, 3, 1, 11)) == [utc(2028, 2, 29, 12)]
    assert starts(daily("UTC", time(12)), utc(2027, 2, 28, 13), utc(2027, 3, 1, 12, 1)) == [utc(2027, 3, 1, 12)]


def test_first_and_last_day_bound_a_repeated_rule() -> None:
    rule = daily("UTC", time(8), date=date(2026, 11, 24), until=date(2026, 11, 25))

    assert starts(rule, utc(2026, 11, 1), utc(2026, 12, 24)) == [utc(2026, 11, 24, 8), utc(2026, 11, 25, 8)]


def test_what_is_running_counts_and_what_is_over_does_not() -> None:
    rule = daily("UTC", time(8), padding_before=timedelta(minutes=2), padding_after=timedelta(minutes=3))

    assert starts(rule, utc(2026, 11, 24, 9, 2, 59), utc(2026, 11, 24, 10)) == [utc(2026, 11, 24, 8)]
    assert starts(rule, utc(2026, 11, 24, 9, 3), utc(2026, 11, 24, 10)) == []
    assert starts(rule, utc(2026, 11, 24, 6), utc(2026, 11, 24, 7, 58)) == []
    assert starts(rule, utc(2026, 11, 24, 6), utc(2026, 11, 24, 7, 58, 1)) == [utc(2026, 11, 24, 8)]


def test_a_day_that_a_zone_skipped_doubles_nothing() -> None:
    found = starts(daily("Pacific/Apia", time(12)), utc(2011, 12, 28), utc(2012, 1, 2))

    assert len(found) == len(set(found))


def test_a_stepping_clock_neither_doubles_nor_loses_an_airing() -> None:
    rule = daily(MADRID, time(2, 30), timedelta(minutes=20))
    horizon = timedelta(hours=48)
    looks = [
        utc(2026, 3, 28, 0),
        utc(2026, 3, 29, 1, 29, 59),
        utc(2026, 3, 27, 23),  # back
        utc(2026, 3, 29, 1, 30, 1),  # and forward again
        utc(2026, 3, 29, 0),
    ]

    booked = {one.start for now in looks for one in rules.occurrences(rule, now, now + horizon)}

    assert booked == set(starts(rule, min(looks), max(looks) + horizon))


def test_upcoming_finds_rare_airings_and_ends() -> None:
    rare = rules.Rule(zone="UTC", start=time(12), weekdays=1, date=date(2027, 6, 7), duration=HOUR)
    once = rules.Rule(zone="UTC", start=time(12), date=date(2020, 6, 7), duration=HOUR)

    assert [one.start for one in rules.upcoming(rare, utc(2026, 11, 22), count=2)] == [
        utc(2027, 6, 7, 12),
        utc(2027, 6, 14, 12),
    ]
    assert rules.upcoming(once, utc(2026, 11, 22), count=2) == []


@pytest.mark.parametrize(
    ("names", "zone", "warned"),
    [
        ((MADRID, NEW_YORK, "UTC"), MADRID, False),
        (("", NEW_YORK, "UTC"), NEW_YORK, False),
        (("", "", NEW_YORK), NEW_YORK, False),
        (("", "", ""), "UTC", True),
        (("", "Mars/Olympus", NEW_YORK), NEW_YORK, True),
        (("../../etc/passwd", "", ""), "UTC", True),
    ],
)
def test_the_zone_comes_from_the_nearest_that_names_one(names: tuple[str, str, str], zone: str, warned: bool) -> None:
    found, warning = rules.zone_of(*names)

    assert found == zone
    assert bool(warning) is warned


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            rules.Rule(zone=MADRID, start=time(20, 30), duration=timedelta(minutes=30), weekdays=rules.WORKING_DAYS),
            "Monday to Friday at 20:30 Europe/Madrid, for 30m",
        ),
        (
            rules.Rule(zone="UTC", start=time(6, 0, 5), duration=HOUR, date=date(2028, 2, 29)),
            "Once, on Tuesday 29 February 2028 at 06:00:05 UTC, for 1h",
        ),
        (
            daily("UTC", time(0), padding_before=timedelta(seconds=30), until=date(2026, 12, 31)),
            "Every day at 00:00 UTC, for 1h, from 30 s before to 0 s after, until Thursday 31 December 2026",
        ),
        (
            rules.Rule(zone="UTC", start=time(9), duration=HOUR, weekdays=0b1010001),
            "Monday, Friday and Sunday at 09:00 UTC, for 1h",
        ),
    ],
)
def test_a_rule_can_be_said_in_words(rule: rules.Rule, sentence: str) -> None:
    assert rules.words(rule) == sentence


def by_stepping(rule: rules.Rule, first: datetime, last: datetime) -> list[datetime]:
    """The model: walk through real minutes and look at the wall clock."""
    zone = ZoneInfo(rule.zone)
    found: dict[date, datetime] = {}
    now = first
    previous = (now - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    while now < last:
        wall = now.astimezone(zone).replace(tzinfo=None)
        wanted = datetime.combine(wall.date(), rule.start)
        if wall == wanted:
            found.setdefault(wall.date(), now)
        elif previous < wanted < wall:  # the clock jumped over it
            missed_by = wanted - (previous + timedelta(minutes=1))
            found.setdefault(wall.date(), now + missed_by)
        previous = wall
        now += timedelta(minutes=1)
    return [start for day, start in sorted(found.items()) if rule.weekdays >> day.weekday() & 1]


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from([MADRID, NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]),
    start=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    weekdays=st.integers(1, 127),
    day=st.one_of(
        st.dates(date(2024, 1, 1), date(2029, 1, 1)),
        st.sampled_from(
            [
                date(2026, 3, 29),
                date(2026, 10, 25),
                date(2026, 3, 8),
                date(2026, 11, 1),
                date(2026, 4, 5),
                date(2026, 10, 4),
                date(2024, 2, 29),
                date(2028, 2, 28),
            ]
        ),
    ),
)
def test_rules_agree_with_a_walk_through_the_minutes(zone: str, start: time, weekdays: int, day: date) -> None:
    rule = rules.Rule(zone=zone, start=start, duration=timedelta(minutes=1), weekdays=weekdays)
    first = datetime.combine(day, time(), tzinfo=UTC) - timedelta(hours=36)
    last = first + timedelta(hours=84)

    expected = [moment for moment in by_stepping(rule, first, last) if first <= moment < last]

    assert [moment for moment in starts(rule, first, last) if first <= moment] == expected


@settings(max_examples=60, deadline=None)
@given(
    start=st.times().map(lambda t: t.replace(microsecond=0)),
    cuts=st.lists(st.integers(0, 14 * 86400), min_size=1, max_size=6),
    minutes=st.integers(1, 3000),
)
def test_cutting_the_time_into_pieces_changes_nothing(start: time, cuts: list[int], minutes: int) -> None:
    rule = daily(MADRID, start, timedelta(minutes=minutes))
    base = utc(2026, 3, 20)
    edges = [base, *sorted(base + timedelta(seconds=cut) for cut in cuts), base + timedelta(days=14)]

    pieces = {one for a, b in itertools.pairwise(edges) for one in rules.occurrences(rule, a, b)}

    assert sorted(pieces) == rules.occurrences(rule, edges[0], edges[-1])
