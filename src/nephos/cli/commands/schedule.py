"""`nephos schedule`: what is recorded when."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation, given
from nephos.lib import text

LIST = Operation("GET", "/schedules")
ADD = Operation("POST", "/schedules")
SHOW = Operation("GET", "/schedules/{ref}")
EDIT = Operation("PATCH", "/schedules/{ref}")
REMOVE = Operation("DELETE", "/schedules/{ref}")
NEXT = Operation("GET", "/schedules/{ref}/preview")
TRY = Operation("POST", "/schedules/preview")
ENABLE = Operation("POST", "/schedules/{ref}/enable")
DISABLE = Operation("POST", "/schedules/{ref}/disable")

app = lazy.noun("What is recorded when.")

Ref = Annotated[str, typer.Argument(help="Id, name, or the start of a name.", show_default=False)]
At = Annotated[str | None, typer.Option(help="Wall-clock time, 20:30 or 20:30:15.")]
Zone = Annotated[str | None, typer.Option(help="IANA time zone; else the channel's, else this machine's.")]
Duration = Annotated[str | None, typer.Option(help="Length, for example 30m or 1h30m.")]
Days = Annotated[str | None, typer.Option(help="mon,wed,fri or mon-fri, daily, weekdays, weekend.")]
Every = Annotated[str | None, typer.Option(help="Every `3 days` or `2 weeks`, counted from --date, else from today.")]
Rule = Annotated[str | None, typer.Option(help="RFC 5545 recurrence rule, for example FREQ=MONTHLY;BYDAY=1MO.")]
Except = Annotated[list[str] | None, typer.Option("--except", help="Not on this date; may be repeated; `none` clears.")]
Also = Annotated[list[str] | None, typer.Option(help="Also on this date; may be repeated; `none` clears.")]
Date = Annotated[str | None, typer.Option(help="Once on this day, 2026-11-23; with --days the first day.")]
Until = Annotated[str | None, typer.Option(help="The last day.")]
Before = Annotated[str | None, typer.Option(help="Start so much earlier, for example 1m.")]
After = Annotated[str | None, typer.Option(help="End so much later.")]
Pipeline = Annotated[str | None, typer.Option(help="Pipeline for its recordings; `none` for none.")]
Priority = Annotated[int | None, typer.Option(help="-100 to 100; more goes first.")]
Tag = Annotated[list[str] | None, typer.Option(help="A tag for its recordings; may be repeated.")]
Count = Annotated[int, typer.Option(min=1, max=100, help="How many.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("CHANNEL", "channel"),
    ("RULE", "words"),
    ("NEXT", shown.moment("next_at")),
    ("ENABLED", "enabled"),
]
FIELDS: list[output.Column] = [
    ("id", "id"),
    ("name", "name"),
    ("channel", "channel"),
    ("rule", "words"),
    ("zone", "zone_in_force"),
    ("warning", "warning"),
    ("next", shown.moment("next_at")),
    ("pipeline", "pipeline"),
    ("priority", "priority"),
    ("tags", "tags"),
    ("enabled", "enabled"),
]
RUNS: list[output.Column] = [
    ("LOCAL", "local"),
    ("UTC", shown.utc("starts_at")),
    ("ENDS (UTC)", shown.utc("ends_at")),
    ("NOTE", "note"),
]


@app.command("list")
def list_(*, channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None) -> None:
    """List the schedules."""
    found = LIST(query={"channel": channel})
    output.rows(found, COLUMNS, empty="There are no schedules yet; `nephos schedule add` adds one.")


@app.command()
def show(schedule: Ref) -> None:
    """Show a schedule and its next runs."""
    output.one(SHOW(schedule), FIELDS)
    if not options.current.json:
        _print_runs(NEXT(schedule, query={"count": 5}))


@app.command()
def add(  # noqa: PLR0913 - the fields of a schedule
    channel: Annotated[str, typer.Argument(help="Channel to record.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="What people call it.")],
    at: Annotated[str, typer.Option(help="Wall-clock time, 20:30 or 20:30:15.")],
    duration: Annotated[str, typer.Option(help="Length, for example 30m or 1h30m.")],
    zone: Zone = None,
    days: Days = None,
    every: Every = None,
    rule: Rule = None,
    except_: Except = None,
    also: Also = None,
    date: Date = None,
    until: Until = None,
    padding_before: Before = None,
    padding_after: After = None,
    pipeline: Pipeline = None,
    priority: Priority = None,
    tag: Tag = None,
) -> None:
    """Add a schedule: --days for a weekly one, --date for one airing."""
    body = given(
        **_rule(at, zone, duration, days, date, until),
        **_days(every, rule, except_, also),
        **_padding(padding_before, padding_after),
        channel=channel,
        name=name,
        pipeline=pipeline,
        priority=priority,
        tags=tag,
    )
    _tell(ADD(body=body), "is added")


@app.command()
def edit(  # noqa: PLR0913 - the fields of a schedule
    schedule: Ref,
    *,
    channel: Annotated[str | None, typer.Option(help="Another channel.")] = None,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    at: At = None,
    duration: Duration = None,
    zone: Zone = None,
    days: Days = None,
    every: Every = None,
    rule: Rule = None,
    except_: Except = None,
    also: Also = None,
    date: Date = None,
    until: Until = None,
    padding_before: Before = None,
    padding_after: After = None,
    pipeline: Pipeline = None,
    priority: Priority = None,
    tag: Tag = None,
) -> None:
    """Change a schedule; airings that have begun keep what they were promised."""
    body = given(
        **_rule(at, zone, duration, days, date, until),
        **_days(every, rule, except_, also),
        **_padding(padding_before, padding_after),
        channel=channel,
        name=name,
        pipeline=pipeline,
        priority=priority,
        tags=tag,
    )
    _tell(EDIT(schedule, body=body), "is changed")


@app.command()
def remove(schedule: Ref) -> None:
    """Remove a schedule; what it recorded stays."""
    REMOVE(schedule)
    output.done({"removed": schedule}, f"Schedule {schedule} is removed.")


@app.command()
def enable(schedule: Ref) -> None:
    """Let a schedule record again."""
    _tell(ENABLE(schedule), "is enabled")


@app.command()
def disable(schedule: Ref) -> None:
    """Let a schedule rest."""
    made = DISABLE(schedule)
    output.done(made, f"Schedule {made['name']} is disabled.")


@app.command()
def preview(  # noqa: PLR0913 - the fields of a rule
    schedule: Annotated[str, typer.Argument(help="An existing schedule; leave it out to try a rule.")] = "",
    *,
    channel: Annotated[str | None, typer.Option(help="Whose zone counts if none is given.")] = None,
    at: At = None,
    duration: Duration = None,
    zone: Zone = None,
    days: Days = None,
    every: Every = None,
    rule: Rule = None,
    except_: Except = None,
    also: Also = None,
    date: Date = None,
    until: Until = None,
    padding_before: Before = None,
    padding_after: After = None,
    count: Count = 10,
) -> None:
    """Show when a schedule, or a rule that does not exist yet, would air."""
    if schedule:
        found = NEXT(schedule, query={"count": count})
    else:
        times = _rule(at, zone, duration, days, date, until)
        more = {**_days(every, rule, except_, also), **_padding(padding_before, padding_after)}
        body = given(**times, **more, channel=channel, count=count)
        found = TRY(body=body)
    if options.current.json:
        output.as_json(found)
    else:
        _print_runs(found)


def _rule(
    at: str | None, zone: str | None, duration: str | None, days: str | None, date: str | None, until: str | None
) -> dict[str, object]:
    return given(start=at, zone=zone, duration_seconds=_seconds(duration), weekdays=days, date=date, until=until)


def _days(
    every: str | None, rule: str | None, not_on: list[str] | None, also_on: list[str] | None
) -> dict[str, object]:
    return given(every=every, rule=rule, not_on=not_on, also_on=also_on)


def _padding(before: str | None, after: str | None) -> dict[str, object]:
    return given(padding_before_seconds=_seconds(before), padding_after_seconds=_seconds(after))


def _seconds(length: str | None) -> float | None:
    return text.parse_duration(length).total_seconds() if length is not None else None


def _tell(schedule: dict[str, Any], what: str) -> None:
    if options.current.json:
        output.as_json(schedule)
        return
    output.say(f"Schedule {schedule['name']} {what} (id {schedule['id']}).")
    _print_runs(NEXT(schedule["id"], query={"count": 3}))


def _print_runs(found: dict[str, Any]) -> None:
    output.say(f"{found['words']}.")
    if found.get("warning"):
        output.say(str(found["warning"]))
    output.rows(found["airings"], RUNS, empty="It never airs again.")
    for one in found["clock_changes"]:
        output.say(f"Clocks change: {one['local']}. {one['note']}")
