"""Every so many days or weeks, RFC 5545 rules, exceptions; against simple models over zones and leap days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.lib import errors
from nephos.recording import fields, recurrence, rules

MADRID = "Europe/Madrid"
HOUR = timedelta(hours=1)
ZONES = [MADRID, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def rule(**more: object) -> rules.Rule:
    return rules.Rule(**{"zone": "UTC", "start": time(12), "duration": HOUR} | more)  # type: ignore[arg-type]


def days(one: rules.Rule, after: datetime, before: datetime) -> list[date]:
    zone = ZoneInfo(one.zone)
    return [found.start.astimezone(zone).date() for found in rules.occurrences(one, after, before)]


def by_days(one: rules.Rule, first: date, last: date) -> list[date]:
    """The model: every day is asked by itself whether it is one."""
    anchor = one.date or first
    found = []
    day = first
    while day <= last:
        week = (day - day.resolution * day.weekday() - anchor + anchor.resolution * anchor.weekday()).days // 7
        is_one = day >= anchor and (
            (day - anchor).days % one.every_days == 0
            if one.every_days
            else week % max(1, one.every_weeks) == 0
            and bool((one.weekdays or 1 << anchor.weekday()) >> day.weekday() & 1)
        )
        if ((is_one and (one.until is None or day <= one.until)) or day in one.also_on) and day not in one.not_on:
            found.append(day)
        day += timedelta(days=1)
    return found


@settings(max_examples=120, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.times().map(lambda t: t.replace(microsecond=0)),
    anchor=st.dates(date(2023, 12, 1), date(2028, 3, 10)),
    look=st.integers(0, 900),
    every=st.one_of(
        st.fixed_dictionaries({"every_days": st.integers(1, 40)}),
        st.fixed_dictionaries({"every_weeks": st.integers(1, 6), "weekdays": st.integers(0, 127)}),
    ),
    gone=st.sets(st.integers(0, 60), max_size=5),
    added=st.sets(st.integers(0, 60), max_size=5),
    ends=st.one_of(st.none(), st.integers(0, 900)),
)
def test_intervals_and_exceptions_agree_with_asking_every_day(  # noqa: PLR0917 - what Hypothesis varies
    zone: str,
    start: time,
    anchor: date,
    look: int,
    every: dict[str, int],
    gone: set[int],
    added: set[int],
    ends: int | None,
) -> None:
    first = anchor + timedelta(days=look)
    one = rule(
        zone=zone,
        start=start,
        date=anchor,
        until=None if ends is None else anchor + timedelta(days=ends),
        not_on=frozenset(first + timedelta(days=n) for n in gone),
        also_on=frozenset(first + timedelta(days=n) for n in added - gone),
        **every,
    )
    place = ZoneInfo(zone)
    after = datetime.combine(first, time(), tzinfo=place).astimezone(UTC)
    before = after + timedelta(days=60)

    found = {
        moment.start
        for moment in rules.occurrences(one, after - timedelta(days=3), before + timedelta(days=3))
        if after <= moment.start < before
    }

    model = {
        rules.moment(datetime.combine(day, start), place)[0]
        for day in by_days(one, first - timedelta(days=3), first + timedelta(days=64))
    }
    assert found == {moment for moment in model if after <= moment < before}


@settings(max_examples=80, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    freq=st.sampled_from(["DAILY", "WEEKLY"]),
    interval=st.integers(1, 9),
    start=st.times().map(lambda t: t.replace(microsecond=0)),
    anchor=st.dates(date(2019, 1, 1), date(2026, 1, 1)),
    look=st.integers(0, 3000),
)
def test_a_rule_of_long_ago_gives_the_same_days_as_the_interval_it_means(
    zone: str, freq: str, interval: int, start: time, anchor: date, look: int
) -> None:
    unit = {"DAILY": "every_days", "WEEKLY": "every_weeks"}[freq]
    text = recurrence.read(f"freq={freq};interval={interval}")
    after = datetime.combine(anchor + timedelta(days=look), time(), tzinfo=UTC)
    common = {"zone": zone, "start": start, "date": anchor}

    ruled = rules.occurrences(rule(recurrence=text, **common), after, after + timedelta(days=90))

    assert ruled == rules.occurrences(rule(**{unit: interval}, **common), after, after + timedelta(days=90))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=1MO", [date(2026, 12, 7), date(2027, 1, 4), date(2027, 2, 1)]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", [date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31)]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", [date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 29)]),
        ("FREQ=DAILY;COUNT=3", [date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24)]),
        ("FREQ=WEEKLY;UNTIL=20261129", [date(2026, 11, 22), date(2026, 11, 29)]),
        ("FREQ=WEEKLY;UNTIL=20261129T110000Z", [date(2026, 11, 22)]),
        ("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", [date(2028, 2, 29)]),
    ],
)
def test_recurrence_rules_of_the_standard_are_understood(text: str, expected: list[date]) -> None:
    one = rule(recurrence=recurrence.read(text), date=date(2026, 11, 22))

    assert days(one, utc(2026, 11, 1), utc(2028, 12, 1))[: len(expected)] == expected
    assert len(rules.upcoming(one, utc(2026, 11, 1), count=3)) == min(
        3, len(days(one, utc(2026, 11, 1), utc(2032, 1, 1)))
    )


def test_a_rule_with_hours_airs_at_its_own_times() -> None:
    one = rule(recurrence=recurrence.read("FREQ=DAILY;BYHOUR=6,18"), start=time(0, 30), date=date(2026, 11, 22))

    found = [moment.start for moment in rules.occurrences(one, utc(2026, 11, 22), utc(2026, 11, 23))]

    assert found == [utc(2026, 11, 22, 6, 30), utc(2026, 11, 22, 18, 30)]


@pytest.mark.parametrize(("night", "starts"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 24)])
def test_an_hourly_rule_never_airs_twice_at_one_moment(night: date, starts: int) -> None:
    one = rule(zone=MADRID, recurrence=recurrence.read("FREQ=HOURLY"), start=time(0, 30), date=date(2026, 1, 1))
    midnight = datetime.combine(night, time(), tzinfo=ZoneInfo(MADRID)).astimezone(UTC)
    hours = 23 if night.month == 3 else 25

    found = [m.start for m in rules.occurrences(one, midnight, midnight + hours * HOUR) if m.start >= midnight]

    assert len(found) == len(set(found)) == starts


@pytest.mark.parametrize(
    "text",
    [
        "daily",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;BYSECOND=1,2,3",
        "FREQ=HOURLY;BYMINUTE=" + ",".join(str(n) for n in range(60)),
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;DTSTART=20260101T000000",
        "FREQ=DAILY\nEXRULE:FREQ=DAILY",
        "FREQ=DAILY;BYDAY=",
        "FREQ=DAILY;=",
        "x" * 500,
    ],
)
def test_bad_and_endless_rules_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        recurrence.read(text)

    assert len(caught.value.message) < 200


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.tuples(
                st.sampled_from("FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTHDAY BYSETPOS BYHOUR BYMINUTE X".split()),  # noqa: SIM905
                st.one_of(
                    st.sampled_from(["DAILY", "WEEKLY", "MO", "-1SU", "0", "-5", "99", "20270101", "1,2", ""]),
                    st.text(max_size=6),
                ),
            ),
            max_size=5,
        ).map(lambda pairs: ";".join(f"{key}={value}" for key, value in pairs)),
    )
)
def test_anything_is_either_read_or_refused(text: str) -> None:
    try:
        kept = recurrence.read(text)
    except errors.Invalid:
        return

    assert recurrence.read(kept) == kept
    if kept:
        assert recurrence.words(kept).startswith("Every")
        assert len(rules.upcoming(rule(recurrence=kept, date=date(2026, 11, 22)), utc(2026, 11, 22), count=2)) <= 2


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            rule(every_days=3, date=date(2026, 11, 22)),
            "Every 3 days at 12:00 UTC, for 1h, from Sunday 22 November 2026",
        ),
        (
            rule(every_weeks=2, weekdays=0b101, date=date(2026, 11, 23)),
            "Every 2 weeks on Monday and Wednesday at 12:00 UTC, for 1h, from Monday 23 November 2026",
        ),
        (
            rule(recurrence="FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO,-1SU"),
            "Every 2 months on the first Monday and the last Sunday at 12:00 UTC, for 1h",
        ),
        (
            rule(weekdays=rules.EVERY_DAY, not_on=frozenset({date(2026, 12, 25)})),
            "Every day at 12:00 UTC, for 1h, not on Friday 25 December 2026",
        ),
        (
            rule(recurrence="FREQ=DAILY;BYHOUR=6,18;COUNT=10"),
            "Every day in hour 6 and 18 10 times in all at their times from 12:00 UTC, for 1h",
        ),
    ],
)
def test_the_new_kinds_can_be_said_in_words(one: rules.Rule, sentence: str) -> None:
    assert rules.words(one) == sentence


def test_nights_on_which_clocks_change_are_foreseen() -> None:
    early = rule(zone=MADRID, start=time(2, 30), weekdays=rules.EVERY_DAY)
    across = rule(zone=MADRID, start=time(0, 30), weekdays=rules.EVERY_DAY, duration=3 * HOUR)
    noon = rule(zone=MADRID, weekdays=rules.EVERY_DAY)
    now = utc(2026, 11, 22)

    assert [one.start.date() for one in rules.changes_of_clocks(early, now)] == [date(2027, 3, 28), date(2027, 10, 31)]
    assert [one.note for one in rules.changes_of_clocks(across, now)] == [
        "The clocks change while it airs: it ends at 04:30:00, after 3h.",
        "The clocks change while it airs: it ends at 02:30:00, after 3h.",
    ]
    assert rules.changes_of_clocks(noon, now) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [("3 days", "3 days"), ("1 day", "1 days"), ("2w", "2 weeks"), (" 10D ", "10 days"), ("", ""), ("none", "")],
)
def test_intervals_are_read(text: str, kept: str) -> None:
    assert fields.read_every(text) == kept


@pytest.mark.parametrize("text", ["0 days", "3", "days", "367 days", "2 months", "-1 days", "\u0661 days"])
def test_bad_intervals_are_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        fields.read_every(text)


def test_dates_are_kept_once_and_in_order() -> None:
    assert fields.read_days("2026-12-26, 2026-12-25 2026-12-25") == ["2026-12-25", "2026-12-26"]
    assert fields.read_days([]) == fields.read_days(["none"]) == fields.read_days("none") == []
    with pytest.raises(errors.Invalid):
        fields.read_days(["25.12.2026"])


def test_naming_one_kind_of_days_puts_the_other_kinds_away() -> None:
    assert fields.columns({"rule": "FREQ=DAILY"}) == {"weekdays": 0, "every": "", "recurrence": "FREQ=DAILY"}
    assert fields.columns({"every": "3d"}) == {"weekdays": 0, "every": "3 days", "recurrence": ""}
    assert fields.columns({"every": "2w", "weekdays": "mon"}) == {"weekdays": 1, "every": "2 weeks", "recurrence": ""}
