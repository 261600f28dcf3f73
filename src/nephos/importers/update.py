"""Channels, shares and schedules from a file or an address that the settings name: read again and again, taken over
line by line when it changed. Nothing is ever removed by it, and no running recording is touched."""

from __future__ import annotations

import hashlib
import http.client
import logging
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.config.schema import Settings
from nephos.config.upkeep import UpdateCheck
from nephos.core.loops import Loop
from nephos.events import kinds, log
from nephos.importers import findings, services
from nephos.lib import errors, files, text
from nephos.monitoring import services as monitoring
from nephos.monitoring.paced import Paced

logger = logging.getLogger(__name__)

KIND = "update.failed"
ACTOR = "update"
_MOST_BYTES = 4 * 1024 * 1024
_TOLD_LINES = 200


class SourceUnreadable(errors.Unreachable):
    """The data that the settings name cannot be read."""


class NoData(errors.Invalid):
    """What is there is no data of channels, shares and jobs."""


@dataclass(slots=True)
class Update:
    """Remembers what was taken over last, over restarts too: what was refused then is not told at every start."""

    _seen: dict[str, str] | None = None

    def check(self, loaded: Loaded) -> None:
        """Read each source; what is another text than the last time is taken over and told of."""
        if self._seen is None:
            known = files.read_json(_file(loaded))
            self._seen = known if isinstance(known, dict) else {}
        failed = []
        for source in loaded.settings.maintenance.update.sources:
            try:
                self._take(source, loaded)
            except errors.NephosError as error:
                failed.append(_failure(source, error, loaded))
        for one in failed:
            monitoring.report(one)
        monitoring.clear_others(KIND, keep=[one.key for one in failed])

    def read_anew(self, loaded: Loaded) -> None:
        """Take everything over once more, changed or not."""
        self._seen = {}
        self.check(loaded)

    def rest(self) -> None:
        """The check is off; what it took over stays."""
        monitoring.clear_others(KIND)

    def _take(self, source: str, loaded: Loaded) -> None:
        content = fetch(source, loaded)
        mark = _mark(content)
        seen = self._seen or {}
        before = seen.get(source, "")
        if before == mark:
            return
        # Whoever writes that file decides what is recorded, not how the station is set up.
        if services.take(content, loaded=loaded, dry_run=True).kind != services.DATA:
            raise NoData(hint="Settings are changed by the station's owner: `nephos import FILE`.")
        report = services.take(content, loaded=loaded, actor=ACTOR)
        # What was refused is tried each time, for what it lacked may be there by now; it is told only once.
        refused = [one.text for one in report.lines if one.outcome is findings.Outcome.REFUSED]
        after = f"{mark} {_mark(chr(10).join(refused))}" if refused else mark
        if report.taken or report.changed or before != after:
            _tell(report, source)
        self._seen = {**seen, source: after}
        files.write_json(_file(loaded), self._seen, durable=False)


def _mark(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _file(loaded: Loaded) -> Path:
    return loaded.home.run / "update.json"


def fetch(source: str, loaded: Loaded) -> str:
    """The text behind a source. Raises SourceUnreadable."""
    if source.startswith(("http://", "https://")):
        raw = _download(source, timeout=loaded.settings.maintenance.update.timeout_seconds)
    else:
        raw = _read(loaded.home.root / Path(source).expanduser())
    if len(raw) > _MOST_BYTES:
        raise SourceUnreadable(f"The data is larger than {text.size(_MOST_BYTES)}.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceUnreadable("The data is no text in UTF-8.") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error


def _download(url: str, *, timeout: float) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "Nephos"})  # noqa: S310 - http or https, looked at above
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return bytes(answer.read(_MOST_BYTES + 1))
    except urllib.error.HTTPError as answer:
        with answer:
            raise SourceUnreadable(f"{url} answered {answer.code}.") from answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = str(getattr(error, "reason", None) or error)[:200]
        raise SourceUnreadable(f"{url} cannot be reached: {reason}.") from error


def _tell(report: findings.Report, source: str) -> None:
    """An event if anything was to be done; a problem is no event of its own, for the lines say what was refused."""
    if not (report.taken or report.changed or report.refused):
        return
    logger.info("Data taken over", extra={"source": source, "taken": report.taken, "refused": report.refused})
    told = [one for one in report.lines if one.outcome is not findings.Outcome.UNCHANGED]
    log.emit(
        kinds.UpdateTaken(
            subject="station",
            source=source,
            taken=report.taken,
            changed=report.changed,
            refused=report.refused,
            lines=[{**asdict(one), "outcome": str(one.outcome)} for one in told[:_TOLD_LINES]],
        )
    )


def _failure(source: str, error: errors.NephosError, loaded: Loaded) -> monitoring.Finding:
    every = text.duration(timedelta(seconds=loaded.settings.maintenance.update.interval_seconds))
    return monitoring.Finding(
        key=f"{KIND}:{source}"[:200],
        kind=KIND,
        subject="station",
        sentence="Channels and schedules could not be updated; all stays as it is.",
        reason=f"{error.message} The source is {source}.",
        retry=f"It is read again every {every}.",
        hint=error.hint or "Mend that source, or name another in [maintenance.update] sources.",
    )


def _pace(settings: Settings) -> UpdateCheck:
    return settings.maintenance.update


def loops(loaded: Loaded) -> list[Loop]:
    """The keeper's part of this package."""
    update = Update()
    return [Paced("update", Live(loaded), pace=_pace, check=update.check, rest=update.rest, now=update.read_anew)]
