"""The unit and the container file say what they must."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import defaultdict
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
