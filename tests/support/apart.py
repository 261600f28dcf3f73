"""A network of its own for one thread: IPv6, routes and vanishing interfaces, without touching the machine's."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

NEAR, FAR = "near0", "far0"  # two interfaces with a cable between them; what is sent on one comes in at the other
NEAR_IPV4, FAR_IPV4 = "10.77.0.1", "10.77.0.2"
NEAR_IPV6, FAR_IPV6 = "2001:db8::9", "2001:db8::7"
_CLONE_NEWNET = 0x40000000


def ip(command: str) -> None:
    """One command of iproute2, in the network of the calling thread."""
    done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {command}: {done.stderr}"


def cable() -> None:
    """Lay it; again after `link delete`."""
    ip(f"link add {NEAR} type veth peer name {FAR}")
    for name, ipv4, ipv6 in ((NEAR, NEAR_IPV4, NEAR_IPV6), (FAR, FAR_IPV4, FAR_IPV6)):
        ip(f"addr add {ipv4}/24 dev {name}")
        ip(f"-6 addr add {ipv6}/64 dev {name} nodad")
        ip(f"link set {name} up")
        # Both ends are ours, and the kernel takes a sender with an address of its own for a forged one.
        for key, value in (("accept_local", "1"), ("rp_filter", "0")):
            Path(f"/proc/sys/net/ipv4/conf/{name}/{key}").write_text(value)


def run(body: Callable[[], None]) -> None:
    """Run it in a fresh network with loopback and a cable; threads and programs that it starts are in there too.

    The network goes with its last socket. Skips where namespaces cannot be made: CI is root and can.
    """
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _enter()
            body()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    thread = threading.Thread(target=work, name="apart")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _enter() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("network namespaces are Linux's")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        pytest.skip(f"no network namespace can be made here: {os.strerror(ctypes.get_errno())}")
    ip("link set lo up")
    try:
        cable()
    except OSError as error:
        pytest.skip(f"the settings of a network cannot be changed here: {error}")
