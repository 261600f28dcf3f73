"""OpenStack Swift with its S3 face on one node: the strictest checker of sums that is to be had. Slow: tens of objects.

It is not among the development packages. `NEPHOS_TEST_SWIFT` names the bin folder of an environment that has it:
`python -m venv X && X/bin/pip install swift`, then `NEPHOS_TEST_SWIFT=X/bin`.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.s3 import free_port

ACCESS_KEY = "test:tester"
SECRET_KEY = "testsecret"

_RINGS = """
import sys
from swift.common.ring import RingBuilder
folder = sys.argv[1]
for pair in sys.argv[2:]:
    name, port = pair.split("=")
    ring = RingBuilder(4, 1, 1)
    place = {"ip": "127.0.0.1", "port": int(port)}
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "device": "d1", "weight": 1, "meta": "", **place,
                  "replication_ip": "127.0.0.1", "replication_port": int(port)})
    ring.rebalance()
    ring.get_ring().save(f"{folder}/{name}.ring.gz")
"""
_FILTERS = {
    "s3api": "location = us-east-1\ncheck_bucket_owner = false\nmin_segment_size = 5242880\n",
    "tempauth": f"user_{ACCESS_KEY.replace(':', '_')} = {SECRET_KEY} .admin\n",
    "versioned_writes": "allow_object_versioning = true\n",
}
_PIPELINE = (
    "catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink"
)


@dataclass(frozen=True)
class Swift:
    """A running one."""

    port: int
    keys: Path

    def options(self) -> dict[str, str | int | float | bool]:
        return {
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key": f"file:{self.keys}/access",
            "secret_key": f"file:{self.keys}/secret",
        }


def programs() -> Path | None:
    """Where it is installed, None if it is not."""
    found = os.environ.get("NEPHOS_TEST_SWIFT", "")
    return Path(found) if found else None


@contextlib.contextmanager
def serving(folder: Path, programs: Path) -> Iterator[Swift]:
    """Account, container, object and proxy server on free ports."""
    etc = folder / "etc"
    for place in (etc, folder / "srv" / "d1", folder / "keys"):
        place.mkdir(parents=True)
    ports = {name: free_port() for name in ("account", "container", "object", "proxy")}
    _configure(folder, ports)
    rings = [f"{name}={port}" for name, port in ports.items() if name != "proxy"]
    subprocess.run([str(programs / "python"), "-c", _RINGS, str(etc), *rings], check=True)
    for name, value in (("access", ACCESS_KEY), ("secret", SECRET_KEY)):
        (folder / "keys" / name).touch(mode=0o600)
        (folder / "keys" / name).write_text(value)
    servers = []
    try:
        for name in ports:
            argv = [str(programs / "python"), str(programs / f"swift-{name}-server"), str(etc / f"{name}.conf")]
            servers.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        _wait(ports["proxy"])
        yield Swift(ports["proxy"], folder / "keys")
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(timeout=20)


def _configure(folder: Path, ports: dict[str, int]) -> None:
    etc = folder / "etc"
    (etc / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_prefix = p\nswift_hash_path_suffix = s\n"
        "[storage-policy:0]\nname = default\ndefault = yes\n"
    )
    common = f"bind_ip = 127.0.0.1\nworkers = 0\nswift_dir = {etc}\nuser = {getpass.getuser()}\nlog_level = WARNING\n"
    for name, port in ports.items():
        if name == "proxy":
            continue
        (etc / f"{name}.conf").write_text(
            f"[DEFAULT]\n{common}bind_port = {port}\ndevices = {folder / 'srv'}\nmount_check = false\n"
            f"fallocate_reserve = 0\ndisable_fallocate = true\n[pipeline:main]\npipeline = {name}-server\n"
            f"[app:{name}-server]\nuse = egg:swift#{name}\n"
        )
    filters = "".join(f"[filter:{f}]\nuse = egg:swift#{f}\n{_FILTERS.get(f, '')}" for f in _PIPELINE.split())
    (etc / "proxy.conf").write_text(
        f"[DEFAULT]\n{common}bind_port = {ports['proxy']}\n[pipeline:main]\npipeline = {_PIPELINE} proxy-server\n"
        f"[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n{filters}"
    )


def _wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=2).read()
            return
        assert time.monotonic() < deadline, "Swift did not start"
        time.sleep(0.1)
