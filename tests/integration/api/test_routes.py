"""Every noun of the API does what its routes say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nephos.library.models import Channel
from tests.support.callers import Caller

CHANNEL = {
    "name": "La Uno",
    "address": "udp://239.1.2.3:5004",
    "country": "es",
    "language": "SPA",
    "zone": "Europe/Madrid",
}
RULE = {"channel": "la-uno", "name": "News", "start": "20:30", "duration_seconds": 1800, "weekdays": "mon-fri"}


def test_a_channel_is_added_found_changed_and_removed(owner: Caller) -> None:
    made = owner("POST", "/channels", CHANNEL)

    assert made.status == 201
    assert made.document["country"] == "ES"
    assert [row["slug"] for row in owner("GET", "/channels").document] == ["la-uno"]
    assert owner("GET", "/channels/La%20U").document["id"] == made.document["id"]
    assert owner("PATCH", "/channels/la-uno", {"zone": "UTC"}).document["zone"] == "UTC"
    assert owner("DELETE", f"/channels/{made.document['id']}").status == 204
    assert owner("GET", "/channels").document == []


def test_a_channel_that_is_silent_is_noted_as_down(owner: Caller) -> None:
    owner("POST", "/channels", {**CHANNEL, "address": "udp://239.255.77.7:40404?interface=127.0.0.1"})

    found = owner("POST", "/channels/la-uno/check", {"seconds": 0.5})

    assert found.status == 200
    assert found.document["status"] == "down"
    assert owner("GET", "/channels/la-uno").document["status"] == "down"


def test_a_schedule_is_added_previewed_switched_and_removed(owner: Caller) -> None:
    owner("POST", "/channels", CHANNEL)

    made = owner("POST", "/schedules", RULE)

    assert made.status == 201
    assert made.document["words"] == "Monday to Friday at 20:30 Europe/Madrid, for 30m"
    assert made.document["next_at"].endswith("Z")
    assert len(owner("GET", "/schedules/news/preview?count=7").document["airings"]) == 7
    assert owner("POST", "/schedules/news/disable").document["enabled"] is False
    assert owner("POST", "/schedules/news/enable").document["enabled"] is True
    changed = owner("PATCH", "/schedules/news", {"start": "21:00:30", "padding_after_seconds": 60})
    assert changed.document["start"] == "21:00:30"
    assert changed.document["padding_after_seconds"] == 60
    assert owner("GET", "/schedules?channel=la-uno").document[0]["name"] == "News"
    assert owner("GET", "/schedules/news").status == 200
    assert owner("DELETE", "/schedules/news").status == 204


def test_a_rule_is_tried_without_being_kept(owner: Caller) -> None:
    rule = {"start": "02:30", "weekdays": "sun", "zone": "Europe/Madrid", "count": 3, "duration_seconds": 60}

    found = owner("POST", "/schedules/preview", rule)

    assert len(found.document["airings"]) == 3
    assert owner("GET", "/schedules").document == []


def test_a_recording_is_ordered_extended_and_stopped(owner: Caller) -> None:
    owner("POST", "/channels", CHANNEL)

    made = owner("POST", "/record", {"channel": "La Uno", "duration_seconds": 60, "title": "Storm"})

    assert made.status == 201
    number = made.document["id"]
    assert owner("GET", "/bookings?upcoming=true").document[0]["title"] == "Storm"
    longer = owner("POST", f"/bookings/{number}/extend", {"by_seconds": 60})
    assert longer.document["ends_at"] > made.document["ends_at"]
    assert owner("POST", f"/bookings/{number}/stop").document["state"] == "cancelled"
    assert owner("GET", f"/bookings/{number}").document["reason"]
    assert owner("POST", f"/bookings/{number}/skip").status == 409


def test_a_planned_airing_is_skipped(owner: Caller) -> None:
    owner("POST", "/channels", CHANNEL)
    owner("POST", "/schedules", {**RULE, "weekdays": "daily"})
    airing = owner("GET", "/bookings?upcoming=true").document[0]

    assert owner("POST", f"/bookings/{airing['id']}/skip").document["state"] == "skipped"


def test_assets_are_listed_shown_and_processed(owner: Caller) -> None:
    from nephos.lib import clock
    from nephos.library import queries, services

    owner("POST", "/channels", CHANNEL)
    now = clock.now()
    asset = services.begin_recording(
        key="k", title="News", channel=queries.get_channel("la-uno"), stem="news_1", starts_at=now, ends_at=now
    )

    assert owner("GET", "/assets?door=recording&state=arriving").document[0]["id"] == asset.pk
    assert owner("GET", "/recordings?channel=la-uno&search=new").document[0]["stem"] == "news_1"
    assert owner("GET", "/recordings/news_1").document["recording"]["gaps"] == []
    assert owner("GET", f"/assets/{asset.pk}").document["files"] == []
    refused = owner("POST", f"/assets/{asset.pk}/process", {"pipeline": "archive"})
    assert refused.status == 409
    assert "arriving" in refused.document["detail"]


def test_pipelines_are_listed(owner: Caller) -> None:
    found = owner("GET", "/pipelines").document

    assert "archive" in [row["name"] for row in found]


TEMPLATE = """
specificationVersion: jobtemplate-2023-09
name: Hello
parameterDefinitions:
  - {name: Word, type: STRING, default: world}
steps:
  - name: Say
    script: {actions: {onRun: {command: echo, args: ["{{Param.Word}}"]}}}
"""


def test_a_job_is_submitted_paused_resumed_cancelled_and_retried(owner: Caller) -> None:
    made = owner("POST", "/jobs", {"template": TEMPLATE, "parameters": {"Word": "there"}, "key": "one"})

    assert made.status == 201
    number = made.document["job"]["id"]
    assert owner("POST", "/jobs", {"template": TEMPLATE, "key": "one"}).document["job"]["id"] == number
    assert owner("GET", "/jobs?state=queued").document[0]["id"] == number
    assert owner("GET", f"/jobs/{number[:12]}").document["parameters"]["Word"] == "there"
    assert owner("GET", f"/jobs/{number}/why").document["why"]
    assert owner("GET", f"/jobs/{number}/log").kind == "text/plain"
    assert owner("POST", f"/jobs/{number}/pause").document["job"]["state"] == "paused"
    assert owner("POST", f"/jobs/{number}/resume").document["job"]["state"] == "queued"
    assert owner("POST", f"/jobs/{number}/cancel").document["job"]["state"] == "cancelled"
    assert owner("POST", f"/jobs/{number}/retry").document["job"]["state"] == "queued"


def test_workers_are_switched_on_and_off(owner: Caller) -> None:
    from nephos.farm.models import Worker
    from nephos.lib import clock

    Worker.objects.create(name="local", host="here", engine="local", slots=2, state="online", seen_at=clock.now())

    assert owner("POST", "/workers/local/disable").document["enabled"] is False
    assert owner("POST", "/workers/local/enable").document["enabled"] is True
    assert owner("GET", "/workers").document[0]["name"] == "local"
    assert owner("POST", "/workers/nobody/enable").status == 404


def test_the_ledger_fences_what_it_does_not_know(program: Any) -> None:
    worker = program("worker")

    assert worker("POST", "/ledger/claim", {"attempt": "x", "worker": "w"}).document == {"assignment": None}
    assert worker("POST", "/ledger/renew", {"attempt": "x"}).document == {"ok": False}
    assert worker("POST", "/ledger/steal", {"attempt": "x"}).status == 422
    assert worker("POST", "/ledger/claim", {}).status == 422


def test_storage_is_set_up_used_and_taken_down_in_order(owner: Caller, tmp_path: Path) -> None:
    shelf = str(tmp_path / "shelf")

    assert owner("POST", "/connections", {"name": "shelf", "kind": "file"}).status == 201
    assert owner("POST", "/connections/shelf/test").status == 409
    made = owner("POST", "/destinations", {"name": "archive", "connection": "shelf", "base": shelf})
    assert made.status == 201
    assert owner("POST", "/connections/shelf/test").document["works"] is True
    watch = owner("POST", "/watches", {"name": "sets", "sets": True, "destinations": ["archive"]})
    assert watch.status == 201
    assert watch.document["source"] == "finished sets"
    assert owner("GET", "/watches/sets").document["destinations"] == ["archive"]
    assert owner("GET", "/watches/sets/plan").document["files"] == []
    for verb in ("pause", "resume", "rescan"):
        assert owner("POST", f"/watches/sets/{verb}").document["order"] == verb
    assert owner("GET", "/connections").document[0]["destinations"] == ["archive"]
    assert owner("GET", "/destinations").document[0]["watches"] == ["sets"]
    assert owner("DELETE", "/connections/shelf").status == 409
    assert owner("DELETE", "/destinations/archive").status == 409
    for path in ("/watches/sets", "/destinations/archive", "/connections/shelf"):
        assert owner("DELETE", path).status == 204
    assert owner("GET", "/watches").document == []


def test_transfers_and_receipts_are_listed(owner: Caller) -> None:
    assert owner("GET", "/transfers?state=held").document == []
    assert owner("GET", "/receipts?limit=5").document == []
    assert owner("POST", "/transfers/7/retry").status == 404
    assert owner("GET", "/transfers?state=lost").status == 422


def test_shares_are_added_and_removed(owner: Caller) -> None:
    owner("POST", "/channels", CHANNEL)

    made = owner("POST", "/shares", {"email": "Ada@Example.org", "channel": "la-uno", "tags": ["storm"]})

    assert made.document["email"] == "ada@example.org"
    assert owner("GET", "/shares").document[0]["channel"] == "La Uno"
    assert owner("DELETE", "/shares/ada@example.org").status == 204


def test_events_come_newest_first_or_after_a_cursor(owner: Caller) -> None:
    owner("POST", "/channels", CHANNEL)
    owner("DELETE", "/channels/la-uno")

    newest = owner("GET", "/events?kind=channel").document
    later = owner("GET", f"/events?after={newest[1]['id']}&kind=channel").document

    assert [row["kind"] for row in newest] == ["channel.removed", "channel.added"]
    assert [row["kind"] for row in later] == ["channel.removed"]
    assert newest[0]["actor"] == "owner"


def test_accounts_and_tokens_are_made_and_taken_back(owner: Caller) -> None:
    assert owner("POST", "/users", {"name": "ada", "role": "operator", "password": "long enough indeed"}).status == 201
    assert owner("POST", "/users/ada/password", {"password": "short"}).status == 422
    assert owner("POST", "/users/ada/password", {"password": "another long one"}).status == 204
    made = owner("POST", "/tokens", {"name": "tray", "scopes": ["read"], "user": "ada", "expires_in_seconds": 60})
    assert made.document["secret"].startswith("nph_")
    assert "secret" not in owner("GET", "/tokens").document[0]
    link = owner("POST", "/login-links", {"user": "ada"}).document
    assert "/login/" in link["url"]
    assert owner("DELETE", "/tokens/tray").status == 204
    assert owner("DELETE", "/users/ada").status == 204
    assert "ada" not in [row["name"] for row in owner("GET", "/users").document]


def test_the_status_names_every_role(owner: Caller) -> None:
    found = owner("GET", "/status").document

    assert [role["role"] for role in found["roles"]] == ["recorder", "sync", "farm", "keeper", "web"]
    assert found["running"] is False


def test_an_address_with_a_password_is_never_shown_and_never_lost(owner: Caller) -> None:
    made = owner("POST", "/channels", {**CHANNEL, "address": "https://me:hunter2@example.org/live.m3u8"})
    shown = made.document["address"]

    again = owner("PATCH", "/channels/la-uno", {"address": shown, "zone": "UTC"})
    taken = owner("POST", "/channels", {"name": "B", "address": "https://me:hunter2@example.org/live.m3u8"})

    assert shown == "https://me:***@example.org/live.m3u8"
    assert (again.document["address"], again.document["zone"]) == (shown, "UTC")
    assert Channel.objects.get().address == "https://me:hunter2@example.org/live.m3u8"
    assert "hunter2" not in str([made.document, again.document, taken.document])


def test_a_channel_that_is_probed_when_it_is_added_keeps_the_answer(owner: Caller) -> None:
    silent = {**CHANNEL, "address": "udp://239.255.77.9:40406?interface=127.0.0.1", "probe": True}

    made = owner("POST", "/channels", silent)

    assert made.status == 201
    assert (made.document["status"], made.document["found"]["layers"][1]["grade"]) == ("down", "fail")


def test_pauses_and_deletions_are_ordered(owner: Caller, tmp_path: Path) -> None:
    owner("POST", "/connections", {"name": "shelf", "kind": "file"})
    owner("POST", "/destinations", {"name": "archive", "connection": "shelf", "base": str(tmp_path / "there")})
    watch = {"name": "inbox", "folder": str(tmp_path), "destinations": ["archive"], "mode": "mirror"}
    assert owner("POST", "/watches", {**watch, "folder": "/nowhere"}).status == 422
    (tmp_path / "in").mkdir()
    assert owner("POST", "/watches", {**watch, "folder": str(tmp_path / "in")}).document["mode"] == "mirror"

    for verb in ("undo", "approve"):
        assert owner("POST", f"/watches/inbox/{verb}", {"paths": ["a"]}).document[0]["order"] == verb
    assert owner("POST", "/watches/inbox/reset").document["order"] == "reset"
    assert owner("POST", "/watches/inbox/restore", {"to": "relative"}).status == 422
    assert owner("POST", "/watches/inbox/restore", {"to": str(tmp_path), "paths": ["../x"]}).status == 422
    assert owner("POST", "/watches/inbox/restore", {"to": str(tmp_path)}).document["order"] == "restore"
    for verb in ("pause", "resume"):
        assert owner("POST", f"/destinations/archive/{verb}").document["order"] == verb
        assert owner("POST", f"/destinations/nobody/{verb}").status == 404
        assert owner("POST", f"/transfers/{verb}").document["order"] == verb
        assert owner("POST", f"/transfers/99/{verb}").status == 404
    assert owner("GET", "/recalls").document == []
