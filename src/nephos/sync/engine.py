"""The sync role: watches folders, takes orders, sends what is ready, tells what came of it. No Django in here."""

from __future__ import annotations

import gc
import logging
import sqlite3
import threading
from collections import Counter
from typing import Any

from nephos.config import schema
from nephos.config.load import Loaded
from nephos.lib import clock
from nephos.lib import errors as lib_errors
from nephos.lib.heartbeats import Heartbeat
from nephos.sync import commands, copies, errors, intake, mappings, orders, outbox, paths, pump, recalls, reload
from nephos.sync.journal import Journal

logger = logging.getLogger(__name__)

_TICK_SECONDS = 0.1
_MOST_YOUNG = 50_000  # objects, before the collector looks at the youngest
_BEAT_SECONDS = 1.0
_AUDIT_LOOK_SECONDS = 600.0


def main(loaded: Loaded, stop: threading.Event) -> None:
    """Run until `stop` is set. Raises JournalBroken if `sync.db` cannot be written."""
    collect_rarely()
    engine = Engine(loaded)
    try:
        engine.run(stop)
    finally:
        engine.close()


def collect_rarely() -> None:
    """What a look through many files finds stays, and the collector would go through all of it again and again."""
    gc.freeze()
    gc.set_threshold(_MOST_YOUNG, 20, 50)


class Engine:
    """Everything that sync does on one home."""

    def __init__(self, loaded: Loaded) -> None:
        self._journal = Journal(loaded.home.sync_database)
        self._plugins = loaded.home.plugins
        self._copies = loaded.home.run / "copies"
        self._heartbeat = Heartbeat(loaded.home.run, "sync")
        self._file = reload.SettingsFile(loaded)
        self._told_refusal = ""
        self._settings: schema.Settings | None = None
        self._rules: dict[str, mappings.WatchRule] = {}
        self._intakes: dict[str, intake.FolderIntake] = {}
        self._pumps: dict[str, pump.Pump] = {}
        self._beat_at = 0.0
        self._audit_at = clock.monotonic() + _AUDIT_LOOK_SECONDS
        self._audit_percent = 0.0
        again = self._journal.commit(paths.recover)
        logger.info("Sync begins", extra={"unfinished": again})
        if self._file.check(loaded.settings):
            self._apply(loaded.settings)

    def run(self, stop: threading.Event) -> None:
        """Look, take orders, wake senders, tell; ten times a second."""
        self._beat("running")
        while not stop.is_set():
            if not self._step():
                stop.wait(_TICK_SECONDS)

    def close(self) -> None:
        """Stop politely and write down everything."""
        for each in self._intakes.values():
            each.close()
        for sender in self._pumps.values():
            sender.close()
        self._journal.close()
        self._heartbeat.beat(state="stopped", now=True)

    def _step(self) -> bool:
        """True if there was something to do, and may be more."""
        changed = self._file.changed()
        if changed is not None and changed != self._settings:
            self._apply(changed)
        self._tell_refusal()
        found = [each.step() for each in self._intakes.values()]
        self._expect()
        ordered = self._take_orders()
        self._audit()
        if any(found) or ordered:
            for sender in self._pumps.values():
                sender.wake()
        self._beat("running")
        return any(found)

    def _audit(self) -> None:
        """Once a day a share of what was delivered is read again."""
        if clock.monotonic() < self._audit_at:
            return
        self._audit_at = clock.monotonic() + _AUDIT_LOOK_SECONDS
        today = clock.stamp(clock.now())[:10]
        percent = self._audit_percent
        count = self._journal.commit(lambda db: recalls.audit_of_day(db, today=today, percent=percent))
        if count:
            logger.info("Some of what was delivered is read again", extra={"files": count})

    # Settings

    def _apply(self, settings: schema.Settings) -> None:
        self._settings = settings
        self._audit_percent = settings.sync.audit_percent
        rules = mappings.watches(settings)
        targets = mappings.targets(settings, rules)
        for name in [name for name, sender in self._pumps.items() if targets.get(name) != sender.target]:
            self._close_pump(name)
        identities = {
            (rule.name, name): mappings.identity(rule, targets[name])
            for rule in rules.values()
            for name in rule.destinations
        }
        anew = self._journal.commit(lambda db: commands.renew_mappings(db, identities))
        self._journal.commit(lambda db: commands.renew_modes(db, rules))
        self._renew_intakes(rules, anew)
        for name, target in targets.items():
            if name not in self._pumps:
                self._pumps[name] = pump.Pump(settings, target, self._journal, self._touch, self._work(name))
        self._expect()
        logger.info("Settings are in force", extra={"watches": sorted(rules), "destinations": sorted(targets)})

    def _expect(self) -> None:
        """Where files are seen that are to go soon, the login is worth beginning."""
        for name, each in self._intakes.items():
            if each.settling:
                for destination in self._rules[name].destinations:
                    self._pumps[destination].expect()

    def _work(self, destination: str) -> copies.Copies:
        return copies.Copies(self._copies / destination, self._plugins)

    def _close_pump(self, name: str) -> None:
        self._pumps.pop(name).close()
        self._journal.commit(lambda db: commands.release_held(db, name))

    def _renew_intakes(self, rules: dict[str, mappings.WatchRule], anew: set[str]) -> None:
        for name in [name for name, each in self._intakes.items() if rules.get(name) != each.rule or name in anew]:
            self._intakes.pop(name).close()
        self._rules = rules
        for name, rule in rules.items():
            if rule.folder is not None and name not in self._intakes:
                self._intakes[name] = intake.FolderIntake(rule, self._journal, self._plugins)
                self._intakes[name].look()  # watch, scan, and only then send

    def _touch(self, watch: str, path: bytes) -> None:
        each = self._intakes.get(watch)
        if each is not None:
            each.touch(path)

    def _tell_refusal(self) -> None:
        refusal = self._file.refusal
        if refusal and refusal != self._told_refusal:
            logger.error("The settings are refused, the old ones stay in force", extra={"why": refusal})
            self._journal.submit(lambda db: outbox.put(db, outbox.SETTINGS_REFUSED, {"reason": refusal}))
        self._told_refusal = refusal

    # Orders

    def _take_orders(self) -> bool:
        open_orders = self._journal.commit(orders.unfinished)
        for order in open_orders:
            try:
                self._carry_out(order)
            except lib_errors.NephosError as error:
                if isinstance(error, errors.JournalBroken):
                    raise
                self._refuse(order, error.message)
        return bool(open_orders)

    def _refuse(self, order: orders.Order, reason: str) -> None:
        logger.warning("An order cannot be carried out", extra={"order": order.key, "why": reason})
        self._journal.commit(lambda db: commands.refuse(db, order, reason))

    def _carry_out(self, order: orders.Order) -> None:
        if order.kind in commands.HANDED_OVER:
            found, write = commands.members(order), commands.HANDED_OVER[order.kind]
            rule = self._rules.get(order.text("watch"))
            self._journal.commit(lambda db: write(db, order, rule, found))
            return
        self._journal.commit(lambda db: commands.WRITES[order.kind](db, order))
        if order.kind in {orders.Kind.RESCAN, orders.Kind.RESET}:
            self._rescan(order.text("watch"))
        if order.kind is orders.Kind.RETRY:
            for each in self._intakes.values():
                each.ask_again()
        for sender in self._named(order):
            if order.kind is orders.Kind.PAUSE:
                sender.interrupt()
            elif order.kind in {orders.Kind.RETRY, orders.Kind.APPROVE, orders.Kind.UNDO}:
                sender.try_now()

    def _named(self, order: orders.Order) -> list[pump.Pump]:
        wanted = order.text("destination")
        return [sender for name, sender in self._pumps.items() if wanted in {"", name}]

    def _rescan(self, watch: str) -> None:
        for name, each in self._intakes.items():
            if watch in {"", name}:
                each.rescan()

    # Heartbeat

    def _beat(self, state: str) -> None:
        if clock.monotonic() >= self._beat_at:
            self._beat_at = clock.monotonic() + _BEAT_SECONDS
            self._heartbeat.beat(state=state, details=self._details(), now=True)

    def _details(self) -> dict[str, Any]:
        counts = self._journal.commit(_count)
        reports = [sender.report() for sender in self._pumps.values()]
        return {
            "watches": [self._watch_report(name) for name in sorted(self._rules)],
            "destinations": reports,
            "counts": counts,
            "bytes_per_second": sum(report["bytes_per_second"] for report in reports),
            "files_per_second": round(sum(report["files_per_second"] for report in reports), 2),
            "settings_refused": self._file.refusal,
        }

    def _watch_report(self, name: str) -> dict[str, Any]:
        each = self._intakes.get(name)
        return {"name": name, "settling": each.settling if each else 0, "cause": each.cause if each else ""}


def _count(db: sqlite3.Connection) -> Counter[str]:
    return Counter(dict(db.execute("SELECT state, count(*) FROM paths GROUP BY state").fetchall()))
