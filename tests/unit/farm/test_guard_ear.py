"""What a task prints goes on in bundles of bounded size."""

from __future__ import annotations

import io
import json

from nephos.farm import guard
from tests.support import waiting


def test_a_flood_of_lines_keeps_its_end_and_says_what_is_left_out() -> None:
    stream = io.StringIO()
    ear = guard.Ear(guard.Mouth(stream))

    for number in range(10_000):
        ear.line(f"{number} " + "x" * 5000)
    ear.progress(0.1, "begun")
    ear.progress(0.2, "going on")
    ear.flush()
    waiting.until(lambda: stream.getvalue().count("\n") == 2, seconds=5, what="two messages")

    log, progress = map(json.loads, stream.getvalue().splitlines())
    assert log["lines"][0] == "[9500 lines left out]"
    assert len(log["lines"]) == 501
    assert log["lines"][-1].startswith("9999 xxx")
    assert max(map(len, log["lines"])) == 2000
    assert progress == {"says": "progress", "fraction": 0.2, "text": "going on"}
