"""Step 1: find out what is in the source, once for all other steps."""

from __future__ import annotations

import sys

from nephos.lib import files
from nephos.processing import media
from nephos.processing.steps import base


def work(order: base.Order) -> list[base.Output]:
    """Make probe.json."""
    base.progress(0.0, "looking at the source")
    facts = media.look(order.source, longest_gap_seconds=max(order.airing().gaps_seconds, default=0.0))
    files.write_json(order.work / base.PROBE_FILE, facts.plain())
    return [base.Output(kind="probe", name=base.PROBE_FILE)]


if __name__ == "__main__":
    sys.exit(base.run(work))
