"""Rules, processes and connection classes that somebody wrote, good ones and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from nephos.plugins import runner
from nephos.sync import queries
from tests.fakes.sync import Station

GOOD = """
import shutil, os
from nephos.plugins import register_process, register_rule

@register_rule
def rule_no_drafts(path, word="draft"):
    print("noise on the output")
    return word not in path.name

@register_process
def process_shout(path):
    path.write_bytes(path.read_bytes().upper() + b"!")

class Shutil:
    def _send(self, src, remote):
        os.makedirs(os.path.dirname(remote), exist_ok=True)
        shutil.copyfile(src, remote)
    def _delete(self, path):
        if os.path.exists(path):
            os.remove(path)
    def _move(self, src, dest):
        os.makedirs(os.path.dirname(dest), exist_ok=True)
        shutil.move(src, dest)
"""
BAD = """
import time
from nephos.plugins import register_process, register_rule

@register_rule
def rule_raises(path):
    raise RuntimeError("on purpose")

@register_rule
def rule_hangs(path):
    time.sleep(3600)

@register_rule
def rule_exits(path):
    import os
    os._exit(3)

@register_process
def process_raises(path):
    raise RuntimeError("on purpose")
"""


@pytest.fixture
def plugged(station: Station, tmp_path: Path) -> Station:
    (station.home.plugins / "good.py").write_text(GOOD)
    (station.home.plugins / "bad.py").write_text(BAD)
    (station.home.plugins / "broken.py").write_text("this is no Python")
    station.connect("shelf", "file", str(tmp_path / "shelf"))
    return station


def test_only_what_every_rule_takes_is_sent(plugged: Station, inbox: Path, tmp_path: Path) -> None:
    rules = [
        {"rule": "rule_no_drafts"},
        {"rule": "rule_type", "types": ["mp4", ".TS"]},
        {"rule": "rule_size", "most_bytes": 10},
        {"rule": "rule_name", "pattern": "[a-z]*"},
    ]
    plugged.watch("inbox", "shelf", folder=inbox, rules=rules)
    for name in ("good.mp4", "fine.ts", "draft.mp4", "x.mov", "UPPER.mp4"):
        (inbox / name).write_bytes(b"x")
    (inbox / "long.mp4").write_bytes(b"x" * 11)

    with plugged.running():
        plugged.until_delivered("good.mp4", "fine.ts")
        plugged.until(lambda: len(plugged.states()) == 2)

    assert sorted(path.name for path in (tmp_path / "shelf").iterdir()) == ["fine.ts", "good.mp4"]


@pytest.mark.parametrize(
    ("rule", "reason"), [("rule_raises", "on purpose"), ("rule_exits", "ended"), ("rule_nobody", "there is no")]
)
def test_a_rule_that_fails_holds_the_file_and_the_next_try_asks_again(
    plugged: Station, inbox: Path, tmp_path: Path, rule: str, reason: str
) -> None:
    plugged.watch("inbox", "shelf", folder=inbox, rules=[{"rule": rule}])
    (inbox / "clip").write_bytes(b"x")

    with plugged.running():
        plugged.until(lambda: plugged.states().get("clip") == "held")
        assert reason in queries.transfers(plugged.home)[0].cause
        plugged.order("retry")
        plugged.until(lambda: len(plugged.messages("transfer.held")) == 2)
        plugged.until(lambda: plugged.states().get("clip") == "held")

    assert not (tmp_path / "shelf" / "clip").exists()


def test_a_rule_that_hangs_holds_its_file_and_hinders_no_other_watch(
    plugged: Station, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(runner.Runner.__init__.__kwdefaults__, "limit_seconds", 2.0)
    (tmp_path / "other").mkdir()
    plugged.watch("inbox", "shelf", folder=inbox, rules=[{"rule": "rule_hangs"}])
    plugged.watch("other", "shelf", folder=tmp_path / "other")
    (inbox / "clip").write_bytes(b"x")
    with plugged.running():
        plugged.until(lambda: plugged.states().get("clip") == "settling")
        (tmp_path / "other" / "fast").write_bytes(b"x")
        plugged.until_delivered("fast")
        plugged.until(lambda: plugged.states().get("clip") == "held")

    assert "did not answer" in queries.transfers(plugged.home, queries.Choice(path="clip"))[0].cause


def test_a_process_works_on_a_copy(plugged: Station, inbox: Path, tmp_path: Path) -> None:
    plugged.watch("inbox", "shelf", folder=inbox, processes=["process_shout"])
    (inbox / "clip").write_bytes(b"quiet")

    with plugged.running():
        plugged.until_delivered("clip")
    with plugged.running():
        plugged.until_delivered("clip")

    assert (inbox / "clip").read_bytes() == b"quiet"
    assert (tmp_path / "shelf" / "clip").read_bytes() == b"QUIET!"
    assert len(queries.receipts(plugged.home)) == 1
    assert not list((plugged.home.run / "copies" / "shelf").iterdir())


def test_a_process_that_fails_holds_the_file(plugged: Station, inbox: Path, tmp_path: Path) -> None:
    plugged.watch("inbox", "shelf", folder=inbox, processes=["process_raises"])
    (inbox / "clip").write_bytes(b"quiet")

    with plugged.running():
        plugged.until(lambda: plugged.states().get("clip") == "held")

    assert "on purpose" in queries.transfers(plugged.home)[0].cause


def test_the_old_contract_of_three_methods_sends_moves_and_deletes(
    plugged: Station, inbox: Path, tmp_path: Path
) -> None:
    place = tmp_path / "simple"
    plugged.connect("simple", "plugin", str(place), {"class": "Shutil"})
    plugged.watch("inbox", "simple", folder=inbox, mode="mirror", grace_seconds=0)
    for name in ("a", "b"):
        (inbox / name).write_bytes(name.encode())

    with plugged.running():
        plugged.until_delivered("a", "b")
        (inbox / "b").unlink()
        (inbox / "a").rename(inbox / "c")
        plugged.until(lambda: sorted(path.name for path in place.iterdir()) == ["c"])
        plugged.until_delivered("c")

    assert {str(receipt.proof) for receipt in queries.receipts(plugged.home)} == {"sent"}
