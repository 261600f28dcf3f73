"""Python imports this by itself when its folder is on the path: the wall clock is off by what a file says."""

import os
import time

_real = time.time
_file = os.environ.get("NEPHOS_SOAK_CLOCK", "")
_state = [0.0, 0.0]  # when it was looked at last (monotonic), and the offset


def _offset() -> float:
    now = time.monotonic()
    if now - _state[0] > 0.05:
        _state[0] = now
        try:
            with open(_file, encoding="ascii") as stream:
                _state[1] = float(stream.read() or 0)
        except (OSError, ValueError):
            pass
    return _state[1]


def _shifted() -> float:
    return _real() + _offset()


if _file:
    time.time = _shifted
    time.time_ns = lambda: int(_shifted() * 1e9)
