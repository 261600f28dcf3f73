"""Every noun by its commands, with the station stopped: data on stdout, sentences on stderr, exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from nephos.lib.errors import ExitCode

ADDRESS = "udp://239.1.2.3:5004"


def test_channels(nephos: Any) -> None:
    assert nephos("channel", "list") == 0
    assert (nephos.out, "no channels yet" in nephos.err) == ("", True)

    assert nephos("channel", "add", "La Uno", ADDRESS, "--country", "ES", "--zone", "Europe/Madrid") == 0
    assert nephos.out == ""
    assert "La Uno is there" in nephos.err
    made = nephos.json("channel", "show", "la u")
    assert {"id", "name", "slug", "address", "country", "language", "zone", "status", "buffer_seconds"} <= set(made)
    assert nephos("channel", "ls") == 0
    assert nephos.out.splitlines()[0].split() == ["ID", "NAME", "ADDRESS", "COUNTRY", "LANGUAGE", "ZONE", "STATUS"]
    assert nephos.json("channel", "edit", "la-uno", "--language", "spa")["language"] == "spa"
    assert nephos("channel", "add", "La Uno", "udp://239.1.2.4:5004") == ExitCode.NOT_NOW
    assert nephos("channel", "add", "Other", "gopher://x") == ExitCode.USAGE
    assert "hint: Write udp://" in nephos.err
    assert nephos("channel", "show", "nothing") == ExitCode.NOT_FOUND
    assert nephos("channel", "rm", "la-uno") == 0
    assert nephos.json("channel", "list") == []


def test_what_does_not_fit_is_shown_ahead(nephos: Any) -> None:
    nephos("channel", "add", "La Uno", ADDRESS)
    assert nephos("booking", "conflicts") == 0
    assert "Everything that is booked fits" in nephos.err
    rule = ["--name", "All", "--at", "00:00", "--duration", "24h", "--days", "daily"]
    assert nephos("schedule", "add", "la-uno", *rule) == 0

    [short] = nephos.json("booking", "conflicts")

    assert short["kind"] == "disk"
    assert nephos("booking", "list") == 0
    assert "Warning: The disk is full on" in nephos.err


def test_a_guide_is_taken_in_and_the_calendar_given_out(nephos: Any, tmp_path: Path) -> None:
    nephos("channel", "add", "La Uno", ADDRESS)
    rule = ["--name", "News", "--at", "20:00", "--duration", "30m", "--days", "daily", "--zone", "UTC"]
    assert nephos("schedule", "add", "la-uno", *rule) == 0
    day = nephos.json("booking", "list")[-1]["starts_at"][:10].replace("-", "")
    guide = tmp_path / "guide.xml"
    guide.write_text(
        f'<tv><channel id="uno"><display-name>la uno</display-name></channel>'
        f'<programme start="{day}200000 +0000" stop="{day}203000 +0000" channel="uno"><title>Storm</title></programme>'
        f'<programme start="{day}200000 +0000" stop="{day}203000 +0000" channel="x"><title>No</title></programme></tv>'
    )

    assert nephos("guide", "import", str(guide)) == 0
    assert "1 programmes of 1 channels; 1 titles." in nephos.err
    assert "Nobody knows these channels: x." in nephos.err
    assert nephos("booking", "list", "--ics") == 0
    assert "SUMMARY:Storm\r\n" in nephos.out
    assert nephos("guide", "list", "--channel", "la-uno") == 0
    assert nephos("guide", "import", str(guide), "--channel-map", "x=La Uno") == 0
    guide.write_text("<nothing/>")
    assert nephos("guide", "import", str(guide)) == ExitCode.USAGE
    assert nephos("guide", "import", str(tmp_path / "none.xml")) == ExitCode.NOT_FOUND


def test_a_check_of_a_silent_channel_fails(nephos: Any) -> None:
    nephos("channel", "add", "Quiet", "udp://239.255.77.8:40405?interface=127.0.0.1")

    assert nephos("channel", "check", "quiet", "--seconds", "0.5") == ExitCode.FAILED
    assert "Nothing comes." in nephos.out


def test_schedules(nephos: Any) -> None:
    nephos("channel", "add", "La Uno", ADDRESS, "--zone", "Europe/Madrid")
    rule = ["--name", "News", "--at", "20:30", "--duration", "30m", "--days", "mon,tue", "--padding-before", "1m"]

    assert nephos("schedule", "add", "la-uno", *rule) == 0
    assert "Monday and Tuesday at 20:30 Europe/Madrid, for 30m, from 1m before" in nephos.err
    assert len(nephos.out.splitlines()) == 4
    assert nephos("schedule", "preview", "news", "--count", "5") == 0
    assert len(nephos.out.splitlines()) == 6
    once = ["--at", "01:00", "--date", "2027-01-01", "--zone", "UTC", "--duration", "20s", "--json"]
    assert nephos("schedule", "preview", *once) == 0
    assert nephos.out.count("starts_at") == 1
    made = nephos.json("schedule", "edit", "news", "--days", "daily", "--priority", "5", "--tag", "a", "--tag", "b")
    assert (made["weekdays"], made["priority"], made["tags"]) == (127, 5, ["a", "b"])
    assert nephos("schedule", "disable", "news") == 0
    assert nephos.json("schedule", "list")[0]["enabled"] is False
    assert nephos("schedule", "enable", "news") == 0
    assert nephos("schedule", "show", "news") == 0
    assert "Every day at 20:30" in nephos.out
    assert nephos("schedule", "add", "la-uno", "--name", "x", "--at", "20:30", "--duration", "1m") == ExitCode.USAGE
    assert "weekdays or a date" in nephos.err
    rule = ["--every", "2 weeks", "--date", "2027-01-04", "--except", "2027-01-18", "--also", "2027-01-20"]
    made = nephos.json("schedule", "edit", "news", "--days", "once", *rule)
    assert (made["every"], made["not_on"], made["also_on"]) == ("2 weeks", ["2027-01-18"], ["2027-01-20"])
    monthly = ["--at", "02:30", "--rule", "FREQ=MONTHLY;BYDAY=-1SU", "--zone", "Europe/Madrid"]
    assert nephos("schedule", "preview", *monthly) == 0
    assert "Every month on the last Sunday at 02:30 Europe/Madrid" in nephos.err
    assert "Clocks change: Sun 2027-03-28 03:30:00 CEST" in nephos.err
    assert nephos("schedule", "rm", "news") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ["--at", "25:99"],
        ["--zone", "Mars/Olympus"],
        ["--days", "someday"],
        ["--date", "2026-02-30"],
        ["--name", "x" * 300],
        ["--name", "a\nb"],
        ["--duration", "0s"],
        ["--padding-after", "90d"],
    ],
)
def test_a_rule_that_makes_no_sense_is_usage(nephos: Any, wrong: list[str]) -> None:
    nephos("channel", "add", "La Uno", ADDRESS)
    good = ["--name", "n", "--at", "20:30", "--duration", "1m", "--days", "daily"]

    assert nephos("schedule", "add", "la-uno", *good, *wrong) == ExitCode.USAGE
    assert nephos.out == ""
    assert nephos.err.count("\n") <= 2
    assert nephos.json("schedule", "list") == []


def test_recording_at_once_and_bookings(nephos: Any) -> None:
    nephos("channel", "add", "La Uno", ADDRESS)

    made = nephos.json("record", "la-uno", "--duration", "20s", "--title", "Storm")
    number = str(made["id"])
    assert made["title"] == "Storm"
    assert nephos.json("booking", "list")[0]["state"] == "planned"
    assert nephos("booking", "extend", number, "--by", "1m") == 0
    assert "ends at" in nephos.err
    assert nephos("booking", "stop", number) == 0
    assert nephos.json("booking", "show", number)["state"] == "cancelled"
    assert nephos("booking", "skip", number) == ExitCode.NOT_NOW
    assert nephos("booking", "show", "999") == ExitCode.NOT_FOUND
    assert nephos("record", "nobody", "--duration", "20s") == ExitCode.NOT_FOUND


def test_waiting_for_a_recording_has_an_end(nephos: Any) -> None:
    nephos("channel", "add", "La Uno", ADDRESS)

    assert nephos("record", "la-uno", "--duration", "20s", "--wait", "--timeout", "0s") == ExitCode.TIMED_OUT
    assert "goes on without this command" in nephos.err


def test_assets_recordings_and_pipelines(nephos: Any) -> None:
    from nephos.lib import clock
    from nephos.library import queries, services, states

    nephos("channel", "add", "La Uno", ADDRESS)
    now = clock.now()
    asset = services.begin_recording(
        key="k", title="News", channel=queries.get_channel("la-uno"), stem="news_1", starts_at=now, ends_at=now
    )
    gap = {"start": clock.stamp(now), "end": clock.stamp(now), "seconds": 1.5, "cause": "no signal"}
    found = services.Finding(verdict=states.Verdict.COMPLETE_WITH_GAPS, reason="One gap.", score=90, gaps=[gap])
    services.finish_recording(asset=asset, finding=found)
    place = states.Place.RECORDINGS
    services.add_file(asset=asset, kind="source", place=place, path="x/news_1.ts", size_bytes=2048, sha256="")

    assert nephos("recording", "list") == 0
    assert "complete_with_gaps" in nephos.out
    assert nephos("recording", "show", "news_1") == 0
    assert "no signal" in nephos.out
    assert "2 KiB" in nephos.out
    assert nephos.json("asset", "show", str(asset.pk))["files"][0]["size_bytes"] == 2048
    assert nephos.json("asset", "list", "--state", "arrived")[0]["title"] == "News"
    assert nephos("asset", "list", "--state", "eaten") == ExitCode.USAGE
    assert nephos("recording", "show", "77") == ExitCode.NOT_FOUND
    assert "archive" in [row["name"] for row in nephos.json("pipeline", "list")]
    assert nephos("recording", "process", "news_1", "--pipeline", "nothing") == ExitCode.USAGE


TEMPLATE = """
specificationVersion: jobtemplate-2023-09
name: Hello
parameterDefinitions:
  - {name: Word, type: STRING, default: world}
steps:
  - name: Say
    script: {actions: {onRun: {command: echo, args: ["{{Param.Word}}"]}}}
"""


def test_jobs_and_workers(nephos: Any, tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(TEMPLATE)

    assert nephos("job", "submit", str(tmp_path / "hello.yaml"), "-p", "Word=there") == 0
    number = nephos.out.strip()
    assert nephos("job", "list") == 0
    assert number in nephos.out
    assert nephos("job", "show", number[:12]) == 0
    assert "Say" in nephos.out
    assert nephos("job", "why", number) == 0
    assert nephos.out.strip()
    assert nephos("job", "log", number) == 0
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled"), ("retry", "queued")):
        assert nephos.json("job", verb, number)["job"]["state"] == state
    assert nephos("job", "submit", str(tmp_path / "absent.yaml")) == ExitCode.USAGE
    assert nephos("job", "submit", str(tmp_path / "hello.yaml"), "-p", "Word") == ExitCode.USAGE
    assert nephos("worker", "list") == 0
    assert nephos("worker", "enable", "nobody") == ExitCode.NOT_FOUND
    assert nephos("worker", "disable", "nobody") == ExitCode.NOT_FOUND


def test_storage(nephos: Any, tmp_path: Path) -> None:
    keys = ["--access-key", "env:KEY", "--secret-key", "file:/k"]

    assert nephos("connection", "add", "store", "s3", "--endpoint", "https://s3.example.org", *keys) == 0
    assert nephos("destination", "add", "cloud", "--connection", "store", "--base", "bucket/tv") == 0
    assert nephos("connection", "add", "shelf", "file") == 0
    assert nephos("destination", "add", "disk", "--connection", "shelf", "--base", str(tmp_path / "shelf")) == 0
    assert nephos("connection", "test", "shelf") == 0
    assert "works" in nephos.out
    assert nephos("connection", "test", "store") == ExitCode.FAILED  # KEY is not set
    assert nephos("watch", "add", "sets", "--sets", "--to", "cloud, disk") == 0
    assert nephos("watch", "add", "two", "--sets", "--to", "cloud", "--to", "disk") == 0
    assert nephos.json("watch", "show", "two")["destinations"] == ["cloud", "disk"]
    assert nephos("watch", "remove", "two") == 0
    assert (
        nephos("watch", "add", "drop", "--folder", str(tmp_path), "--to", "disk") == ExitCode.USAGE
    )  # it holds the shelf
    (tmp_path / "drop").mkdir()
    assert nephos("watch", "add", "drop", "--folder", str(tmp_path / "drop"), "--to", "disk", "--settle", "5s") == 0
    assert nephos.json("watch", "show", "drop")["settle_seconds"] == 5
    for verb in ("pause", "resume", "rescan"):
        assert nephos("watch", verb, "sets") == 0
    assert nephos("watch", "plan", "sets") == 0
    assert nephos("watch", "show", "sets") == 0
    assert nephos("config", "check") == 0
    assert 'endpoint = "https://s3.example.org"' in nephos.home.config_file.read_text()
    assert nephos("connection", "remove", "shelf") == ExitCode.NOT_NOW
    assert nephos("connection", "add", "x", "s3", "--endpoint", "https://h", "--access-key", "AKIA") == ExitCode.USAGE
    assert nephos("watch", "add", "both", "--sets", "--folder", str(tmp_path), "--to", "disk") == ExitCode.USAGE
    for words in (["watch", "rm", "sets"], ["watch", "rm", "drop"], ["destination", "rm", "disk"]):
        assert nephos(*words) == 0
    assert [row["name"] for row in nephos.json("destination", "list")] == ["cloud"]
    assert [row["name"] for row in nephos.json("connection", "list")] == ["store", "shelf"]
    assert nephos("watch", "list") == 0


def test_transfers(nephos: Any) -> None:
    assert nephos.json("transfer", "list") == []
    assert nephos.json("transfer", "receipts") == []
    assert nephos("transfer", "retry", "1") == ExitCode.NOT_FOUND


def test_people(nephos: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    type_in("long enough indeed\n")
    assert nephos("user", "add", "ada", "--role", "operator", "--password-stdin") == 0
    type_in("short\n")
    assert nephos("user", "password", "ada") == ExitCode.USAGE
    assert nephos("user", "add", "bob", "--role", "king", "--no-password") == ExitCode.USAGE
    assert nephos.json("user", "list")[0]["role"] == "operator"
    assert "/login/" in nephos.json("user", "link", "ada")["url"]
    assert nephos.json("open")["user"] == "owner"
    assert nephos("open", "--print") == 0
    assert nephos.out.startswith("http://127.0.0.1:8600/login/")
    made = nephos.json("token", "add", "tray", "--scope", "read", "--scope", "report", "--expires-in", "30d")
    assert made["secret"].startswith("nph_")
    assert nephos.json("token", "list")[0]["scopes"] == ["read", "report"]
    assert made["secret"] not in nephos.out
    assert nephos("token", "remove", "tray") == 0
    assert nephos("user", "remove", "ada") == 0
    assert nephos("share", "add", "ada@example.org", "--tag", "storm") == 0
    assert nephos.json("share", "list")[0]["tags"] == ["storm"]
    assert nephos("share", "rm", "ada@example.org") == 0


def test_events_and_status(nephos: Any) -> None:
    nephos("channel", "add", "La Uno", ADDRESS)

    assert nephos("event", "list", "--kind", "channel") == 0
    assert "Channel La Uno was added." in nephos.out
    assert nephos.json("event", "list", "--after", "0")[0]["actor"] == "owner"
    assert nephos("status") == 0
    assert "is stopped" in nephos.out
    assert nephos.json("status")["running"] is False


def test_following_events_prints_a_line_each(nephos: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nephos.cli.commands import event

    def add_channel() -> None:
        from nephos.library import services

        services.add_channel(name="La Uno", address=ADDRESS)

    looks = iter([add_channel, None])

    def pause(_: float) -> None:
        act = next(looks)
        if act is None:
            raise KeyboardInterrupt
        act()

    monkeypatch.setattr(event.ports, "pause", pause)

    assert nephos("event", "follow", "--json") == ExitCode.INTERRUPTED
    assert '"channel.added"' in nephos.out
    assert nephos.out.count("\n") == 1


def test_settings(nephos: Any) -> None:
    assert nephos("config", "set", "web.port", "8601") == 0
    assert nephos.json("config", "show", "web")["settings"]["web"]["port"] == 8601
    assert nephos("config", "show") == 0
    assert "nephos.toml" in nephos.out
    for words in (["web.port", "many"], ["web.prt", "1"], ["nonsense", "1"], ["web.port", "99999"], ["", "1"]):
        assert nephos("config", "set", *words) == ExitCode.USAGE, words
    assert nephos("config", "show", "nothing") == ExitCode.NOT_FOUND
    nephos.home.config_file.write_text("[web]\nprt = 1\n")
    assert nephos("config", "check") == ExitCode.USAGE
    assert "prt" in nephos.err
    nephos.home.config_file.unlink()


def test_logs(nephos: Any) -> None:
    stamp = "2026-11-22T19:16:20.125Z"
    (nephos.home.logs / "keeper.log").write_text(f"{stamp} info    flow: one\n{stamp} error   flow: two\x1b[31m\n")

    assert nephos("logs", "keeper", "-n", "1") == 0
    assert nephos.out == f"{stamp} error   flow: two\\x1b[31m\n"
    assert nephos("logs", "nobody") == ExitCode.NOT_FOUND
    assert nephos("logs", "../config/secret.key") == ExitCode.NOT_FOUND
    assert nephos("logs", "keeper", "--level", "loud") == ExitCode.USAGE
    assert [row["level"] for row in (json.loads(line) for line in run_json(nephos, "--level", "error"))] == ["error"]


def run_json(nephos: Any, *options: str) -> list[str]:
    """Lines of `nephos logs keeper --json`."""
    assert nephos("logs", "keeper", *options, "--json") == 0
    return str(nephos.out).splitlines()


def test_a_rule_is_tried_on_a_file(nephos: Any, tmp_path: Path) -> None:
    assert "rule_size" in nephos.json("plugin", "list")["rules"]
    (tmp_path / "clip.mp4").write_bytes(b"x")
    assert nephos("plugin", "test", str(tmp_path / "clip.mp4")) == 0
    assert nephos("plugin", "test", str(tmp_path / "nothing")) == ExitCode.USAGE


def test_everything_is_paused_and_the_names_that_are_left_are_listed(nephos: Any) -> None:
    assert nephos("transfer", "pause-all") == 0
    assert nephos("transfer", "resume-all") == 0
    assert nephos("transfer", "verify") == 0
    assert nephos("transfer", "receipts", "--csv") == 0
    assert nephos.out.startswith("at,watch,destination,path,key,bytes,sha256")
    assert nephos("transfer", "show", "1") == ExitCode.NOT_FOUND
    assert "*.part" in [row["pattern"] for row in nephos.json("watch", "ignored")]
