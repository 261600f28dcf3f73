"""The command line as people type it: help, options anywhere, mistakes, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nephos.cli import app, lazy, station, table
from nephos.config import load
from nephos.lib import errors


def run(*arguments: str) -> int:
    station.forget()
    return app.run(arguments)


def imported_by(*arguments: str) -> set[str]:
    """Modules that a fresh interpreter holds after a command."""
    code = f"import sys; from nephos.cli import app; app.run({list(arguments)!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["channel", "--help"], ["completion", "bash"]])
def test_light_commands_import_neither_django_nor_tables(arguments: list[str]) -> None:
    loaded = imported_by(*arguments)

    assert not loaded & {"django", "ninja", "pydantic", "rich.table", "numpy", "msgspec", "asyncio", "openjd"}
    others = {name for name in loaded if name.startswith("nephos.cli.commands.")}
    assert others <= {f"nephos.cli.commands.{arguments[0]}"}


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0

    out = capsys.readouterr().out
    for name, entry in table.TABLE.items():
        assert f"  {name} " in out
        assert entry.help in " ".join(out.split())


@pytest.mark.parametrize("name", list(table.TABLE))
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = lazy.load(name, table.TABLE[name])

    assert command.help
    for verb, inner in getattr(command, "commands", {}).items():
        assert inner.help, f"{name} {verb}"
    if not table.TABLE[name].bare:
        assert run(name, "--help") == 0
        assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--json", "version"], ["version", "--json"], ["--quiet", "version", "--json", "--plain"]],
)
def test_options_of_all_commands_go_before_or_after_the_name(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0

    assert json.loads(capsys.readouterr().out)["title"] == "Nephos"


def test_the_version_tells_who_made_it(capsys: pytest.CaptureFixture[str]) -> None:
    run("version", "--json")

    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["title", "description", "author", "author_mail", "licence", "version", "release"]
    assert all(found.values())
    assert found["licence"] == "Apache-2.0"
    assert found["release"].startswith(found["version"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["chanel"], "nephos channel"), (["verison"], "nephos version"), (["channel", "lst"], "nephos channel list")],
)
def test_an_unknown_command_suggests_the_nearest(
    typed: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*typed) == errors.ExitCode.USAGE

    caught = capsys.readouterr()
    assert caught.out == ""
    assert f"hint: Did you mean `{meant}`?" in caught.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["channel"],
        ["channel", "add"],
        ["channel", "list", "--nonsense"],
        ["channel", "list", "extra"],
        ["job", "list", "--limit", "many"],
        ["event", "list", "--limit", "0"],
        ["event", "list", "--limit", "9" * 400],
        ["booking", "skip", "9" * 400],
        ["booking", "skip", "-" + "9" * 30],
        ["booking", "show", "x"],
        ["completion", "tcsh"],
        ["record", "x", "--duration", "soon"],
        ["schedule", "add", "x", "--name", "n", "--at", "20:00", "--duration", "-3"],
        ["--home"],
        ["--home", "a\nb", "status"],
        ["stop", "--now", "--drain"],
        ["--server", "http://127.0.0.1:9", "stop"],
        ["start", "--server", "http://127.0.0.1:9"],
        ["run", "nobody"],
        ["start", "--only", "nobody"],
        ["--server", "ftp://x", "channel", "list"],
        ["--server", "http://[::1", "channel", "list"],
        ["--server", "x" * 300, "channel", "list"],
    ],
)
def test_a_wrong_command_line_is_usage_in_one_sentence(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEPHOS_HOME", str(tmp_path / "home"))

    assert run(*arguments) == errors.ExitCode.USAGE

    caught = capsys.readouterr()
    assert caught.out == ""
    assert "Traceback" not in caught.err
    assert not (tmp_path / "home" / "databases").exists() or arguments[0] in ("start", "run")


@pytest.mark.parametrize(
    "command", [["channel", "list"], ["worker", "run"], ["manage", "check"], ["record", "x", "--duration", "1s"]]
)
def test_a_home_that_is_not_there_is_said_and_not_made(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run("--home", "nowhere", *command) == errors.ExitCode.NOT_NOW

    assert "nephos start" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_broken_settings_file_keeps_nobody_from_stopping_and_looking(
    home: load.Loaded, capsys: pytest.CaptureFixture[str]
) -> None:
    home.home.config_file.write_text("[web]\nprt = 1\n")
    here = ["--home", str(home.home.root)]

    assert run(*here, "start") == errors.ExitCode.USAGE
    assert run(*here, "status") == 0
    assert run(*here, "stop") == errors.ExitCode.NOT_NOW
    assert run(*here, "logs", "web") == errors.ExitCode.NOT_FOUND
    assert run(*here, "doctor", "--json") == errors.ExitCode.FAILED


@pytest.mark.parametrize("place", ["/dev/null/x", "/proc/nothing", "/tmp/" + "x" * 300])
def test_a_home_that_cannot_be_is_refused_in_a_sentence(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("init", "start", "doctor", "channel"):
        words = ["channel", "list"] if command == "channel" else [command]
        assert run("--home", place, *words) in (errors.ExitCode.NOT_NOW, errors.ExitCode.FAILED)
        assert "Traceback" not in capsys.readouterr().err


def test_nobody_at_the_other_end_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--server", "http://127.0.0.1:9", "channel", "list") == errors.ExitCode.UNREACHABLE

    assert capsys.readouterr().err.count("\n") == 2


def test_an_unexpected_error_shows_its_trace_only_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall() -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("nephos.cli.commands.version.about", fall)

    assert run("version") == errors.ExitCode.FAILED
    assert "Traceback" not in capsys.readouterr().err
    assert run("version", "--verbose") == errors.ExitCode.FAILED
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nephos.cli.commands.version.about", interrupt)

    assert run("version") == errors.ExitCode.INTERRUPTED


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("completion", shell) == 0

    assert "_NEPHOS_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(("line", "wanted"), [("nephos sched", "schedule"), ("nephos channel re", "remove")])
def test_the_shell_is_told_what_may_follow(line: str, wanted: str) -> None:
    words = line.split(" ")
    environment = {
        "_NEPHOS_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-m", "nephos"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert wanted in done.stdout.split()


def test_a_reader_that_leaves_is_no_error() -> None:
    program = f"{sys.executable} -m nephos --help | true"
    done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.stderr == ""
