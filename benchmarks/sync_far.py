"""Uploads of the whole engine by SFTP to a server that is 50 ms away, against other programs on the same line.

    script/bench-sync far [--rounds N] [--only D] [--divide N]

The way there and back takes 50 ms: by `tc netem` in the loopback of a network namespace where the kernel has it, else
by a proxy that keeps each block for 25 ms and is as wide as the loopback. Which it is stands in each line. Contenders
take turns; our time runs from the start of the process to the last receipt. One JSON line for each peer.
`--divide` makes everything smaller by a factor; figures of such a run say nothing about the goals.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sync_uploads as uploads
from tests.fakes import pipe, s3, sftp
from tests.fakes.sync import Station

DELAY_SECONDS = 0.025  # each way
WORDS = {"D": "1,000 x 10 KiB", "C": "256 MiB"}
SIZES = {"D": (1000, 10 * 1024), "C": (1, 256 * uploads.MIB)}
GOALS = {("D", "rclone"): 0.10, ("C", "rclone"): 0.45, ("C", "sftp"): 0.45, ("C", "lftp"): 0.45}

Argv = Callable[[Path, str], list[str]]


@dataclass(frozen=True)
class Line:
    """A server at the end of a long line."""

    server: sftp.SftpServer
    port: int
    made_by: str


def main() -> None:
    """Measure and print."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--only", default="", choices=["", *SIZES])
    wanted.add_argument("--divide", type=int, default=1)
    chosen = wanted.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nephos-bench-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        with long_line(folder / "server") as line:
            for workload in [chosen.only] if chosen.only else SIZES:
                measure(line, workload, folder, rounds=chosen.rounds, divide=chosen.divide)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def long_line(folder: Path) -> Iterator[Line]:
    """OpenSSH behind the delay."""
    with has_netem() as by_netem, sftp.serving(folder) as server:
        if by_netem:
            server.trust(folder / "known")
            yield Line(server, server.port, "netem")
            return
        with pipe.piping(server.port, delay_seconds=DELAY_SECONDS) as way:
            server.trust(folder / "known", port=way.port)
            yield Line(server, way.port, "proxy")


@contextlib.contextmanager
def has_netem() -> Iterator[bool]:
    """Whether `script/bench-sync` put this process into a network of its own, where the loopback can be made long."""
    if os.environ.get("NEPHOS_OWN_NETWORK") != "1":
        yield False
        return
    made = subprocess.run(
        ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{DELAY_SECONDS * 1000}ms", "limit", "100000"],
        capture_output=True,
        check=False,
    )
    yield made.returncode == 0


def measure(line: Line, workload: str, folder: Path, *, rounds: int, divide: int) -> None:
    """All contenders in turn, then the medians."""
    count, size = SIZES[workload]
    count, size = (count, size // divide) if count == 1 else (count // divide, size)
    source = uploads.make(folder / "source", count, size)
    peers = contenders(line)
    if workload == "D":
        peers.pop("sftp", None)  # one round trip after another: minutes
    runs: dict[str, list[uploads.Run]] = {"nephos": [], **{name: [] for name in peers}}
    place = uploads.Server("SFTP 50 ms", lambda *_: None, lambda *_: [], lambda: None, {})
    place.connect = lambda station, prefix: connect(line, station, prefix)
    for number in range(rounds):
        runs["nephos"].append(uploads.ours(place, source, count, folder / f"home-{number}"))
        uploads.clear(line.server.root)
        for name, argv in peers.items():
            runs[name].append(uploads.peer(argv(source, workload), quiet=True))
            uploads.clear(line.server.root)
    shutil.rmtree(source)
    label = f"SFTP 50 ms ({line.made_by}), {WORDS[workload]}"
    for name in peers:
        value, against = uploads.median(runs["nephos"], "wall_seconds"), uploads.median(runs[name], "wall_seconds")
        goal = GOALS.get((workload, name))
        met = None if goal is None else value / against <= goal
        uploads.figure(f"{label}: wall against {name}", value, "s", against, goal, met)
    memory = uploads.median(runs["nephos"], "peak_mib")
    uploads.figure(f"{label}: peak memory", memory, "MiB", uploads.median(runs["rclone"], "peak_mib"), None, None)


def connect(line: Line, station: Station, prefix: str) -> None:
    """As a person would who trusts the server."""
    line.server.trust(station.home.databases, port=line.port)
    station.connect("there", "sftp", f"{line.server.root}/{prefix}", line.server.options(port=line.port))


def contenders(line: Line) -> dict[str, Argv]:
    """Other programs, with what measured best for them on a long line."""
    server, port = line.server, line.port
    user, known = str(server.options()["user"]), server.folder / "known" / "known_hosts"
    options = ["-i", str(server.key), "-o", f"UserKnownHostsFile={known}", "-c", "aes128-gcm@openssh.com"]

    def rclone(source: Path, _: str) -> list[str]:
        command = [s3.rclone(), "copy", str(source), f":sftp:{server.root}/peer", "--config", os.devnull, "-q"]
        command += ["--sftp-host", "127.0.0.1", "--sftp-port", str(port), "--sftp-user", user]
        command += ["--sftp-key-file", str(server.key), "--sftp-known-hosts-file", str(known)]
        command += ["--sftp-disable-hashcheck", "--sftp-shell-type", "none", "--sftp-chunk-size", "255k"]
        return [*command, "--sftp-concurrency", "64", "--transfers", "64", "--checkers", "64", "--stats", "0"]

    def lftp(source: Path, _: str) -> list[str]:
        script = (
            f"set sftp:auto-confirm yes; set sftp:connect-program 'ssh -a -x -F none -p {port} {' '.join(options)}';"
        )
        script += " set xfer:clobber yes; set sftp:max-packets-in-flight 64; set sftp:size-write 64k;"
        script += f" set net:connection-limit 0; open sftp://{user}:@127.0.0.1:{port};"
        return ["lftp", "-c", f"{script} mirror -R --parallel=16 {source} {server.root}/lftp"]

    def openssh(source: Path, _: str) -> list[str]:
        batch = source.parent / "batch"
        batch.write_text(f"@mkdir {server.root}/sftp\n@lcd {source}\n@cd {server.root}/sftp\n@put -rp .\n")
        command = ["sftp", "-q", "-F", "none", "-P", str(port), *options, "-R", "256", "-B", "261120", "-b", str(batch)]
        return [*command, f"{user}@127.0.0.1"]

    found: dict[str, Argv] = {"rclone": rclone, "sftp": openssh}
    return found | ({"lftp": lftp} if shutil.which("lftp") else {})


if __name__ == "__main__":
    main()
