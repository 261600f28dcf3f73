"""`nephos problem`, `mail`, `retention` and `asset edit`, with the station stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nephos.lib.errors import ExitCode


def problem() -> None:
    from nephos.monitoring import services

    services.report(
        services.Finding(
            key="disk.low:recordings",
            kind="disk.low",
            subject="volume:recordings",
            sentence="The disk is getting full.",
            reason="1 GiB is free.",
            retry="Every minute.",
            hint="Make room.",
        )
    )


def test_problems_are_listed_shown_and_muted(nephos: Any) -> None:
    assert nephos("problem", "list") == 0
    assert "There are no problems." in nephos.err
    problem()
    found = nephos.json("problem", "list")
    assert [one["key"] for one in found] == ["disk.low:recordings"]
    number = str(found[0]["id"])

    shown = nephos.json("problem", "show", number)
    assert (shown["reason"], shown["hint"], shown["retry"]) == ("1 GiB is free.", "Make room.", "Every minute.")
    assert nephos("problem", "mute", "disk.low:recordings", "--for", "8h") == 0
    assert "muted for 8h" in nephos.err
    assert nephos.json("problem", "show", number)["muted_until"]
    assert nephos("problem", "mute", number, "--for", "0s") == 0
    assert "told again" in nephos.err

    from nephos.monitoring import services

    services.clear("disk.low:recordings")
    assert nephos.json("problem", "list") == []
    assert len(nephos.json("problem", "list", "--all")) == 1
    assert nephos("problem", "show", "999999") == ExitCode.NOT_FOUND
    assert nephos("problem", "mute", number, "--for", "soon") == ExitCode.USAGE
    assert nephos("problem", "mute", number, "--for", "9999d") == ExitCode.USAGE


def test_a_trial_says_how_it_went(nephos: Any, tmp_path: Path) -> None:
    from tests.fakes import mail

    assert nephos("mail", "list") == 0
    assert nephos("mail", "test") == ExitCode.NOT_NOW
    assert "mail.host" in nephos.err
    with mail.serving(tmp_path) as box:
        for key, value in (("host", "127.0.0.1"), ("port", str(box.port)), ("security", "none")):
            assert nephos("config", "set", f"mail.{key}", value) == 0
        assert nephos("mail", "test") == ExitCode.USAGE
        assert nephos("config", "set", "mail.critical", "ops@example.org, b@example.org") == 0
        assert [one["ok"] for one in nephos.json("mail", "test")] == [True, True]
        assert nephos("mail", "test", "c@example.org") == 0
        assert box.receivers == ["ops@example.org", "b@example.org", "c@example.org"]
        assert nephos("mail", "test", "c@example.org\nBcc: x@y") == ExitCode.USAGE
        box.answers = {"*": "550 no"}
        assert nephos("mail", "test", "c@example.org") == ExitCode.FAILED
        assert "550" in nephos.out
    assert nephos("mail", "test", "--webhook", "none") == ExitCode.NOT_FOUND


def test_what_retention_would_free_is_shown_and_an_asset_can_be_kept(nephos: Any) -> None:
    from nephos.library import services

    assert nephos("retention", "plan") == 0
    assert "Nothing would be freed" in nephos.err
    asset = services.begin_fileset(key="k", title="Film", watch="inbox", stem="film", pipeline="")
    services.arrive(asset=asset)

    assert nephos("asset", "edit", str(asset.pk), "--keep") == 0
    assert "is kept" in nephos.err
    assert nephos.json("asset", "show", str(asset.pk))["keep"] is True
    assert nephos("asset", "edit", str(asset.pk), "--no-keep") == 0
    assert [one["kind"] for one in nephos.json("event", "list", "--kind", "asset.kept")] == ["asset.kept", "asset.kept"]


def test_settings_in_tables_inside_tables_are_set_by_their_type(nephos: Any) -> None:
    assert nephos("config", "set", "maintenance.disk.interval_seconds", "5") == 0
    assert nephos("config", "set", "maintenance.disk.enabled", "false") == 0
    shown = nephos.json("config", "show", "maintenance")["settings"]["maintenance"]["disk"]
    assert (shown["interval_seconds"], shown["enabled"]) == (5, False)
    assert nephos("config", "set", "maintenance.disk.enabled", "perhaps") == ExitCode.USAGE
    assert nephos("config", "set", "maintenance.disk.nothing", "1") == ExitCode.USAGE


def test_checks_are_listed_and_one_is_run_only_by_a_keeper_that_lives(nephos: Any) -> None:
    found = {one["name"]: one for one in nephos.json("maintenance", "list")}
    assert found["disk"]["enabled"] is True
    assert found["disk"]["interval_seconds"] == 60
    assert nephos("maintenance", "list") == 0
    assert "Is there space, and until when?" in nephos.out

    assert nephos("maintenance", "run", "disk") == ExitCode.NOT_NOW
    assert "The keeper does not run" in nephos.err
    assert nephos("maintenance", "run", "nothing") == ExitCode.NOT_FOUND
    assert nephos("maintenance", "run", "retention") == ExitCode.NOT_NOW
    assert "switched off" in nephos.err
