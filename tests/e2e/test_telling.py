"""A real station and a real mail server: what goes wrong is told once, and so is its end."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from nephos.lib import clock
from tests.fakes import mail, multicast
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
