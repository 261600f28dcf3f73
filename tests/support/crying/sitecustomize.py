"""On PYTHONPATH of a station: each of its processes cries for help as soon as its log is up, and once more."""

from __future__ import annotations

import logging
import sys
import threading
import time


def _cry() -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        spools = [one for one in logging.getLogger().handlers if type(one).__name__ == "Spool"]
        if spools:
            for _ in range(2):
                # The same cry again within seconds is kept back where it is written; this one is to get further.
                spools[0]._last.clear()  # type: ignore[attr-defined]
                logging.getLogger("nephos.trial").critical("The sky falls")
            return
        time.sleep(0.1)


if sys.orig_argv[1:3] == ["-m", "nephos.daemon"] or "start" in sys.orig_argv:
    threading.Thread(target=_cry, daemon=True).start()
