"""Step 5: the checksums of everything in the set, the source included."""

from __future__ import annotations

import sys
from pathlib import Path

from nephos.lib import clock, files
from nephos.processing.steps import base


def work(order: base.Order) -> list[base.Output]:
    """Make the list of files."""
    name = f"{order.stem}.files.json"
    sources = [path for path in (order.source, order.manifest) if path is not None]
    published = sorted(path for path in order.folder.iterdir() if path.is_file() and not path.name.startswith("."))
    members = [*sources, *(path for path in published if path.name != name and path not in sources)]
    entries = []
    for number, path in enumerate(members):
        base.progress(number / len(members), f"summing {path.name}")
        entries.append(_entry(path))
    document = {
        "version": 1,
        "stem": order.stem,
        "title": order.title,
        "channel": order.channel,
        "starts_at": clock.stamp(order.starts_at) if order.starts_at else None,
        "files": entries,
    }
    files.write_json(order.work / name, document)
    return [base.Output(kind="manifest", name=name)]


def _entry(path: Path) -> dict[str, str | int]:
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": files.sha256(path)}


if __name__ == "__main__":
    sys.exit(base.run(work))
