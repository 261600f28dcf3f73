"""`nephos doctor`: what the station needs from this machine."""

from __future__ import annotations

import dataclasses

from nephos.cli import lazy, options, output
from nephos.maintenance import doctor as checks

app = lazy.single()


@app.command()
def doctor() -> int | None:
    """Check programs, folders, clock, space, limits, database, settings and ports."""
    found = [dataclasses.asdict(finding) for finding in checks.examine(options.here())]
    output.rows(
        found,
        [("STATE", "state"), ("CHECK", "name"), ("FINDING", "sentence"), ("HINT", "hint")],
        empty="Nothing to check.",
    )
    return 1 if any(finding["state"] == "fail" for finding in found) else None
