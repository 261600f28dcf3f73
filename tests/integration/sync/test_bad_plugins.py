"""Code of people's own that raises, hangs, forks, prints, reads, ends, answers nonsense: it fails, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.plugins import runner
from tests.support import waiting

HEAD = "import os, sys, threading, time\nfrom nephos.plugins import register_process, register_rule\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "plugins"
    place.mkdir()
    (place / "good.py").write_text(HEAD + "@register_rule\ndef rule_good(path):\n    return path.name == 'yes'\n")
    return place


@pytest.fixture
def ask(folder: Path) -> Iterator[runner.Runner]:
    made = runner.Runner(folder, limit_seconds=2)
    yield made
    made.close()


def bad(folder: Path, body: str) -> None:
    (folder / "bad.py").write_text(f"{HEAD}@register_rule\ndef rule_bad(path):\n    {body}\n")


def still_good(ask: runner.Runner, tmp_path: Path) -> None:
    assert ask.takes("rule_good", tmp_path / "yes", {}) is True
    assert ask.takes("rule_good", tmp_path / "no", {}) is False


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("raise ValueError('no idea')", "no idea"),
        ("raise ValueError('x' * 10_000_000)", "xxx"),
        ("while True: pass", "did not answer"),
        ("time.sleep(3600)", "did not answer"),
        ("sys.exit(3)", "ends the program"),
        ("os._exit(3)", "ended the process"),
        ("os.kill(os.getpid(), 9)", "ended the process"),
        ("raise KeyboardInterrupt", "ended the process"),
        ("return None", "NoneType"),
        ("return 'no'", "str"),
        ("return object()", "object"),
        ("return [0] * 10_000_000", "list"),
        ("return rule_bad(path)", "Recursion"),
        ("return input()", "EOF"),
        ("return path.nothing", "nothing"),
    ],
)
def test_bad_code_fails_with_a_reason_and_hinders_no_other(
    ask: runner.Runner, folder: Path, tmp_path: Path, body: str, word: str
) -> None:
    bad(folder, body)

    with pytest.raises(runner.PluginFailed) as failed:
        ask.takes("rule_bad", tmp_path / "clip", {})

    assert word in failed.value.message
    assert len(failed.value.message) < 1000
    still_good(ask, tmp_path)


def test_what_it_prints_is_no_answer(ask: runner.Runner, folder: Path, tmp_path: Path) -> None:
    bad(folder, "print('{\"answer\": false}'); os.write(1, b'{\"answer\": false}\\n'); return True")

    assert ask.takes("rule_bad", tmp_path / "clip", {}) is True
    still_good(ask, tmp_path)


def test_what_it_prints_has_an_end(
    ask: runner.Runner, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad(folder, "[print('x' * 1000) for _ in range(1000)]; return True")

    assert ask.takes("rule_bad", tmp_path / "clip", {}) is True

    assert 1000 < len(capfd.readouterr().err) < 100_000


def test_a_second_process_that_it_makes_does_not_answer_too(ask: runner.Runner, folder: Path, tmp_path: Path) -> None:
    bad(folder, "os.fork(); return True")

    for _ in range(5):
        assert ask.takes("rule_bad", tmp_path / "clip", {}) is True
        still_good(ask, tmp_path)


def test_what_it_left_running_ends_with_it(folder: Path, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    bad(
        folder,
        f"pid = os.fork()\n    if not pid: time.sleep(3600)\n    open({str(note)!r}, 'w').write(str(pid)); return True",
    )
    asked = runner.Runner(folder, limit_seconds=20)
    assert asked.takes("rule_bad", tmp_path / "clip", {}) is True
    pid = int(note.read_text())

    asked.close()

    def is_gone() -> bool:
        try:
            return "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1]
        except FileNotFoundError:
            return True

    waiting.until(is_gone, seconds=20, what="the second process to end")


def test_a_file_that_never_comes_to_its_end_is_told_and_hinders_no_other(
    ask: runner.Runner, folder: Path, tmp_path: Path
) -> None:
    (folder / "endless.py").write_text("while True: pass\n")

    found = ask.describe()

    assert "not read within" in found["refused"]["endless.py"]
    assert "rule_good" in found["rules"]
    still_good(ask, tmp_path)


def test_files_that_are_no_code_are_told(ask: runner.Runner, folder: Path, tmp_path: Path) -> None:
    (folder / "a.py").write_text("this is no code")
    (folder / "b.py").write_bytes(b"\xff\xfe\x00")
    (folder / "c.py").write_text("raise SystemExit(1)")
    (folder / "d.py").write_text("from nephos.plugins import register_rule\nregister_rule(lambda path: True)")
    os.mkfifo(folder / "e.txt")

    assert sorted(ask.describe()["refused"]) == ["a.py", "b.py", "c.py", "d.py"]
    still_good(ask, tmp_path)


def test_a_thread_that_it_left_does_not_keep_the_child(folder: Path, tmp_path: Path) -> None:
    bad(folder, "threading.Thread(target=time.sleep, args=(3600,)).start(); return True")
    asked = runner.Runner(folder, limit_seconds=20)
    assert asked.takes("rule_bad", tmp_path / "clip", {}) is True
    child = asked._child
    assert child is not None
    assert child.stdin is not None

    child.stdin.close()  # as when the engine is killed

    assert child.wait(timeout=60) == 0
    asked.close()
