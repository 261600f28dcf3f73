"""`nephos record CHANNEL`: record at once, and follow it to its end if asked to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, progress, shown
from nephos.cli.commands import asset, booking, watch
from nephos.cli.operations import Operation, given
from nephos.lib import clock, errors, ports, text
from nephos.lib.errors import ExitCode

RECORD = Operation("POST", "/record")

app = lazy.single()

_LOOK_EVERY_SECONDS = 0.5
_FAILED = frozenset({"failed", "empty"})
_VERDICTS = {"complete": ExitCode.DONE, "empty": ExitCode.FAILED, "missed": ExitCode.FAILED}


@app.command()
def record(
    channel: Annotated[str, typer.Argument(help="Channel to record.", show_default=False)],
    *,
    duration: Annotated[str, typer.Option(help="Length, for example 20s or 1h30m.", show_default=False)],
    from_: Annotated[
        str | None, typer.Option("--from", help="20:00 (the nearest), -30m, or a moment; the past needs a buffer.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is processed and delivered.")] = False,
    timeout: Annotated[str, typer.Option(help="With --wait: how long to stay at most.")] = "24h",
) -> int | None:
    """Record a channel now."""
    patience = text.parse_duration(timeout).total_seconds()
    seconds = text.parse_duration(duration).total_seconds()
    body = given(channel=channel, duration_seconds=seconds, title=title, start=from_)
    made = RECORD(body=body)
    if not wait:
        when = "is being recorded" if from_ is None else f"is recorded from {shown.local(made['starts_at'])}"
        output.done(made, f"{made['title']} {when} (booking {made['id']}).")
        return None
    found = _follow(made, deadline=clock.monotonic() + patience)
    return _report(found)


def _follow(made: dict[str, Any], *, deadline: float) -> dict[str, Any]:
    """The booking, or its asset once there is one, when nothing more will happen to it. Raises TimedOut."""
    delivered = any(row["enabled"] and row["sets"] for row in watch.LIST())
    with progress.Journey(made) as journey:
        while True:
            airing = booking.SHOW(made["id"])
            found = asset.SHOW(airing["asset_id"]) if airing.get("asset_id") else None
            journey.show(airing, found)
            if _is_over(airing, found, delivered=delivered):
                return dict(found or airing)
            if clock.monotonic() > deadline:
                raise errors.TimedOut(
                    f"{made['title']} is still {(found or airing)['state']}.", hint="It goes on without this command."
                )
            ports.pause(_LOOK_EVERY_SECONDS)


def _is_over(airing: dict[str, Any], found: dict[str, Any] | None, *, delivered: bool) -> bool:
    if found is None:
        return airing["state"] in ("missed", "skipped", "cancelled")
    last = "delivered" if delivered else "processed"
    return found["state"] in _FAILED or found["state"] in (last, "delivered")


def _report(found: dict[str, Any]) -> int:
    if options.current.json:
        output.as_json(found)
    verdict = (found.get("recording") or {}).get("verdict", "")
    reason = (found.get("recording") or found).get("reason") or found.get("reason") or ""
    words = f" ({verdict.replace('_', ' ')})" if verdict else ""
    output.say(f"{found['title']} is {found['state']}{words}. {reason}".rstrip())
    if found["state"] in _FAILED or not verdict:
        return ExitCode.FAILED
    return _VERDICTS.get(verdict, ExitCode.PARTLY)
