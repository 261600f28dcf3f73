"""Another program pauses a station: ten lines, a token that may do no more, and not one byte after a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes import proxy as proxy_fake
from tests.fakes.s3 import S3Server
from tests.support import waiting
from tests.support.station import Station

pytestmark = pytest.mark.alone

MIB = 1 << 20
SCRIPT = """\
import os, sys, urllib.request

def ask(path):
    request = urllib.request.Request(os.environ["STATION"] + "/api/v1" + path, method="POST", data=b"")
    request.add_header("Authorization", "Bearer " + os.environ["TOKEN"])
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status

print(ask("/transfers/" + sys.argv[1]))
"""


def test_a_script_of_ten_lines_stops_all_bytes_within_a_second_also_after_a_restart(
    station: Station, s3_server: S3Server, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "big").write_bytes(os.urandom(40 * MIB))
    (tmp_path / "pause.py").write_text(SCRIPT)
    with proxy_fake.proxying(s3_server.port) as proxy:
        proxy.bytes_per_second = 3 * MIB
        station.start()
        keys = {key: str(value) for key, value in s3_server.options(endpoint=proxy.endpoint).items()}
        chosen = ["--access-key", keys["access_key"], "--secret-key", keys["secret_key"]]
        station.run("connection", "add", "cloud", "s3", "--endpoint", keys["endpoint"], *chosen)
        station.run("destination", "add", "archive", "--connection", "cloud", "--base", "bench/in")
        station.run("watch", "add", "inbox", "--folder", str(inbox), "--to", "archive")
        token = station.json("token", "add", "switch", "--scope", "operate")["secret"]
        environment = {**os.environ, "STATION": f"http://127.0.0.1:{station.port}", "TOKEN": token}

        def script(verb: str) -> None:
            subprocess.run([sys.executable, tmp_path / "pause.py", verb], env=environment, check=True, timeout=20)

        waiting.until(lambda: proxy.passed_bytes > MIB, seconds=30, what="bytes to flow")
        script("pause")
        time.sleep(1)
        before = proxy.passed_bytes
        time.sleep(1)
        assert proxy.passed_bytes == before

        station.stop()
        station.start()
        time.sleep(2)
        assert proxy.passed_bytes == before

        proxy.bytes_per_second = 0
        script("resume")
        waiting.until((s3_server.bucket / "in" / "big").exists, seconds=30, what="the file to arrive")
