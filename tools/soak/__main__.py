"""`python -m tools.soak MINUTES`: twenty channels, roles killed at random, senders that pause, a clock that is set."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.station import Station
from tools.soak import account, air

from nephos.client import http
from nephos.lib import errors

ROLES = ("recorder", "recorder", "keeper", "farm", "web", "sync")
SHORTEST, LONGEST = 15, 45
STEPS = (-60, -5, -3, -0.5, 0.5, 3, 5, 60)  # seconds
PLANS = ("keeper", "recorder")  # without one of them nothing new is begun
NEAR = 3.0
AWAY = "while a role was away"
JUMPED = "The clock was set over it"  # why a booking is missed whose time never was


class Soak:
    """One run."""

    def __init__(self, *, minutes: float, channels: int, seed: int, root: Path, steps_clock: bool = True) -> None:
        self.seconds = minutes * 60
        self.random = random.Random(seed)
        self.clock_file = root / "clock"
        self.clock_file.write_text("0")
        self.offset = 0.0
        self.station = Station(
            root / "home",
            NEPHOS_SOAK_CLOCK=str(self.clock_file),
            PYTHONPATH=f"{Path(__file__).parent / 'clock'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        )
        self.air = air.Air([air.Channel(number, group, air.free_port()) for number, group in air.groups(channels)])
        self.opening = ["clock -5", "kill recorder", "pause", "clock 3", "kill recorder", "kill keeper"]  # in any run
        self.kinds = ("kill", "kill", "kill", "pause", "pause", "clock")
        if not steps_clock:
            self.opening = [kind for kind in self.opening if not kind.startswith("clock")]
            self.kinds = tuple(kind for kind in self.kinds if kind != "clock")
        self.done: Counter[str] = Counter()
        self.ordered: dict[int, air.Channel] = {}
        self.gone: dict[str, float] = {}  # roles that were killed and are not back, since when
        self.absences: list[tuple[float, float]] = []  # by the station's clock
        self.busy_until = dict.fromkeys(range(channels), 0.0)
        self.api = http.Client(http.UnixSocket(self.station.root / "run/api.sock", timeout=timedelta(seconds=10)))

    def run(self) -> bool:
        """Everything; True if the account balances."""
        config = self.station.root / "config"
        config.mkdir(parents=True)
        (config / "nephos.toml").write_text('[recording]\npipeline = ""\n[web]\nport = 0\n')
        self.air.start()
        try:
            self.station.start()
            for channel in self.air.channels:
                self.ask("POST", "/channels", {"name": channel.name, "address": channel.url})
            self.fire()
            bookings = self.await_ends()
            self.air.stop()
            return self.report(bookings)
        finally:
            self.air.stop()
            self.station.stop()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A call that is repeated while the page's process is down. (Orders are not safe to repeat: see `order`.)"""
        deadline = time.monotonic() + 180
        while True:
            try:
                return self.api.call(method, path, body=body)
            except errors.NephosError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def fire(self) -> None:
        """Keep all channels recording, and make trouble."""
        end = time.monotonic() + self.seconds
        trouble = time.monotonic() + 6
        while time.monotonic() < end:
            self.look_who_is_back()
            for channel in self.air.channels:
                if time.monotonic() >= self.busy_until[channel.number]:
                    self.order(channel, left=end - time.monotonic())
            if time.monotonic() >= trouble:
                trouble = time.monotonic() + (3 if self.opening else self.random.uniform(3, 9))
                self.trouble()
            time.sleep(0.2)

    def order(self, channel: air.Channel, *, left: float) -> None:
        length = self.random.randrange(SHORTEST, LONGEST) if left > SHORTEST else SHORTEST
        body = {"channel": channel.name, "duration_seconds": length, "title": f"{channel.name} {self.done['orders']}"}
        try:
            made = self.api.call("POST", "/record", body=body)
        except errors.NephosError:
            return  # asked again at the next look; what was ordered all the same is found in the list of bookings
        self.done["orders"] += 1
        self.ordered[made["id"]] = channel
        overlap = self.random.choice((0, 0, 5))
        self.busy_until[channel.number] = time.monotonic() + length - overlap

    def trouble(self) -> None:
        """One thing goes wrong."""
        kind = self.random.choice(self.kinds)
        role, step = self.random.choice(ROLES), float(self.random.choice(STEPS))
        if self.opening:
            kind, _, what = self.opening.pop(0).partition(" ")
            role, step = (what, step) if kind == "kill" else (role, float(what or step))
        if kind == "kill":
            with contextlib.suppress(AssertionError):
                self.station.kill_role(role)
                self.done[f"kills of {role}"] += 1
                if role in PLANS:
                    self.gone.setdefault(role, self.now())
        elif kind == "pause":
            channel = self.random.choice(self.air.channels)
            channel.silent_until = time.monotonic() + self.random.uniform(2, 5)
            self.done["pauses"] += 1
        else:
            self.step_clock(step)

    def now(self) -> float:
        """By the station's clock."""
        return time.time() + self.offset

    def look_who_is_back(self) -> None:
        """A machine with too much to do takes its time to bring a role back: nothing can be begun meanwhile."""
        for role in list(self.gone):
            if (pid := self.station.pid_of(role)) is not None and self.station.beat(role).get("pid") == pid:
                self.absences.append((self.gone.pop(role), self.now()))

    def judged(self, row: dict[str, Any]) -> str:
        """The state of a booking, or why it could not be made."""
        if row["state"] != "missed":
            return str(row["state"])
        if row["reason"].startswith(JUMPED):
            return "jumped over"
        return AWAY if self.was_away(row) else "missed"

    def was_away(self, row: dict[str, Any]) -> bool:
        """Whether a role that a booking needs was away for all of its time."""
        start, end = (datetime.fromisoformat(row[key]).timestamp() for key in ("from_at", "to_at"))
        return any(gone - NEAR <= start and end <= back + NEAR for gone, back in self.absences)

    def step_clock(self, step: float) -> None:
        """Forward or back, in one write: a reader never sees an empty file."""
        self.offset += step
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(str(self.offset))
        fresh.replace(self.clock_file)
        self.done[f"clock steps {'forward' if step > 0 else 'back'}"] += 1

    def await_ends(self) -> list[dict[str, Any]]:
        """All bookings, when none is open any more."""
        deadline = time.monotonic() + LONGEST + 300
        while True:
            self.look_who_is_back()
            found = self.ask("GET", "/bookings?limit=1000")
            if not any(row["state"] in ("planned", "recording") for row in found) or time.monotonic() > deadline:
                return list(found)
            time.sleep(1)

    def report(self, bookings: list[dict[str, Any]]) -> bool:
        """Say what came of it."""
        states = Counter(self.judged(row) for row in bookings)
        total = account.Account()
        by_name = {channel.name: channel for channel in self.air.channels}
        for booking in bookings:
            if booking["asset_id"] and booking["state"] == "recorded":
                row = self.ask("GET", f"/recordings/{booking['asset_id']}")
                if not row["recording"]["recorded_from"] and self.was_away(booking):
                    states[AWAY] += 1  # it came back in the last second, and heard nothing in that
                    continue
                total.add(account.of(row, self.station.root, by_name[booking["channel"]]))
        lost = sorted(set(self.ordered) - {row["id"] for row in bookings})
        facts = ", ".join(f"{name} {count}" for name, count in sorted(self.done.items()))
        print(f"{len(by_name)} channels, {self.seconds / 60:.2g} minutes: {facts}")
        print(f"bookings: {dict(states)}, lost orders: {lost}, gaps listed: {total.gaps}")
        print(
            f"packets: sent {total.sent:,} = recorded {total.recorded:,} + in listed gaps {total.in_gaps:,}"
            f" + in continuity errors {total.counted:,}; unexplained {total.unexplained:,}"
        )
        for fault in total.faults[:20]:
            print(f"FAULT {fault}")
        is_good = total.balances and not lost and set(states) <= {"recorded", "jumped over", AWAY}
        print(json.dumps({"name": "soak", "good": is_good, "recordings": len(bookings)}))
        return is_good


def main(arguments: list[str] | None = None) -> int:
    """Run one soak on a home of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=15.0)
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--steady-clock", action="store_true", help="nobody sets the wall clock of the station")
    given = parser.parse_args(arguments)
    root = Path(tempfile.mkdtemp(prefix="nephos-soak-"))
    print(f"seed {given.seed}, in {root}", flush=True)
    soak = Soak(
        minutes=given.minutes, channels=given.channels, seed=given.seed, root=root, steps_clock=not given.steady_clock
    )
    good = soak.run()
    if good:
        shutil.rmtree(root, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
