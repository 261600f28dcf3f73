"""The channel doctor names the layer that fails and says what to do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.recording import doctor
from nephos.recording.sources import address, probe, registry
from tests.fakes import multicast, senders, transport

HERE = registry.Options(interface="127.0.0.1")
TABLES = [
    *transport.carried(0, transport.pat({1: 0x1000})),
    *transport.carried(0x1000, transport.pmt(1, [(0x1B, 0x101, b""), (0x06, 0x103, b"\x56\x05spa\x10\x88")])),
]


def programme(count: int = 640, *, scrambling: int = 0) -> bytes:
    """Tables and pictures."""
    pictures = (transport.packet(0x101, n, payload=b"x" * 184, scrambling=scrambling) for n in range(count))
    parts = []
    counter = 0
    for number, picture in enumerate(pictures):
        if number % 40 == 0:
            parts += [with_counter(table, counter) for table in TABLES]
            counter += 1
        parts.append(picture)
    return b"".join(parts)


def with_counter(packet: bytes, counter: int) -> bytes:
    return packet[:3] + bytes([packet[3] & 0xF0 | counter & 0x0F]) + packet[4:]


@contextlib.contextmanager
def sending(content: bytes, *, rtp: bool = False) -> Iterator[multicast.MulticastSender]:
    made = multicast.MulticastSender(
        multicast.free_group(), multicast.free_port(), source=content, loop=True, rtp=rtp, keep=False
    )
    with made:
        yield made


def examine(url: str, given: registry.Options = HERE, seconds: float = 1.5) -> dict[str, doctor.Finding]:
    report = doctor.examine(url, given, listen=timedelta(seconds=seconds))
    assert [one.layer for one in report.findings] == list(doctor.Layer)
    assert report.verdict
    return {str(one.layer): one for one in report.findings}


def test_a_healthy_channel_is_told_with_all_it_carries() -> None:
    with sending(programme()) as sender:
        report = doctor.examine(sender.url, HERE)

    assert report.is_up
    assert all(one.grade is doctor.Grade.OK for one in report.findings), report.findings
    assert report.captions == ("teletext (spa)",)
    assert [one.codec for one in report.programmes[0].streams] == ["h264", "teletext"]
    assert "h264" in report.verdict
    assert "teletext (spa)" in report.verdict


def test_rtp_under_udp_is_received_and_told() -> None:
    with sending(programme(), rtp=True) as sender:
        found = examine(sender.url)

    assert found["sync"].grade is doctor.Grade.WARN
    assert "rtp://" in found["sync"].advice


def test_silence_asks_for_the_sender_and_the_layers_above_are_not_reached() -> None:
    found = examine(f"udp://{multicast.free_group()}:{multicast.free_port()}", seconds=0.5)

    assert found["packets"].grade is doctor.Grade.FAIL
    assert "sender is on" in found["packets"].advice
    assert found["captions"].grade is doctor.Grade.SKIPPED


def test_a_missing_interface_fails_the_join() -> None:
    found = examine(f"udp://{multicast.free_group()}:5004?interface=nothere0")

    assert found["join"].grade is doctor.Grade.FAIL
    assert "lo" in found["join"].advice


def test_a_wrong_source_is_told_from_silence() -> None:
    with sending(programme()) as sender:
        url = f"udp://10.255.255.1@{sender.group}:{sender.port}"
        found = examine(url, seconds=0.5)

    assert "it is not 10.255.255.1" in found["packets"].advice


def other_interface() -> str:
    for _, name in socket.if_nameindex():
        if name != "lo" and (Path("/sys/class/net") / name / "operstate").read_text().strip() in ("up", "unknown"):
            return name
    return ""


@pytest.mark.skipif(not other_interface(), reason="this machine has no second interface")
def test_the_interface_on_which_it_comes_is_named() -> None:
    with sending(programme()) as sender:
        found = examine(f"{sender.url}?interface={other_interface()}", registry.Options(), seconds=0.5)

    assert "It comes on lo" in found["packets"].advice


def test_what_is_no_transport_stream_is_told() -> None:
    with sending(b"hello" * 5000) as sender:
        assert examine(sender.url)["sync"].grade is doctor.Grade.FAIL


def test_stuffing_is_no_programme() -> None:
    with sending(transport.packet(0x1FFF, payload=b"\xff" * 184) * 500) as sender:
        found = examine(sender.url)

    assert found["tables"].grade is doctor.Grade.FAIL
    assert "encoder" in found["tables"].advice


def test_a_scrambled_channel_is_told() -> None:
    with sending(programme(scrambling=2)) as sender:
        found = examine(sender.url)

    assert found["scrambling"].grade is doctor.Grade.FAIL
    assert "descramble" in found["scrambling"].advice


def test_captions_in_the_pictures_are_seen() -> None:
    with sending(programme() + transport.packet(0x101, 8, payload=b"\0\0\1\x06GA94\x03" + b"x" * 100)) as sender:
        assert "cea-608/708" in examine(sender.url, seconds=3)["captions"].found


def test_what_another_program_fetches_is_examined_too(tmp_path: Path) -> None:
    made = senders.HttpSender(senders.material(tmp_path, seconds=20))
    made.start()
    try:
        report = doctor.examine(made.url, HERE)
    finally:
        made.stop()

    assert report.is_up, report
    assert {"mpeg2video", "mp2"} <= {s.codec for s in report.programmes[0].streams}
    assert "hunter2" not in str(report)


def test_a_refused_connection_is_told_in_the_words_of_the_program() -> None:
    report = doctor.examine(f"http://me:hunter2@127.0.0.1:{senders.free_tcp_port()}/x.ts", HERE)

    assert not report.is_up
    assert "refused" in report.verdict
    assert "hunter2" not in report.verdict


class TestProbe:
    """The figures of the on-air check: up soon, down soon, never wrong."""

    def test_thirty_answers_are_right(self) -> None:
        with sending(programme()) as up, sending(programme(), rtp=True) as rtp, sending(b"x" * 9999) as other:
            silent = f"udp://{multicast.free_group()}:{multicast.free_port()}"
            expected = {up.url: "up", rtp.url: "up", other.url: "not-ts", silent: "down"}
            wrong = []
            for url, state in [*expected.items()] * 3:
                place = address.parse(url)
                assert isinstance(place, address.Address)
                began = time.monotonic()
                heard = probe.probe(place, interface="127.0.0.1", timeout=timedelta(seconds=1))
                took = time.monotonic() - began
                if heard.state != state or (state == "up" and took > 1):
                    wrong.append((url, heard, took))
        assert not wrong

    def test_ipv6_and_unicast_are_heard(self) -> None:
        for url, family, target in (
            ("udp://127.0.0.1:{}", socket.AF_INET, "127.0.0.1"),
            ("udp://[::1]:{}", socket.AF_INET6, "::1"),
        ):
            port = multicast.free_port()
            ended = threading.Event()
            thread = threading.Thread(target=_shower, args=(family, target, port, ended), daemon=True)
            thread.start()
            place = address.parse(url.format(port))
            assert isinstance(place, address.Address)
            try:
                heard = probe.probe(place)
            finally:
                ended.set()
                thread.join()
            assert heard.state is probe.State.UP, (url, heard)


def _shower(family: int, target: str, port: int, ended: threading.Event) -> None:
    content = programme(70)
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        while not ended.wait(0.005):
            for place in range(0, len(content) - 1316, 1316):
                with contextlib.suppress(OSError):
                    out.sendto(content[place : place + 1316], (target, port))
                ended.wait(0.005)
