"""How a process that is told to end comes to know it."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable
from types import FrameType


def set_by_end(stop: threading.Event, *, unless: Callable[[int], bool] | None = None) -> None:
    """Let SIGTERM and SIGINT set this event, however often they come and whatever the main thread is at.

    A handler runs between any two instructions of the main thread. If it set the event itself it would hang for good
    where that thread, or the handler of the signal before, holds the event's lock: and Linux may send the death signal
    of a parent several times, once for each of its threads (seen in 11 of 40 kills). `unless` says of a signal that it
    was not meant.
    """
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()  # its put may be interrupted by itself

    def note(sign: int, _frame: FrameType | None) -> None:
        asked.put(sign)

    def obey() -> None:
        sign = asked.get()
        while unless is not None and unless(sign):
            sign = asked.get()
        stop.set()

    threading.Thread(target=obey, name="signals", daemon=True).start()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, note)
