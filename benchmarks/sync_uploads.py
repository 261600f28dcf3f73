"""Uploads of the whole engine (planner, journal, receipts, proof) against tuned `rclone copy` on the same server.

    python benchmarks/sync_uploads.py [--rounds N] [--only TEXT] [--divide N]

The workloads of S3 on `rclone serve s3` and on a sink, and of SFTP on OpenSSH over the loopback; contenders take turns.
From and to memory, so that no disk is in the way. Our time runs from the start of the process to the last receipt; CPU
and peak memory are those of the client with its child processes (`ssh`), start and end included. One JSON line each.
`--divide` makes everything smaller by a factor, for a quick look; figures of such a run say nothing about the goals.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fakes import s3, sftp
from tests.fakes.sync import Station

from nephos.sync import database, queries
from nephos.sync.connections import registry
from nephos.sync.connections.s3 import probe

MIB = 1 << 20
SIZES = {"A": (5000, 10 * 1024), "B": (500, MIB), "C": (1, 2048 * MIB)}
WORDS = {"A": "5,000 x 10 KiB", "B": "500 x 1 MiB", "C": "one 2 GiB file"}


@dataclass(frozen=True)
class Run:
    """One contender, one time."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    proof: str = ""


@dataclass(frozen=True)
class Goals:
    """Most that the issue allows: ratios to the peer, and MiB."""

    wall: float
    cpu: float
    memory_mib: float | None = None


@dataclass
class Server:
    """Where both contenders upload to, and how each is told."""

    name: str
    connect: Callable[[Station, str], None]
    peer: Callable[[str, str], list[str]]  # folder there, workload
    empty: Callable[[], None]
    goals: dict[str, Goals]
    verify: str = "auto"
    others: dict[str, Callable[[Path, str], list[str]]] = field(default_factory=dict)


def main() -> None:
    """Measure and print."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--only", default="", help="part of server and workload, such as `OpenSSH A`")
    wanted.add_argument("--divide", type=int, default=1)
    chosen = wanted.parse_args()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="nephos-bench-", dir=memory))
    as_installed(folder / "bytecode")
    try:
        for name, open_server in SERVERS.items():
            workloads = [each for each in SIZES if chosen.only.casefold() in f"{name} {each}".casefold()]
            if not workloads:
                continue
            with open_server(folder / "server") as server:
                for workload in (each for each in workloads if each in server.goals):
                    measure(server, workload, folder, rounds=chosen.rounds, divide=chosen.divide)
            shutil.rmtree(folder / "server", ignore_errors=True)
    finally:
        shutil.rmtree(folder)


def as_installed(folder: Path) -> None:
    """Start from bytecode, as an installed program does, wherever this runs and whatever the environment says."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    modules = "nephos.core.logs, nephos.sync.engine"
    kinds = ", ".join(registry.KINDS.values())
    subprocess.run([sys.executable, "-c", f"import {modules}, {kinds}"], check=True)


def measure(server: Server, workload: str, folder: Path, *, rounds: int, divide: int) -> None:
    """All contenders in turn, then the medians."""
    count, size = SIZES[workload]
    count, size = (count, size // divide) if count == 1 else (count // divide, size)
    source = make(folder / "source", count, size)
    runs: dict[str, list[Run]] = {"nephos": [], "rclone": [], **{name: [] for name in server.others}}
    for number in range(rounds):
        runs["nephos"].append(ours(server, source, count, folder / f"home-{number}"))
        server.empty()
        runs["rclone"].append(peer(server.peer(str(source), workload)))
        server.empty()
        for name, argv in server.others.items():
            runs[name].append(peer(argv(source, workload)))
            server.empty()
    shutil.rmtree(source)
    report(server, workload, runs)


def make(source: Path, count: int, size: int) -> Path:
    """Files of chance in folders of a hundred, so that nothing can be compressed or taken for another."""
    for number in range(count):
        place = source / f"folder {number // 100:03}" / f"file {number:05}"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as stream:
            for _ in range(max(1, size // MIB)):
                stream.write(os.urandom(min(size, MIB)))
    return source


def ours(server: Server, source: Path, count: int, home: Path) -> Run:
    """The engine in a process of its own, on a fresh home."""
    station = Station(home)
    station.tables["sync"] = {"settle_seconds": 0}
    station.tables["logging"] = {"level": "warning"}
    server.connect(station, home.name)
    station.watch("source", "there", folder=source)
    began = time.monotonic()
    process = station.spawn()
    while delivered(station) < count:
        assert process.poll() is None, "the engine ended"
        time.sleep(0.03)
    wall = time.monotonic() - began
    proof = str(queries.receipts(station.home, limit=1)[0].proof)
    process.terminate()
    used = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    shutil.rmtree(home)
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, proof)


def delivered(station: Station) -> int:
    """Receipts so far; the highest id is cheap to ask for."""
    with database.reading(station.home.sync_database) as db:
        return int(db.execute("SELECT coalesce(max(id), 0) FROM receipts").fetchone()[0]) if db is not None else 0


def peer(argv: list[str], *, quiet: bool = False) -> Run:
    """Another program."""
    began = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL if quiet else None)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    assert process.returncode == 0, f"{argv[0]} failed"
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


# Servers


@contextlib.contextmanager
def rclone_server(folder: Path) -> Iterator[Server]:
    """`rclone serve s3`, where the server itself is most of the time."""
    with s3.serving(folder) as server:
        goals = {"A": Goals(0.75, 0.35, 90), "B": Goals(0.90, 0.50, 100), "C": Goals(0.55, 0.35, 110)}
        yield s3_server("S3 rclone serve", server.endpoint, server.options(), goals, lambda: clear(server.bucket))


@contextlib.contextmanager
def sink_server(folder: Path) -> Iterator[Server]:
    """A server that swallows everything, so that it is the client that is measured."""
    goals = {"A": Goals(0.40, 0.35, 90), "B": Goals(0.60, 0.50, 100), "C": Goals(0.35, 0.35, 110)}
    with sink(folder) as (port, values):
        values["endpoint"] = f"http://127.0.0.1:{port}"
        yield s3_server("S3 sink", values["endpoint"], values, goals, lambda: None, "--ignore-checksum")


@contextlib.contextmanager
def secure_sink_server(folder: Path) -> Iterator[Server]:
    """The same over TLS, with a certificate that both contenders verify."""
    folder.mkdir()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=sink", "-days", "2"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    with sink(folder, "-DTLS", "-lssl", "-lcrypto", "-lpthread", more=[str(certificate), str(key)]) as (port, values):
        values |= {"endpoint": f"https://127.0.0.1:{port}", "ca_file": str(certificate)}
        flags = ("--ignore-checksum", "--ca-cert", str(certificate))
        goals = {"C": Goals(0.60, 0.60)}
        yield s3_server("S3 sink over TLS", values["endpoint"], values, goals, lambda: None, *flags)


@contextlib.contextmanager
def sink(folder: Path, *flags: str, more: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
    """Compiled and running: its port, and the options that name our keys."""
    folder.mkdir(exist_ok=True)
    program = folder / "sink"
    source = str(Path(__file__).with_name("sync_sink.c"))
    subprocess.run(["cc", "-O2", "-o", str(program), source, *flags], check=True)
    for name in ("access", "secret"):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text("benchmark")
    port = s3.free_port()
    process = subprocess.Popen([str(program), str(port), *WRONG_SUMS, *more])
    try:
        wait_for(port)
        yield port, {"access_key": f"file:{folder}/access", "secret_key": f"file:{folder}/secret"}
    finally:
        process.terminate()
        process.wait()


def s3_server(
    name: str,
    endpoint: str,
    values: dict[str, Any],
    goals: dict[str, Goals],
    empty: Callable[[], None],
    *more: str,
) -> Server:
    """Both contenders on one endpoint; rclone with the flags that measured best."""

    def argv(source: str, _: str) -> list[str]:
        remote = f":s3,provider=Other,endpoint='{endpoint}',region=us-east-1:{s3.BUCKET}/peer"
        command = [s3.rclone(), "copy", source, remote, "--config", os.devnull, "--stats", "0", "-q", *more]
        command += ["--s3-access-key-id", s3.ACCESS_KEY, "--s3-secret-access-key", s3.SECRET_KEY]
        command += ["--s3-no-check-bucket", "--no-traverse", "--no-check-dest", "--s3-no-head", "--s3-disable-checksum"]
        command += ["--transfers", "16", "--checkers", "16", "--s3-upload-concurrency", "4"]
        return [*command, "--s3-chunk-size", "16M"]

    def connect(station: Station, prefix: str) -> None:
        station.connect("there", "s3", f"{s3.BUCKET}/{prefix}", values, verify="auto")

    return Server(name, connect, argv, empty, goals)


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[Server]:
    """OpenSSH."""
    with sftp.serving(folder) as server:
        known = folder / "known"
        server.trust(known)

        def connect(station: Station, prefix: str) -> None:
            server.trust(station.home.databases)
            station.connect("there", "sftp", f"{server.root}/{prefix}", server.options())

        def argv(source: str, workload: str) -> list[str]:
            transfers = "16" if workload == "C" else "4"
            command = [s3.rclone(), "copy", source, f":sftp:{server.root}/peer", "--config", os.devnull, "-q"]
            command += ["--sftp-host", "127.0.0.1", "--sftp-port", str(server.port), "--sftp-user", "root"]
            command += ["--sftp-user", str(server.options()["user"]), "--sftp-key-file", str(server.key)]
            command += ["--sftp-known-hosts-file", str(known / "known_hosts"), "--sftp-disable-hashcheck"]
            command += ["--sftp-shell-type", "none", "--sftp-chunk-size", "255k", "--sftp-concurrency", "64"]
            return [*command, "--transfers", transfers, "--checkers", transfers, "--stats", "0"]

        def lftp(source: Path, _: str) -> list[str]:
            program = f"ssh -a -x -c aes128-gcm@openssh.com -F none -i {server.key} -p {server.port}"
            program += f" -o UserKnownHostsFile={known}/known_hosts"
            script = f"set sftp:auto-confirm yes; set sftp:connect-program '{program}'; set xfer:clobber yes;"
            script += " set sftp:max-packets-in-flight 64; set sftp:size-write 64k; set net:connection-limit 0;"
            script += f" open sftp://{server.options()['user']}:@127.0.0.1:{server.port};"
            return ["lftp", "-c", f"{script} mirror -R --parallel=2 {source} {server.root}/lftp"]

        goals = {"A": Goals(0.35, 0.40, 80), "B": Goals(0.80, 1.0), "C": Goals(1.0, 1.0)}
        others = {"lftp": lftp} if shutil.which("lftp") else {}
        yield Server("SFTP OpenSSH", connect, argv, lambda: clear(server.root), goals, others=others)


def clear(folder: Path) -> None:
    """Remove what is in a folder."""
    for place in folder.iterdir():
        shutil.rmtree(place)


def wait_for(port: int) -> None:
    """Until somebody listens."""
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)


# Figures


def report(server: Server, workload: str, runs: dict[str, list[Run]]) -> None:
    """Medians against the peer's."""
    own, goals = runs["nephos"], server.goals[workload]
    label = f"{server.name}, {WORDS[workload]}, proof {own[0].proof}"
    for what, name, unit, goal in (
        ("wall", "wall_seconds", "s", goals.wall),
        ("client CPU", "cpu_seconds", "s", goals.cpu),
    ):
        value, against = median(own, name), median(runs["rclone"], name)
        figure(f"{label}: {what}", value, unit, against, goal, (value / against) <= goal)
    memory = median(own, "peak_mib")
    within = None if goals.memory_mib is None else memory <= goals.memory_mib
    figure(f"{label}: peak memory", memory, "MiB", median(runs["rclone"], "peak_mib"), goals.memory_mib, within)
    if workload == "A" and "lftp" in runs:
        value, against = median(own, "wall_seconds"), median(runs["lftp"], "wall_seconds")
        figure(f"{label}: wall against lftp", value, "s", against, 0.5, value / against <= 0.5)


def median(runs: list[Run], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)


def figure(name: str, value: float, unit: str, against: float, goal: float | None, met: bool | None) -> None:  # noqa: FBT001
    """One JSON line."""
    line: dict[str, object] = {"name": name, "value": round(value, 3), "unit": unit, "peer": round(against, 3)}
    print(json.dumps({**line, "ratio": round(value / against, 2), "goal": goal, "met": met}), flush=True)


# Of what the probe says it sends and does not: the sink refuses them.
WRONG_SUMS = (probe.WRONG_SHA256, probe.WRONG_CRC)
SERVERS = {
    "S3 rclone serve": rclone_server,
    "S3 sink": sink_server,
    "S3 sink over TLS": secure_sink_server,
    "SFTP OpenSSH": ssh_server,
}


if __name__ == "__main__":
    main()
