"""The one door to ffmpeg and ffprobe: argument lists, time limits, progress, and names that cannot be misread."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from nephos.lib import children
from nephos.processing import errors

_PROBE_LIMIT = timedelta(minutes=2)
_PROGRESS_KEYS = frozenset({"frame", "fps", "bitrate", "total_size", "out_time_us", "out_time_ms", "out_time"})
_PROGRESS_KEYS |= {"dup_frames", "drop_frames", "speed", "progress"}


@dataclass(frozen=True, slots=True)
class Result:
    """How ffmpeg ended: its exit code, what it wrote to stdout, and the last of its complaints."""

    code: int
    stdout: bytes
    complaint: str


def url(path: Path) -> str:
    """A file as ffmpeg must be given it: with its protocol, else `a:b.ts` or `-x.ts` would mean something else."""
    return f"file:{path.absolute()}"


def part_url(path: Path, *, start: int, end: int | None = None) -> str:
    """Some bytes of a file, as if they were a file."""
    limits = f",start,{start}" + (f",end,{end}" if end is not None else "")
    return f"subfile,{limits},,:{path.absolute()}"


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    limit: timedelta,
    on_seconds: Callable[[float], None] | None = None,
) -> Result:
    """Run ffmpeg in a folder; `on_seconds` hears how much it has written. The caller judges the result by its content.

    Raises ProgramMissing, or TimedOut.
    """
    complaints: deque[str] = deque(maxlen=5)

    def listen(line: str) -> None:
        key, _, value = line.partition("=")
        if key in _PROGRESS_KEYS or key.startswith("stream_"):
            if key == "out_time_us" and on_seconds is not None and value.strip("-").isdigit():
                on_seconds(int(value) / 1_000_000)
        elif line.strip():
            complaints.append(line.strip())

    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-progress", "pipe:2", "-nostats", "-y", *arguments]
    ended = children.run(argv, timeout=limit, folder=folder, on_line=listen)
    return Result(code=ended.code, stdout=ended.stdout, complaint="; ".join(complaints)[:500])


def probe(source: str, *arguments: str) -> dict[str, Any]:
    """What ffprobe says of a file or URL, as it says it.

    Raises NotMedia if it cannot read it, ProgramMissing, or TimedOut.
    """
    argv = ["ffprobe", "-hide_banner", "-v", "error", *arguments, "-of", "json", "-i", source]
    ended = children.run(argv, timeout=_PROBE_LIMIT)
    try:
        found = json.loads(ended.stdout or b"{}")
    except ValueError as error:
        raise errors.ToolFailed("ffprobe did not answer in JSON.") from error
    if ended.code != 0 or not isinstance(found, dict):
        last = ended.stderr_tail.splitlines()[-1:]
        said = last[0].removeprefix(source).strip(": ") if last else "it gave no reason"
        raise errors.NotMedia(f"ffprobe cannot read this file: {said[:200]}.")
    return found
