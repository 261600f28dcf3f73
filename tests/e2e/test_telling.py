"""A real station and a real mail server: what goes wrong is told once, and so is its end."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from nephos.daemon import roles
from nephos.lib import clock
from tests.fakes import mail, multicast
from tests.fakes.s3 import BUCKET, S3Server
from tests.support import waiting
from tests.support.station import Station

SETTINGS = """
[station]
name = "hill"
[recording]
interface = "127.0.0.1"
[mail]
host = "127.0.0.1"
port = {port}
security = "starttls"
ca_file = "{ca_file}"
username = "{user}"
password = "env:MAIL_PASSWORD"
sender = "nephos@example.org"
critical = ["ops@example.org"]
[maintenance.channels]
interval_seconds = 1
recheck_seconds = 0.5
timeout_seconds = 0.6
[maintenance.disk]
interval_seconds = 0.5
min_bytes = 0
min_percent = 0
warn_hours = 0
[maintenance.roles]
interval_seconds = 0.5
restarts = 2
"""


def configure(station: Station, box: mail.Box, more: str = "") -> None:
    (station.root / "config").mkdir(parents=True, exist_ok=True)
    text = SETTINGS.format(port=box.port, ca_file=box.ca_file, user=mail.USER) + more
    (station.root / "config/nephos.toml").write_text(text)
    station.environment["MAIL_PASSWORD"] = mail.PASSWORD


def test_a_channel_that_goes_and_comes_a_disk_that_is_low_and_a_role_that_crashes_are_each_told_once(
    station: Station, tmp_path: Path
) -> None:
    with mail.serving(tmp_path, security="starttls", auth=True) as box:
        configure(station, box)
        station.start()
        group, port = multicast.free_group(), multicast.free_port()
        sender = multicast.MulticastSender(group, port, loop=True, keep=False).start()
        station.run("channel", "add", "Hill TV", f"udp://{group}:{port}?interface=127.0.0.1")
        up = lambda: station.json("channel", "show", "Hill TV")["status"] == "up"  # noqa: E731
        waiting.until(up, seconds=20, what="the channel to be up")

        sender.stop()
        waiting.until(lambda: box.about("Hill TV is down"), seconds=30, what="a mail that the channel is down")
        assert station.json("problem", "list", "--kind", "channel")[0]["state"] == "open"
        sender = multicast.MulticastSender(group, port, loop=True, keep=False).start()
        waiting.until(lambda: box.about("Over: Channel Hill TV"), seconds=30, what="a mail that it is up again")

        # A setting that is changed while it runs: the disk is low from now on.
        station.run("config", "set", "maintenance.disk.min_bytes", str(10**15))
        waiting.until(lambda: box.about("getting full"), seconds=20, what="a mail about the disk")
        station.run("config", "set", "maintenance.disk.min_bytes", "0")
        waiting.until(lambda: box.about("Over: The disk"), seconds=20, what="a mail that there is room")

        for _ in range(3):
            pid = waiting.until(lambda: station.pid_of("sync"), seconds=20, what="sync to live")
            os.kill(pid, signal.SIGKILL)
            waiting.until(lambda pid=pid: station.pid_of("sync") not in (None, pid), seconds=20, what="another sync")
            time.sleep(1.2)  # so that the check sees each of them
        waiting.until(lambda: box.about("sync ends again"), seconds=20, what="a mail that sync crashes")

        sender.stop()

        assert box.titles()[:5] == [
            "[hill] Channel Hill TV is down",
            "[hill] Over: Channel Hill TV is down",
            "[hill] The disk with the recordings is getting full",
            "[hill] Over: The disk with the recordings is getting full",
            "[hill] The role sync ends again and again",
        ]
        text = box.about("Hill TV is down")[0].get_content()
        assert "Tried again:" in text
        assert "What to do:" in text
        assert all(one["state"] == "told" for one in station.json("mail", "list"))


def test_what_was_missed_while_it_was_off_is_told_at_the_start(station: Station, tmp_path: Path) -> None:
    with mail.serving(tmp_path, security="starttls", auth=True) as box:
        configure(station, box)
        station.start()
        station.run("channel", "add", "Hill TV", f"udp://{multicast.free_group()}:5004")
        due = clock.now() + timedelta(seconds=9)
        when = ["--at", f"{due:%H:%M:%S}", "--date", f"{due:%Y-%m-%d}", "--duration", "2s", "--zone", "UTC"]
        station.run("schedule", "add", "Hill TV", "--name", "Late news", *when)
        waiting.until(lambda: station.json("booking", "list"), seconds=10, what="the booking")
        station.stop()
        waiting.until(lambda: clock.now() > due + timedelta(seconds=5), seconds=20, what="its time to pass")
        station.start()

        waiting.until(lambda: box.about("missed"), seconds=30, what="a mail of what was missed")
        text = box.about("missed")[0].get_content()
        assert "Why:" in text
        assert len(box.about("missed")) == 1


def test_a_recording_without_signal_is_one_alert_and_one_recovery(station: Station, tmp_path: Path) -> None:
    with mail.serving(tmp_path, security="starttls", auth=True) as box:
        # The check of the channels looks at once, and so could find it before the recording does.
        configure(station, box, "[maintenance.signal]\nsilent_seconds = 2\n")
        station.start()
        group, port = multicast.free_group(), multicast.free_port()
        station.run("channel", "add", "Hill TV", f"udp://{group}:{port}?interface=127.0.0.1")
        station.run("record", "Hill TV", "--duration", "40s", "--title", "Late news")
        waiting.until(lambda: box.letters, seconds=20, what="a mail of no signal")
        time.sleep(4)
        assert len(box.letters) == 1, box.titles()

        sender = multicast.MulticastSender(group, port, loop=True, keep=False).start()
        waiting.until(lambda: box.about("Over:"), seconds=20, what="a mail that it comes now")
        status = lambda: station.json("channel", "show", "Hill TV")["status"] == "up"  # noqa: E731
        waiting.until(status, seconds=10, what="the channel to be up")
        sender.stop()
        assert len(box.letters) == 2, box.titles()


CRYING = Path(__file__).parents[1] / "support/crying"


def test_each_role_and_the_supervisor_can_cry_for_help_and_is_heard_once(station: Station, tmp_path: Path) -> None:
    with mail.serving(tmp_path, security="starttls", auth=True) as box:
        configure(station, box)
        settings = station.root / "config/nephos.toml"
        settings.write_text(settings.read_text().replace("[mail]", "[mail]\nalone = 100"))
        station.environment["PYTHONPATH"] = str(CRYING)
        station.start()
        everybody = [*roles.ROLES, "supervisor"]
        cries = [f"[hill] The role {role} calls for help: The sky falls" for role in everybody]
        heard = lambda: set(cries) <= set(box.titles())  # noqa: E731
        waiting.until(heard, seconds=60, what="a mail from each role")
        twice = lambda: {one["count"] for one in station.json("problem", "list", "--kind", "log.critical")} == {2}  # noqa: E731
        waiting.until(twice, seconds=20, what="the second cry of each")

        assert sorted(title for title in box.titles() if "sky" in title) == sorted(cries)


def test_a_destination_that_is_down_is_told_once_and_so_is_its_end(
    station: Station, tmp_path: Path, s3_server: S3Server
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    options = "\n".join(f"{key} = {value!r}" for key, value in s3_server.options().items())
    s3_server.stop()
    more = f"""
[maintenance.deliveries]
interval_seconds = 0.5
waiting_seconds = 2
[sync]
settle_seconds = 0.2
[connection.store]
kind = "s3"
[connection.store.options]
{options}
[destination.vault]
connection = "store"
base = "{BUCKET}/tv"
[watch.inbox]
folder = "{inbox}"
destinations = ["vault"]
"""
    with mail.serving(tmp_path, security="starttls", auth=True) as box:
        configure(station, box, more)
        station.start()
        (inbox / "a.txt").write_text("one")
        waiting.until(lambda: box.about("vault does not take"), seconds=40, what="a mail that the destination is down")
        problem = station.json("problem", "list", "--kind", "delivery")[0]
        assert "cannot be reached" in problem["reason"], problem

        s3_server.start()
        station.run("transfer", "retry", str(station.json("transfer", "list")[0]["id"]))
        waiting.until(lambda: box.about("Over: Destination vault"), seconds=60, what="a mail that it is over")

        waiting.until(lambda: list(s3_server.store.rglob("a.txt")), seconds=10, what="the file at the destination")
        assert len([title for title in box.titles() if "vault" in title]) == 2, box.titles()
