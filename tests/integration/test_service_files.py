"""The unit and the container file say what they must."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "packaging"


def unit() -> dict[str, list[str]]:
    """The unit's settings."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (FOLDER / "nephos.service").read_text().splitlines():
        key, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found[key].append(value)
    return found


def test_the_unit_comes_back_whatever_happens_and_can_hear_multicast() -> None:
    settings = unit()

    assert settings["Restart"] == ["always"]
    assert settings["KillMode"] == ["mixed"]
    assert settings["StartLimitIntervalSec"] == ["0"]
    assert settings["OOMPolicy"] == ["continue"]
    assert "network-online.target" in settings["After"][0]
    assert {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"} <= set(settings["RestrictAddressFamilies"][0].split())
    assert not {"PrivateNetwork", "IPAddressDeny", "MemoryDenyWriteExecute"} & set(settings)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    installed = Path(sys.executable).with_name("nephos")
    text = (FOLDER / "nephos.service").read_text().replace("/opt/nephos/bin/nephos", str(installed))
    copy = tmp_path / "nephos.service"
    copy.write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )

    about_us = [line for line in done.stderr.splitlines() if "nephos" in line]
    assert (done.returncode, about_us) == (0, []), done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_finds_the_unit_well_protected(tmp_path: Path) -> None:
    copy = tmp_path / "nephos.service"
    shutil.copy(FOLDER / "nephos.service", copy)

    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-500:]  # 3.0 of 10, and less is better


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the container file with its argument, lines that go on joined."""
    text = (FOLDER / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = "\n".join(lines).replace("\\\n", "").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in found)]


def test_each_instruction_of_the_container_file_is_one_that_builders_know() -> None:
    known = {"FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    found = instructions()

    assert {word for word, _ in found} <= known
    assert found[0] == ("FROM", "debian:12-slim AS build")
    for word, argument in found:
        if word in ("ENTRYPOINT", "CMD"):
            assert all(isinstance(part, str) for part in json.loads(argument))
        if word == "COPY" and argument.startswith("--from="):
            assert argument.startswith("--from=build ")


def test_the_container_knows_how_well_it_is_on_any_port(tmp_path: Path) -> None:
    said = dict(instructions())["HEALTHCHECK"].partition("CMD ")[2]
    command = json.loads(said)
    assert command[:2] == ["python3", "-c"]
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Host"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            pass

    def run() -> int:
        argv = [sys.executable, "-c", command[2]]
        return subprocess.run(argv, env={"NEPHOS_HOME": str(tmp_path)}, capture_output=True, check=False).returncode

    assert run() != 0  # nothing runs
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        (tmp_path / "run").mkdir()
        page = {"details": {"address": f"http://127.0.0.1:{server.server_address[1]}"}}
        (tmp_path / "run/web.json").write_text(json.dumps(page))
        assert run() == 0
        server.shutdown()
    assert asked == [("/healthz", "localhost")]
    assert run() != 0


def test_the_container_is_not_root_and_carries_no_secret() -> None:
    text = (FOLDER / "Containerfile").read_text()
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)

    assert stages[-1].startswith("debian:12-slim")
    assert re.search(r"^USER 10001$", stages[-1], re.MULTILINE)
    assert "ffmpeg" in stages[-1]
    assert "--network host" in text
    assert not re.search(r"^ADD |curl|wget|:latest|PASSWORD|SECRET", text, re.MULTILINE)
    for name in re.findall(r"^COPY ([^-/][^\n]*) /", text, re.MULTILINE):
        assert all((FOLDER.parent / part).exists() for part in name.split()), name
