"""Move what a committed attempt made to where it belongs. Every step may be repeated after a crash."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path
from typing import Any

from django.db import transaction

from nephos.core import bootstrap
from nephos.core import errors as core_errors
from nephos.farm import advance, errors, harvest, states
from nephos.farm.models import Attempt
from nephos.lib import clock, files

logger = logging.getLogger(__name__)


def waiting() -> list[Attempt]:
    """Attempts that were committed and whose outputs are not all in their place."""
    rows = Attempt.objects.filter(
        state=states.AttemptState.DONE, published_at=None, task__state=states.TaskState.RUNNING
    )
    return list(rows.select_related("task__job", "task__step").order_by("ended_at"))


def publish(attempt: Attempt) -> None:
    """Put the outputs into the job's folder, then call the task done.

    Raises OSError if the place cannot be written; the next call goes on where this one ended.
    """
    source = bootstrap.loaded().home.attempts / attempt.pk / harvest.FOLDER
    target = Path(attempt.task.job.publish_to)
    try:
        _place_all(attempt, source, target)
    except errors.BadOutputs as error:
        logger.error("Committed outputs are gone, the task is run again", extra={"attempt": attempt.pk})
        with transaction.atomic():
            Attempt.objects.filter(pk=attempt.pk).update(published_at=clock.now(), outputs=[])
            advance.task_lost(attempt, reason=error.message, counts=True)
        return
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(published_at=clock.now())
        try:
            advance.task_done(attempt.task)
        except core_errors.StaleState:
            logger.info("Cancelled while it was published", extra={"attempt": attempt.pk})
    shutil.rmtree(source.parent, ignore_errors=True)
    Attempt.objects.filter(pk=attempt.pk).update(swept_at=clock.now())
    advance.look(attempt.task.job)


def _place_all(attempt: Attempt, source: Path, target: Path) -> None:
    folders: set[Path] = set()
    for output in attempt.outputs:
        made = source / output["path"]
        while True:
            wanted = target / output.get("published", output["path"])
            wanted.parent.mkdir(parents=True, exist_ok=True)
            if _is_placed(made, wanted, output) or _place(made, wanted):
                break
            _rename(attempt, output, files.free_name(wanted).relative_to(target))
        folders.add(wanted.parent)
    for folder in folders:
        files.sync_folder(folder)


def _is_placed(made: Path, wanted: Path, output: dict[str, Any]) -> bool:
    """Whether an earlier try has brought this file to its place."""
    if not made.exists():
        if wanted.is_file() and wanted.stat().st_size == output["bytes"]:
            return True
        raise errors.BadOutputs(f"{output['path']} was committed, but the file is gone.")
    if not wanted.is_file():
        return False
    # A copy (another volume) is another file with the same content; so is what a person put there by hand.
    return wanted.samefile(made) or (
        wanted.stat().st_size == output["bytes"] and files.sha256(wanted) == files.sha256(made)
    )


def _place(made: Path, wanted: Path) -> bool:
    """Give a file its final name; False if a foreign file has it. A link, unlike a rename, never overwrites."""
    try:
        os.link(made, wanted)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        return _copy(made, wanted)
    return True


def _copy(made: Path, wanted: Path) -> bool:
    """For file systems without links, and for a folder on another volume."""
    part = wanted.with_name(f".{wanted.name}.part")
    with part.open("wb") as stream:
        files.append_range(made, stream.fileno(), start=0, length=made.stat().st_size)
        os.fsync(stream.fileno())
    if os.path.lexists(wanted):
        part.unlink()
        return False
    part.rename(wanted)
    return True


def _rename(attempt: Attempt, output: dict[str, Any], name: Path) -> None:
    # Written down before it is used: after a crash the same name is found again.
    output["published"] = str(name)
    Attempt.objects.filter(pk=attempt.pk).update(outputs=attempt.outputs)
