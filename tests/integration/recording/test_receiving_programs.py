"""Sources that are other programs: started, watched, ended, never left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.config import load
from nephos.lib import clock
from nephos.recording import plan
from nephos.recording.sources import address, base, errors, ffmpeg, links, multicat, process, registry
from tests.fakes import senders, transport
from tests.support.recorder import Station

STREAM = transport.stream(2000)
PYTHON = sys.executable


def source(*command: str, prepare: process.Prepare | None = None) -> process.ProcessSource:
    return process.ProcessSource(prepare or (lambda _: command), what="pipe", shown="pipe:x")


def fetch(one: base.Source, enough: Callable[[bytes], bool], timeout: float = 60) -> bytes:
    """What comes out until it is enough. Raises SourceError as `fill` does."""
    out = b""
    until = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ)
        while not enough(out):
            assert time.monotonic() < until
            if selector.select(0.2):
                one.fill()
                out += one.decode(one.take()).packets.tobytes()
    return out


def wait_until(true: Callable[[], object], timeout: float = 60) -> None:
    until = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_a_program_writes_comes_out_in_whole_packets(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(b"rubbish" + STREAM + b"\x47torn")
    one = source("cat", str(path))
    one.open()

    assert fetch(one, lambda out: len(out) >= len(STREAM)) == STREAM
    with pytest.raises(errors.SourceError, match="ended"):
        fetch(one, lambda _: False)
    one.close()


def test_a_program_that_complains_is_quoted_without_its_secrets() -> None:
    one = source("sh", "-c", "echo 'no way to http://me:hunter2@h/x' >&2; sleep 0.2; exit 3")
    one.open()

    with pytest.raises(errors.SourceError, match=r"no way to http://me:\*\*\*@h/x"):
        fetch(one, lambda _: False)
    one.close()


def test_a_missing_program_says_so() -> None:
    one = source("no-such-program-anywhere")
    one.open()

    with pytest.raises(errors.SourceError, match="not installed"):
        fetch(one, lambda _: False)


def test_a_flood_of_complaints_does_not_stop_the_stream() -> None:
    script = "import sys,time\nsys.stderr.write('x' * 5_000_000)\nsys.stdout.buffer.write(b'G' + bytes(187))\n"
    one = source(PYTHON, "-c", f"{script}sys.stdout.flush()\ntime.sleep(60)")
    one.open()

    wait_until(lambda: one.fill() >= 188)
    one.close()


def test_closing_never_waits_and_ends_a_program_that_ignores_it(tmp_path: Path) -> None:
    mark = tmp_path / "deaf"
    script = f"import pathlib, signal, time\nsignal.signal(15, signal.SIG_IGN)\npathlib.Path('{mark}').touch()\n"
    one = source(PYTHON, "-c", f"{script}time.sleep(60)")
    one.open()
    wait_until(mark.exists)

    one.close()

    assert senders.processes_naming(str(mark))  # it is told twice, seconds apart, before it is killed
    wait_until(lambda: not senders.processes_naming(str(mark)))


def test_a_program_that_is_still_being_prepared_is_not_started() -> None:
    started = threading.Event()

    def prepare(is_unwanted: object) -> Sequence[str]:
        started.set()
        assert isinstance(is_unwanted, threading.Event)
        is_unwanted.wait(5)
        return ("sleep", "987654")

    one = source(prepare=prepare)
    one.open()
    assert started.wait(5)
    one.close()

    time.sleep(0.2)
    assert not senders.processes_naming("987654")


def test_a_program_dies_with_a_recorder_that_is_killed(tmp_path: Path) -> None:
    mark = f"77{os.getpid()}.125"
    script = tmp_path / "holder.py"
    script.write_text(
        "import time\nfrom nephos.recording.sources import process\n"
        f"one = process.ProcessSource(lambda _: ('sleep', '{mark}'), what='pipe', shown='x')\n"
        "one.open()\ntime.sleep(60)\n"
    )
    holder = subprocess.Popen([PYTHON, str(script)])
    wait_until(lambda: senders.processes_naming(mark))

    holder.send_signal(signal.SIGKILL)
    holder.wait()

    wait_until(lambda: not senders.processes_naming(mark))


def test_opened_again_the_counters_start_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(STREAM)
    one = source("cat", str(path))
    begins = []
    for _ in range(2):
        one.open()
        wait_until(lambda: one.fill() >= 1)
        begins.append(one.decode(one.take()).begins)
        one.close()

    assert begins == [True, True]


def test_a_command_of_the_settings_never_meets_a_shell(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    given = registry.Options(commands={"tuner": ["echo", f"$(touch {trap}); touch {trap}"]})
    one = registry.make("pipe:tuner", given)
    one.open()

    with pytest.raises(errors.SourceError):
        fetch(one, lambda _: False)
    assert not trap.exists()


def test_a_command_that_the_settings_do_not_name_says_what_to_write() -> None:
    one = registry.make("pipe:tuner", registry.Options())
    one.open()

    with pytest.raises(errors.SourceError) as caught:
        fetch(one, lambda _: False)
    assert "[source.tuner]" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "present", "absent"),
    [
        ("http://h/a.ts", ["-map", "-rw_timeout"], ["-re"]),
        ("http://h/a.m3u8", ["-re", "-rw_timeout"], ["-map"]),
        ("rtsp://h/a", ["-rtsp_flags", "-timeout", "-map"], ["-re"]),
        ("file:///a%20b.ts", ["file:/a b.ts", "-stream_loop"], ["-rw_timeout"]),
    ],
)
def test_ffmpeg_is_told_what_the_address_needs(url: str, present: list[str], absent: list[str]) -> None:
    command = ffmpeg.command(links.read(url))

    assert set(present) <= set(command)
    assert not set(absent) & set(command)
    assert "file" not in command[command.index("-protocol_whitelist") + 1].split(",") or url.startswith("file")


@pytest.mark.parametrize(
    ("url", "interface", "is_rtp", "payload", "expected"),
    [
        ("udp://239.1.2.3:1", "", False, 1316, ["multicat", "-u", "@239.1.2.3:1", "/dev/stdout"]),
        ("udp://239.1.2.3:1", "127.0.0.1", True, 1316, ["multicat", "@239.1.2.3:1/ifaddr=127.0.0.1", "/dev/stdout"]),
        ("udp://10.0.0.9@232.1.2.3:1", "lo", True, 752, ["multicat", "-m", "752", "10.0.0.9@232.1.2.3:1/ifindex=1"]),
    ],
)
def test_multicat_is_told_what_was_heard(
    url: str, interface: str, payload: int, expected: list[str], *, is_rtp: bool
) -> None:
    place = address.parse(url)
    assert isinstance(place, address.Address)

    command = multicat.command(place, interface=interface, is_rtp=is_rtp, payload_bytes=payload)

    assert command[: len(expected)] == expected


def test_a_source_that_is_written_into_the_settings_is_received_without_a_restart(
    home: load.Loaded, tmp_path: Path
) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(STREAM)
    station = Station(home)
    start = clock.now()
    window = plan.Window(1, start, start + timedelta(minutes=5))
    station.plan(plan.Channel("one", "one", "pipe:tuner", "", (window,)))
    station.start()
    try:
        station.wait_until(lambda: station.shown() and "no source called tuner" in station.shown()[0]["reason"])
        home.home.config_file.write_text(f'[source.tuner]\ncommand = ["cat", "{path}"]\n')
        station.wait_until(station.receives, timeout=20)
    finally:
        station.end()

    assert station.recorded().startswith(STREAM)


def test_only_the_sources_that_a_change_concerns_are_opened_anew() -> None:
    old = registry.Options(interface="eth0", commands={"a": ("x",), "b": ("y",)})
    new = registry.Options(interface="eth1", commands={"a": ("x",), "b": ("z",)})

    concerned = [
        url
        for url in (
            "pipe:a",
            "pipe:b",
            "http://h/x",
            "udp://239.1.2.3:1",
            "udp://239.1.2.3:1?interface=eth7",
        )
        if registry.is_other(url, old, new)
    ]

    assert concerned == ["pipe:b", "udp://239.1.2.3:1"]
