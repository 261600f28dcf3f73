"""Write the state diagrams of ARCHITECTURE.md from the tables: `python tools/render_states.py [--check]`."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

from nephos.core import states

PAGE = Path(__file__).parents[1] / "ARCHITECTURE.md"
TABLES = {
    "A booking": "nephos.recording.states:BOOKING",
    "An asset": "nephos.library.states:ASSET",
    "A job": "nephos.farm.states:JOB",
    "A task": "nephos.farm.states:TASK",
    "An attempt": "nephos.farm.states:ATTEMPT",
    "A path on a destination": "nephos.sync.states:PATH",
    "A problem": "nephos.monitoring.states:PROBLEM",
}


def table(path: str) -> states.Table[states.State]:
    """The table that a name stands for."""
    module, _, name = path.partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, states.Table)
    return found


def render() -> str:
    """The page with fresh diagrams."""
    parts = [f"### {title}\n\n```mermaid\n{states.mermaid(table(path))}\n```\n" for title, path in TABLES.items()]
    section = "<!-- states -->\n\n" + "\n".join(parts) + "\n<!-- end -->"
    return re.sub(r"<!-- states -->.*<!-- end -->", lambda _: section, PAGE.read_text(), flags=re.DOTALL)


def main() -> None:
    """Write the page, or say whether it is out of date."""
    fresh = render()
    if "--check" in sys.argv[1:]:
        sys.exit(0 if fresh == PAGE.read_text() else "ARCHITECTURE.md is out of date: python tools/render_states.py")
    PAGE.write_text(fresh)


if __name__ == "__main__":
    main()
