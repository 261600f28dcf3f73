"""Takes in what lies in a watched folder: sees it, waits until it is quiet, hands it on."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import math
import os
import queue
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from nephos.lib import clock
from nephos.sync import (
    batches,
    errors,
    fingerprints,
    growths,
    judge,
    judged,
    marker,
    names,
    outbox,
    paths,
    patterns,
    removals,
    scanner,
    watcher,
)
from nephos.sync import ports as sync_ports
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.journal import Journal
from nephos.sync.mappings import WatchRule
from nephos.sync.planner import Mode
from nephos.sync.states import PathState

logger = logging.getLogger(__name__)

_GROUP = 2_000  # so many paths a transaction: orders of others get their turn in between
_BLIND_SCAN_SECONDS = 1.0
_CONFIRM_SECONDS = 0.5  # after the last deletion that was seen, before the look that confirms them
_ASK_SECONDS = 3.0
_WRITER_SECONDS = 0.5  # until somebody who writes is asked for again
_BLIND_SCAN_SHARE = 20.0  # where nothing tells of changes, scanning takes at most a twentieth of the time


class FolderIntake:
    """One watched folder. All methods but `touch` belong to the engine's thread."""

    def __init__(self, rule: WatchRule, journal: Journal, plugins: Path) -> None:
        assert rule.folder is not None  # noqa: S101 - the engine makes one only for folders
        self.rule = rule
        self.cause = ""
        self._root = os.fsencode(rule.folder)
        self._ignore = patterns.Patterns(rule.ignore)
        self._judge = judge.Judge(rule, plugins) if rule.rules else None
        self._left: set[bytes] = set()  # not taken by a rule, which may say otherwise later
        self._journal = journal
        self._watcher: watcher.Watcher | None = None
        self._seen: dict[bytes, Fingerprint] = {}
        self._folders: dict[bytes, set[bytes]] = {}  # the same paths by their folder
        self._unsettled: dict[bytes, float] = {}  # since when it is as it was seen
        self._untold: dict[bytes, bool] = {}  # not in the journal as they are now, and whether they never were
        self._ripe_at = math.inf
        self._above = os.path.join(self._root, b"")
        self._touched: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._known = journal.commit(self._load)
        self._scan_at = 0.0
        self._confirm_at = math.inf
        self._ask_at = 0.0
        self._groups: dict[bytes, str] = journal.commit(self._load_groups) if rule.pipeline else {}

    @property
    def settling(self) -> int:
        """How many files are not quiet yet."""
        return len(self._unsettled)

    def touch(self, path: bytes) -> None:
        """A sender found the file changed or gone: look again. For other threads."""
        self._touched.put(path)

    def rescan(self) -> None:
        """Look through everything now."""
        self._scan_at = 0.0

    def step(self) -> bool:
        """Look, and hand on what is quiet; True if there was something to hand on."""
        self.look()
        while not self._touched.empty():
            self._restat(self._touched.get())
        return self._settle()

    def look(self) -> None:
        """See what is there."""
        try:
            self._look()
        except errors.FolderGone as error:
            self.cause = error.message
            self._close_watcher()
            self._scan_at = clock.monotonic() + _BLIND_SCAN_SECONDS

    def close(self) -> None:
        """Stop watching."""
        if self._judge is not None:
            self._judge.close()
        self._close_watcher()

    def _look(self) -> None:
        if self._watcher is None and os.path.isdir(self._root):  # noqa: PTH112 - bytes
            self._watcher = watcher.watch(self._root)  # first watch, then scan: nothing falls between
            self._scan_at = 0.0
        hints = self._watcher.take() if self._watcher else None
        if self._wants_confirming() or clock.monotonic() >= self._scan_at or (hints is not None and hints.overflow):
            self._scan_all()
            return
        for folder in sorted(hints.folders) if hints else ():
            found = scanner.scan(self._root, below=folder, deep=False, ignore=self._ignore)
            self._merge(found, folder, deep=False)

    def _scan_all(self) -> None:
        started = clock.monotonic()
        for path in self._left:
            self._seen.pop(path, None)
        self._left.clear()
        found = scanner.scan(self._root, ignore=self._ignore, meanwhile=self._take_in)
        self._merge(found, b"", deep=True)
        self.cause = "" if found.complete else "A folder below could not be read."
        self._confirm(found)
        now = clock.monotonic()
        blind = self._watcher is None or self._watcher.partial
        pause = max(_BLIND_SCAN_SECONDS, (now - started) * _BLIND_SCAN_SHARE)
        self._scan_at = now + (min(pause, self.rule.rescan.total_seconds()) if blind else self._rescan_seconds())

    def _confirm(self, scan: scanner.Scan) -> None:
        """Deletions travel only after a whole clean look at the folder that is known to be the right one."""
        self._confirm_at = math.inf
        if self.rule.mode is not Mode.MIRROR or not scan.complete:
            return
        if not marker.is_there(self._root, watch=self.rule.name, journal=self._journal):
            self.cause = f"The marker {marker.NAME} is not in the folder, so no deletion travels: is its disk there?"
            return
        rule = self.rule
        for destination in rule.destinations:
            self._journal.submit(
                lambda db, destination=destination: removals.confirm(  # type: ignore[misc]
                    db, watch=rule.name, destination=destination, limits=rule.limits
                )
            )

    def _wants_confirming(self) -> bool:
        """Deletions wait for a whole look; some of them are only known when a sending ended."""
        now = clock.monotonic()
        if self.rule.mode is not Mode.MIRROR or now < min(self._confirm_at, self._ask_at):
            return False
        self._ask_at = now + _ASK_SECONDS
        return now >= self._confirm_at or (
            not self.cause and self._journal.commit(lambda db: removals.unconfirmed(db, self.rule.name))
        )

    def _rescan_seconds(self) -> float:
        return max(_BLIND_SCAN_SECONDS, self.rule.rescan.total_seconds())

    def _merge(self, scan: scanner.Scan, folder: bytes, *, deep: bool) -> None:
        self._take_in(scan.found)
        if not scan.complete:
            return
        here: Iterable[bytes] = itertools.chain(self._seen, self._known)
        if not deep:
            here = self._folders.get(folder, ())
        gone = [path for path in here if path not in scan.found]
        for lost in [] if deep else self._lost_folders(folder):
            gone += self._folders[lost]
        self._vanish(gone)

    def _take_in(self, some: dict[bytes, Fingerprint]) -> None:
        """Note what is new of these; what has to settle goes to the journal at once, which writes while we look on."""
        seen = self._seen
        self._note({path: found for path, found in some.items() if seen.get(path) != found})
        if self.rule.settle:
            self._tell(list(self._untold))

    def _lost_folders(self, folder: bytes) -> list[bytes]:
        """Folders below one that are no longer there: a folder that vanishes gives no news of what was in it."""
        start = folder + b"/" if folder else b""
        below = [known for known in self._folders if known.startswith(start) and known != folder]
        return [known for known in below if not os.path.isdir(os.path.join(self._root, known))]  # noqa: PTH112

    def _note(self, fresh: dict[bytes, Fingerprint]) -> None:
        now = clock.monotonic()
        seen, untold = self._seen, self._untold
        for path, fingerprint in fresh.items():
            known = path in seen or path in self._known
            seen[path] = fingerprint
            folder = path[: max(path.rfind(b"/"), 0)]
            (self._folders.get(folder) or self._folders.setdefault(folder, set())).add(path)
            if known and self._known.pop(path, None) == fingerprint:
                continue  # dealt with before this process began
            self._unsettled[path] = now
            untold[path] = not known and path not in untold
        self._ripe_at = min(self._ripe_at, now + self.rule.settle.total_seconds())

    def _tell(self, wanted: Iterable[bytes]) -> None:
        """Note what was seen and is not ready yet; what is ready at once needs no note before."""
        fresh: list[bytes] = []
        known: list[bytes] = []
        for path in wanted:
            is_fresh = self._untold.pop(path, None)
            if is_fresh is not None:
                (fresh if is_fresh else known).append(path)
        if not self.rule.delivers_paths:
            return
        for start in range(0, len(fresh), _GROUP):
            self._submit(batches.note, fresh[start : start + _GROUP])
        if known:
            self._submit(lambda db, sights: [paths.observe(db, sight) for sight in sights], known)

    def _submit(self, write: Callable[[sqlite3.Connection, list[paths.Sight]], object], told: Iterable[bytes]) -> None:
        sights = self._sights(told)
        self._journal.submit(lambda db: write(db, sights))
        if self.rule.grow:
            self._journal.submit(lambda db: growths.note_seen(db, sights))

    def _sights(self, wanted: Iterable[bytes]) -> list[paths.Sight]:
        name, above, destinations = self.rule.name, self._above, self.rule.destinations
        return [
            paths.Sight(name, destination, path, above + path, self._seen[path])
            for path in wanted
            for destination in destinations
        ]

    def _restat(self, path: bytes) -> None:
        try:
            found = fingerprints.take(os.path.join(self._root, path))
        except errors.SyncError:
            self._vanish([path])
        else:
            self._seen.pop(path, None)
            self._note({path: found})

    def _vanish(self, gone: list[bytes]) -> None:
        for path in gone:
            self._seen.pop(path, None)
            self._unsettled.pop(path, None)
            self._untold.pop(path, None)
            self._known.pop(path, None)
            folder = os.path.dirname(path)  # noqa: PTH120 - bytes
            self._folders.get(folder, set()).discard(path)
            if not self._folders.get(folder, True):
                del self._folders[folder]
        if gone and self.rule.delivers_paths:
            self._confirm_at = clock.monotonic() + max(_CONFIRM_SECONDS, self.rule.settle.total_seconds())
            self._journal.submit(lambda db: self._tell_gone(db, gone))

    def _tell_gone(self, db: sqlite3.Connection, gone: list[bytes]) -> None:
        for path in gone:
            for row in self._rows(db, path):
                paths.vanish(db, row)

    def _settle(self) -> bool:
        now = clock.monotonic()
        if now < self._ripe_at:
            self._tell(list(self._untold))
            return False
        quiet_for = self.rule.settle.total_seconds()
        ripe = (path for path, since in self._unsettled.items() if now - since >= quiet_for)
        candidates = list(itertools.islice(ripe, _GROUP))
        quiet = [path for path in candidates if self._is_quiet(path) and self._is_taken(path)]
        done = quiet
        if quiet and self.rule.delivers_paths:
            done = self._journal.commit(lambda db: self._hand_on(db, quiet))
        for path in done:
            del self._unsettled[path]
            self._untold.pop(path, None)
        self._tell(list(self._untold) if quiet_for else [path for path in candidates if path in self._unsettled])
        if len(candidates) < _GROUP:
            self._ripe_at = min(self._unsettled.values(), default=math.inf) + quiet_for
        if self.rule.pipeline and done:
            self._announce({os.path.dirname(path) for path in done})  # noqa: PTH120 - bytes
        return bool(done)

    def _is_quiet(self, path: bytes) -> bool:
        try:
            found, writer = fingerprints.take_closely(self._above + path)
        except errors.SyncError:
            self._vanish([path])
            return False
        if found != self._seen[path]:
            self._note({path: found})
            return False
        # Size alone says nothing of a file that was made at its full size; an open writer says that it is not done.
        if writer is sync_ports.Writer.PRESENT:
            self._unsettled[path] = clock.monotonic() - self.rule.settle.total_seconds() + _WRITER_SECONDS
            return False
        return True

    def _is_taken(self, path: bytes) -> bool:
        """What the rules say; a file that they leave, or that they fail on, is no longer waited for."""
        if self._judge is None:
            return True
        verdict = self._judge.verdict(path, os.path.join(self._root, path), self._seen[path])
        if verdict is None or verdict is True:
            return verdict is True
        if self._untold.get(path) and verdict is False:
            del self._untold[path]  # nobody ever has to know of it
        self._tell([path])
        del self._unsettled[path]
        if verdict is False:
            self._left.add(path)
            self._journal.submit(lambda db: judged.leave_all(db, self._rows(db, path)))
        else:
            error = verdict
            self._journal.submit(lambda db: judged.hold_unasked(db, self._rows(db, path), error))
        return False

    def _rows(self, db: sqlite3.Connection, path: bytes) -> list[paths.PathRow]:
        found = [
            paths.find(db, watch=self.rule.name, destination=destination, path=path)
            for destination in self.rule.destinations
        ]
        return [row for row in found if row is not None]

    def ask_again(self) -> None:
        """A person wants it tried: files on which a rule failed are looked at anew."""
        if self._judge is not None:
            for path in self._journal.commit(lambda db: judged.settling(db, self.rule.name)):
                if path not in self._unsettled:
                    self._restat(path)

    def _hand_on(self, db: sqlite3.Connection, quiet: list[bytes]) -> list[bytes]:
        fresh = [path for path in quiet if self._untold.get(path)]
        if not fresh or not batches.accept(db, self._sights(fresh)):
            fresh = []
        done = set(fresh)
        for path in quiet:
            if path not in done:
                rows = [paths.observe(db, sight) for sight in self._sights([path])]
                if all([paths.settle(db, row) for row in rows]):
                    done.add(path)
        return [path for path in quiet if path in done]

    def _announce(self, folders: set[bytes]) -> None:
        """Tell of what belongs together when none of it is still being written."""
        for folder in folders:
            here = self._folders.get(folder, set())
            by_name = {os.fsdecode(os.path.basename(path)): path for path in here}  # noqa: PTH119
            for stem, members in names.stems(by_name).items():
                group = [by_name[name] for name in members]
                if not any(path in self._unsettled for path in group):
                    self._announce_group(folder, stem, group)

    def _announce_group(self, folder: bytes, stem: str, group: list[bytes]) -> None:
        key = os.path.join(folder, os.fsencode(stem))
        text = repr([(path, str(self._seen[path])) for path in group])
        signature = hashlib.sha256(text.encode()).hexdigest()
        if self._groups.get(key) == signature:
            return
        self._groups[key] = signature
        files = [os.fsdecode(os.path.join(self._root, path)) for path in group]
        body = {"watch": self.rule.name, "stem": os.fsdecode(key), "files": files}

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT OR REPLACE INTO filesets (watch, stem, signature, announced_at) VALUES (?, ?, ?, ?)",
                (self.rule.name, key, signature, clock.stamp(clock.now())),
            )
            outbox.put(db, outbox.FILESET_SETTLED, body)

        self._journal.commit(write)
        logger.info("A file set is complete", extra={"watch": self.rule.name, "stem": names.shown(key)})

    def _load(self, db: sqlite3.Connection) -> dict[bytes, Fingerprint | None]:
        """Paths of earlier processes, with the version that every destination has dealt with, None if there is none."""
        if not self.rule.delivers_paths:
            return {}
        found: dict[bytes, list[Fingerprint | None]] = {}
        for destination in self.rule.destinations:
            for row in paths.of_mapping(db, watch=self.rule.name, destination=destination):
                if not row.set_id:
                    settled = row.observed if row.state is not PathState.SETTLING else None
                    found.setdefault(row.path, []).append(settled)
        complete = len(self.rule.destinations)
        return {
            path: versions[0] if len(versions) == complete and len(set(versions)) == 1 else None
            for path, versions in found.items()
        }

    def _load_groups(self, db: sqlite3.Connection) -> dict[bytes, str]:
        rows = db.execute("SELECT stem, signature FROM filesets WHERE watch = ?", (self.rule.name,)).fetchall()
        return {row["stem"]: row["signature"] for row in rows}

    def _close_watcher(self) -> None:
        if self._watcher is not None:
            with contextlib.suppress(OSError):
                self._watcher.close()
            self._watcher = None
