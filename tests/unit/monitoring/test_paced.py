"""Intervals and switches are taken up while it runs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nephos.config import edit, load, upkeep
from nephos.config.live import Live
from nephos.config.schema import Settings
from nephos.monitoring import paced


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(paced.clock, "monotonic", lambda: self.now)


@pytest.fixture
def live(tmp_path: Path) -> Live:
    loaded = load.load(tmp_path, environment={})
    loaded.home.create()
    return Live(loaded)


def names() -> list[str]:
    return [field.name for field in msgspec.structs.fields(upkeep.Maintenance)]


@pytest.mark.parametrize("name", names())
def test_each_check_has_a_switch_and_an_interval_that_change_while_it_runs(
    live: Live, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    clock, home = Clock(monkeypatch), live.current().home
    ran: list[float] = []
    rested: list[float] = []
    edit.set_value(home, f"maintenance.{name}.enabled", True)
    edit.set_value(home, f"maintenance.{name}.interval_seconds", 100)
    loop = paced.Paced(
        name,
        live,
        pace=lambda settings: getattr(settings.maintenance, name),
        check=lambda _loaded: ran.append(clock.now),
        rest=lambda: rested.append(clock.now),
    )

    loop.step()
    clock.now += 50
    loop.step()
    assert ran == [1000.0]

    edit.set_value(home, f"maintenance.{name}.interval_seconds", 40)
    loop.step()
    assert ran == [1000.0, 1050.0]

    edit.set_value(home, f"maintenance.{name}.enabled", False)
    clock.now += 500
    loop.step()
    loop.step()
    assert (len(ran), rested) == (2, [1550.0])

    edit.set_value(home, f"maintenance.{name}.enabled", True)
    loop.step()
    assert ran[2:] == [1550.0]


def other_keys() -> list[tuple[str, object]]:
    """Every other key of these sections with a value that is not its default."""
    found: list[tuple[str, object]] = []
    for section, kind in (("monitoring", upkeep.Monitoring), ("mail", upkeep.Mail)):
        found += [(f"{section}.{key}", value) for key, value in _changed(kind)]
    for field in msgspec.structs.fields(upkeep.Maintenance):
        assert isinstance(field.type, type)
        found += [(f"maintenance.{field.name}.{key}", value) for key, value in _changed(field.type)]
    return found


_SPECIAL: dict[str, object] = {
    "security": "tls",
    "password": "env:SOMETHING",
    "time": "06:30",
    "critical": ["a@example.org"],
    "report": ["a@example.org"],
    "watch": {"tv": {"keep_days": 3.0, "keep_count": 0}},
}


def _changed(kind: type) -> list[tuple[str, object]]:
    made: dict[str, object] = msgspec.to_builtins(kind())
    return [(key, _other(key, value)) for key, value in made.items()]


def _other(key: str, value: object) -> object:
    if key in _SPECIAL:
        return _SPECIAL[key]
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 3
        case str():
            return f"{value}x"
        case _:
            return ["x"]


@pytest.mark.parametrize(("key", "value"), other_keys())
def test_each_key_is_in_force_as_soon_as_it_is_saved(live: Live, key: str, value: object) -> None:
    def now(settings: Settings) -> object:
        found: object = msgspec.to_builtins(settings)
        for part in key.split("."):
            assert isinstance(found, dict)
            found = found[part]
        return found

    before = now(live.current().settings)
    edit.set_value(live.current().home, key, value)  # type: ignore[arg-type]

    assert now(live.current().settings) == value != before


def test_a_check_with_more_to_do_goes_on_at_once_and_one_that_fails_is_tried_again(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch)
    answers: list[object] = [True, ValueError("no"), False]
    asked: list[object] = []

    def check(_loaded: load.Loaded) -> bool:
        asked.append(answers[0])
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    loop = paced.Paced("disk", live, pace=lambda settings: settings.maintenance.disk, check=check)

    assert loop.step()
    with pytest.raises(ValueError, match="no"):
        loop.step()
    assert not loop.step()
    assert not loop.step()
    assert len(asked) == 3
