"""Runs steps of our pipelines as the farm does: as programs, each in a folder of its own, then publishes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nephos.processing import ffmpeg


@dataclass
class Set:
    """One source and the folder that its outputs are published in."""

    source: Path
    root: Path
    parameters: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    stem: str = "show"

    @property
    def folder(self) -> Path:
        return self.root / "published"

    def command(self, step: str) -> list[str]:
        values = {"source": str(self.source), "folder": str(self.folder), "stem": self.stem, **self.parameters}
        return [sys.executable, "-m", f"nephos.processing.steps.{step}", *(f"--{k}={v}" for k, v in values.items())]

    def work(self, step: str) -> Path:
        folder = self.root / f"attempt-{step}"
        folder.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(exist_ok=True)
        return folder

    def start(self, step: str) -> subprocess.Popen[str]:
        work = self.work(step)
        environment = {**os.environ, "NEPHOS_ATTEMPT_DIR": str(work), **self.environment}
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(step), cwd=work, env=environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, step: str) -> tuple[int, str]:
        """Exit code, and what was said on stdout."""
        process = self.start(step)
        out, complaints = process.communicate(timeout=120)
        assert "Traceback" not in complaints, complaints
        return process.returncode, out

    def make(self, *steps: str) -> dict[str, list[dict[str, Any]]]:
        """Run steps that must go well, prove and publish what they list; the entries by kind."""
        made: dict[str, list[dict[str, Any]]] = {}
        for step in steps:
            code, out = self.run(step)
            assert code == 0, out
            for entry in json.loads((self.work(step) / "outputs.json").read_bytes()):
                path = self.work(step) / entry["path"]
                content = path.read_bytes()
                assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
                path.rename(self.folder / entry["path"])
                made.setdefault(entry["kind"], []).append(entry)
        return made

    def failure(self, step: str) -> tuple[int, str]:
        """Exit code and the sentence of a step that must fail."""
        code, out = self.run(step)
        (line,) = [line for line in out.splitlines() if line.startswith("openjd_fail: ")]
        return code, line.removeprefix("openjd_fail: ")


def streams(path: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe says of a file's streams, by kind."""
    found = ffmpeg.probe(ffmpeg.url(path), "-show_streams")["streams"]
    return {stream["codec_type"]: stream for stream in found}


def srt_cues(path: Path) -> list[tuple[float, float, str]]:
    """Start, end and text of each cue of a SubRip file."""

    def seconds(stamp: str) -> float:
        hours, minutes, rest = stamp.replace(",", ".").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)

    cues = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        _, times, *lines = block.split("\n")
        start, _, end = times.partition(" --> ")
        cues.append((seconds(start), seconds(end), "\n".join(lines)))
    return cues
