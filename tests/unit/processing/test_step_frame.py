"""The frame of a step: what it is told, what it answers."""

from __future__ import annotations

import errno
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nephos.lib import children
from nephos.processing import airing, errors
from nephos.processing.steps import base


@pytest.fixture(autouse=True)
def work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = signal.getsignal(signal.SIGTERM)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("NEPHOS_ATTEMPT_DIR", str(work))
    yield work
    signal.signal(signal.SIGTERM, before)


def ask(tmp_path: Path, **more: str) -> list[str]:
    values = {"source": str(tmp_path / "a.ts"), "folder": str(tmp_path), "stem": "show", **more}
    return [f"--{name}={value}" for name, value in values.items()]


def test_outputs_are_listed_with_size_and_sum(
    tmp_path: Path, work_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(order: base.Order) -> list[base.Output]:
        (order.work / "show.txt").write_text("hello")
        return [base.Output(kind="text", name="show.txt", more={"label": "CC1"})]

    assert base.run(work, ask(tmp_path)) == 0

    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    listed = json.loads((work_folder / "outputs.json").read_text())
    assert listed == [{"kind": "text", "path": "show.txt", "bytes": 5, "sha256": digest, "label": "CC1"}]
    assert capsys.readouterr().out == "openjd_progress: 100\n"


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (errors.NotMedia("This file holds only sound.", hint="Use another."), 1, "This file holds only sound. Use"),
        (children.ProgramMissing("The program ffmpeg is not installed."), 75, "The program ffmpeg is not installed."),
        (OSError(errno.ENOSPC, "No space left on device"), 75, "No space left on device."),
        (OSError(errno.EACCES, "Permission denied", "/x"), 1, "Permission denied (/x)."),
        (ZeroDivisionError("division by zero"), 70, "The step broke down: ZeroDivisionError: division by zero"),
        (errors.Unplayable("one\ntwo"), 1, "one two"),
    ],
)
def test_a_failure_is_one_sentence_and_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception, code: int, sentence: str
) -> None:
    def work(_order: base.Order) -> list[base.Output]:
        raise error

    assert base.run(work, ask(tmp_path)) == code

    out = capsys.readouterr().out
    assert out.startswith(f"openjd_fail: {sentence}")
    assert out.count("\n") == 1


@pytest.mark.parametrize("stem", ["", "..", "a/b", "a\\b"])
def test_a_stem_cannot_leave_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], stem: str) -> None:
    assert base.run(_nothing, ask(tmp_path, stem=stem)) == 1
    assert "cannot be the stem" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--source=a"], ["--what=1"]])
def test_a_wrong_call_is_a_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert base.run(_nothing, arguments) == 1
    assert "openjd_fail: The step was called wrongly" in capsys.readouterr().out


def test_values_may_look_like_options(tmp_path: Path) -> None:
    seen: list[base.Order] = []

    base.run(_keep(seen), ask(tmp_path, title="--stem=x", **{"starts-at": "2026-11-22T19:16:20Z"}))

    assert seen[0].title == "--stem=x"
    assert seen[0].manifest is None


def test_a_moment_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert base.run(_nothing, ask(tmp_path, **{"starts-at": "tomorrow"})) == 1
    assert "'tomorrow' is no moment" in capsys.readouterr().out


def test_the_mp4_never_has_the_name_of_its_source(tmp_path: Path) -> None:
    seen: list[base.Order] = []

    base.run(_keep(seen), ask(tmp_path))
    base.run(_keep(seen), ask(tmp_path, source=str(tmp_path / "show.mp4")))

    assert [order.video_name for order in seen] == ["show.mp4", "show.web.mp4"]


def test_only_gaps_inside_the_file_explain_a_shorter_video(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.json"
    gaps = [("19:16:00", 20.0), ("19:16:30", 2.5), ("19:17:00", 9.0)]
    document = {
        "recorded_from": "2026-11-22T19:16:20.000Z",
        "recorded_to": "2026-11-22T19:17:00.000Z",
        "gaps": [{"start": f"2026-11-22T{at}.000Z", "seconds": seconds} for at, seconds in gaps],
    }
    path.write_text(json.dumps(document))

    assert airing.read(path).gaps_seconds == (2.5,)


def test_a_manifest_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.json"
    path.write_text('{"recorded_from": 3, "recorded_to": 4}')

    with pytest.raises(errors.ProcessingError, match="cannot be read"):
        airing.read(path)


def _nothing(_order: base.Order) -> list[base.Output]:
    return []


def _keep(seen: list[base.Order]) -> Callable[[base.Order], list[base.Output]]:
    def work(order: base.Order) -> list[base.Output]:
        seen.append(order)
        return []

    return work
