"""The frame of every step: its parameters, its folder, its progress, its outputs, and how it fails.

A step is a plain program: it works in the folder of its attempt, lists what it made in `outputs.json`, and speaks on
stdout in the lines that Open Job Description knows. It may be killed and run again at any time.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from nephos.lib import children, clock, errors, files
from nephos.processing import airing, media

logger = logging.getLogger(__name__)

PROBE_FILE = "probe.json"
_TRY_LATER = 75  # EX_TEMPFAIL: the farm tries again without counting this one
_FAULT = 70  # EX_SOFTWARE
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EIO})
_TEXTS = ("title", "channel", "country", "language", "zone")


@dataclass(frozen=True, slots=True)
class Order:
    """What a step is asked to do. `folder` is where earlier steps' outputs were published, `work` is its own."""

    source: Path
    manifest: Path | None
    folder: Path
    work: Path
    stem: str
    title: str
    channel: str
    country: str
    language: str
    zone: str
    starts_at: datetime | None

    @property
    def video_name(self) -> str:
        """The mp4's name; another one if the source has it already, since a set holds every name once."""
        name = f"{self.stem}.mp4"
        return f"{self.stem}.web.mp4" if name == self.source.name else name

    def airing(self) -> airing.Airing:
        """What the recording's manifest says."""
        return airing.read(self.manifest)

    def media(self) -> media.Media:
        """What the step probe found out; found out again if its file is not there."""
        known = files.read_json(self.folder / PROBE_FILE)
        try:
            if isinstance(known, dict) and known["size_bytes"] == self.source.stat().st_size:
                return media.parse(known)
        except (KeyError, TypeError, OSError):
            logger.info("No usable %s, so the source is probed again", PROBE_FILE)
        return media.look(self.source, longest_gap_seconds=max(self.airing().gaps_seconds, default=0.0))


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a step made in its folder; `more` stands beside it in the list."""

    kind: str
    name: str
    more: dict[str, Any] = field(default_factory=dict)


def run(work: Callable[[Order], Sequence[Output]], arguments: Sequence[str] | None = None) -> int:
    """Do a step; returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, _leave)  # as an exception, so that running children are stopped too
    try:
        order = _read(sys.argv[1:] if arguments is None else arguments)
        outputs = work(order)
        _list(order.work, outputs)
    except children.ProgramMissing as error:
        return _fail(_sentence(error), _TRY_LATER)
    except errors.NephosError as error:
        return _fail(_sentence(error), errors.ExitCode.FAILED)
    except OSError as error:
        logger.exception("The step could not read or write")
        where = f" ({error.filename})" if error.filename else ""
        code = _TRY_LATER if error.errno in _PASSING else errors.ExitCode.FAILED
        return _fail(f"{error.strerror or error}{where}.", code)
    except Exception as error:
        logger.exception("The step broke down")
        return _fail(f"The step broke down: {type(error).__name__}: {error}", _FAULT)
    progress(1.0)
    return errors.ExitCode.DONE


def progress(fraction: float, text: str = "") -> None:
    """Say how far the step is, and what it is at."""
    if text:
        _say(f"openjd_status: {_one_line(text)}")
    _say(f"openjd_progress: {min(max(fraction, 0.0), 1.0) * 100:.0f}")


def _list(folder: Path, outputs: Sequence[Output]) -> None:
    entries = []
    for output in outputs:
        path = folder / output.name
        facts = {"kind": output.kind, "path": output.name, "bytes": path.stat().st_size, "sha256": files.sha256(path)}
        entries.append({**facts, **output.more})
    files.write_json(folder / "outputs.json", entries)


def _read(arguments: Sequence[str]) -> Order:
    parser = _Parser(allow_abbrev=False, add_help=False)
    for name in ("source", "folder", "stem"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("manifest", "starts-at", *_TEXTS):
        parser.add_argument(f"--{name}", default="")
    options = parser.parse_args(arguments)
    if options.stem in ("", ".", "..") or set(options.stem) & {"/", "\\", "\0"}:
        raise errors.Invalid(f"{options.stem[:60]!r} cannot be the stem of file names.")
    try:
        starts_at = clock.parse(options.starts_at) if options.starts_at else None
    except ValueError as error:
        raise errors.Invalid(f"{options.starts_at[:40]!r} is no moment.", hint="2026-11-22T19:16:20Z") from error
    return Order(
        source=Path(options.source).absolute(),
        manifest=Path(options.manifest).absolute() if options.manifest else None,
        folder=Path(options.folder).absolute(),
        work=Path(os.environ.get("NEPHOS_ATTEMPT_DIR") or Path.cwd()).absolute(),
        stem=options.stem,
        starts_at=starts_at,
        **{name: getattr(options, name) for name in _TEXTS},
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise errors.Invalid(f"The step was called wrongly: {message}.")


def _sentence(error: errors.NephosError) -> str:
    return " ".join(filter(None, [error.message, error.hint]))


def _fail(reason: str, code: int) -> int:
    _say(f"openjd_fail: {_one_line(reason)}")
    return code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:1000]


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
