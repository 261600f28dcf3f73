"""Wrong passwords make the next try wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nephos.lib import clock
from nephos.web import errors
from nephos.web.throttle import Throttle


def test_after_too_many_failures_the_key_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    throttle = Throttle(most=3, span=timedelta(minutes=1))
    for _ in range(3):
        throttle.check("a")
        throttle.note("a")

    with pytest.raises(errors.TooManyTries) as refused:
        throttle.check("a")
    throttle.check("b")
    now[0] += 61
    throttle.check("a")

    assert "1m" in refused.value.hint


def test_a_success_forgives() -> None:
    throttle = Throttle(most=1, span=timedelta(minutes=1))
    throttle.note("a")

    throttle.forget("a")

    throttle.check("a")
