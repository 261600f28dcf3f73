"""A process is told to end: once, many times, at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from nephos.lib import signals

_PATIENCE = 20
_LOOP = """
import sys, threading
from nephos.lib import signals
stop = threading.Event()
signals.set_by_end(stop)
print("ready", flush=True)
while not stop.wait(0.0001):
    pass
print("ended", flush=True)
"""
# The main thread holds the event's lock, as it does for a moment in each `wait`, when the signal comes.
_HOLDING = """
import signal, threading
from nephos.lib import signals
stop = threading.Event()
signals.set_by_end(stop)
with stop._cond:
    signal.raise_signal(signal.SIGTERM)
assert stop.wait(10)
print("ended", flush=True)
"""


def _spawn(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(sign: signal.Signals) -> None:
    with _spawn(_LOOP) as process:
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(sign)

        assert process.communicate(timeout=_PATIENCE)[0] == "ended\n"


def test_a_signal_in_the_middle_of_a_wait_does_not_hang() -> None:
    with _spawn(_HOLDING) as process:
        try:
            assert process.communicate(timeout=_PATIENCE)[0] == "ended\n"
        finally:
            process.kill()


def test_a_storm_of_signals_does_not_hang_and_leaves_no_trace() -> None:
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
    stop = threading.Event()
    try:
        signals.set_by_end(stop)

        for _ in range(2000):
            os.kill(os.getpid(), signal.SIGTERM)

        assert stop.wait(_PATIENCE)
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
