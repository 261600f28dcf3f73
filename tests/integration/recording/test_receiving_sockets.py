"""Real multicast on the loopback interface: joining, telling apart, probing."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from datetime import timedelta

import pytest

from nephos.recording.sources import address, errors, probe, udp
from tests.fakes import multicast, transport

LOOPBACK = "127.0.0.1"


def collect(*sources: udp.UdpSource, seconds: float) -> list[bytes]:
    """What each receives in that time."""
    out = [b""] * len(sources)
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for number, source in enumerate(sources):
            selector.register(source, selectors.EVENT_READ, number)
        while (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                sources[key.data].fill()
                out[key.data] += sources[key.data].decode(sources[key.data].take()).packets.tobytes()
    return out


def opened(url: str, interface: str = LOOPBACK, **options: int) -> udp.UdpSource:
    source = udp.UdpSource(address.parse(url), interface=interface, **options)
    source.open()
    return source


def test_two_groups_on_one_port_never_mix() -> None:
    port = multicast.free_port()
    senders = [multicast.MulticastSender(multicast.free_group(), port, salt=salt) for salt in (1, 2)]
    receivers = [opened(sender.url) for sender in senders]

    for sender in senders:
        sender.start()
    got = collect(*receivers, seconds=0.6)
    for sender in senders:
        sender.stop()

    for number, sender in enumerate(senders):
        receivers[number].close()
        assert len(got[number]) > 100_000
        assert sender.sent.startswith(got[number])


def test_a_group_nobody_joined_does_not_reach_a_socket_on_its_port() -> None:
    port = multicast.free_port()
    other = multicast.MulticastSender(multicast.free_group(), port)
    one = opened(f"udp://{multicast.free_group()}:{port}")
    joined_by_another = opened(other.url)

    with other:
        [got, noise] = collect(one, joined_by_another, seconds=0.4)

    one.close()
    joined_by_another.close()
    assert got == b""
    assert noise


def test_source_specific_takes_its_sender_and_no_other() -> None:
    sender = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    right = opened(f"udp://{LOOPBACK}@{sender.group}:{sender.port}")
    by_name = opened(f"udp://{LOOPBACK}@{sender.group}:{sender.port}", interface="lo")
    wrong = opened(f"udp://127.0.0.9@{sender.group}:{sender.port}")

    with sender:
        got = collect(right, by_name, wrong, seconds=0.4)

    for source in (right, by_name, wrong):
        source.close()
    assert sender.sent.startswith(got[0])
    assert got[0]
    assert got[1] == got[0]
    assert got[2] == b""


def test_an_interface_is_named_by_name_too() -> None:
    sender = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    source = opened(sender.url, interface="lo")

    with sender:
        [got] = collect(source, seconds=0.3)

    source.close()
    assert got


def test_closing_leaves_the_group() -> None:
    group = multicast.free_group()
    source = opened(f"udp://{group}:{multicast.free_port()}")
    joined = multicast.join_count(group)

    source.close()

    assert joined == 1
    assert multicast.join_count(group) == 0


def test_a_missing_interface_is_told_with_those_that_exist() -> None:
    with pytest.raises(errors.InterfaceMissing) as caught:
        opened("udp://239.1.2.3:5004", interface="nope0")
    assert "lo" in caught.value.hint
    with pytest.raises(errors.InterfaceMissing):
        opened("udp://239.1.2.3:5004", interface="192.0.2.77")


def test_a_unicast_port_has_one_receiver() -> None:
    port = multicast.free_port()
    first = opened(f"udp://127.0.0.1:{port}", interface="")

    with pytest.raises(errors.AddressTaken):
        opened(f"udp://127.0.0.1:{port}", interface="")

    first.close()


def test_the_granted_buffer_is_told_and_drops_are_counted() -> None:
    sender = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    source = opened(sender.url, buffer_bytes=65536)
    granted = source.facts().buffer_bytes

    for _ in range(300):
        sender.send(transport.stream(7))
    source.fill()
    received = len(source.take().sizes)

    sender.stop()
    facts = source.facts()
    source.close()
    assert granted == 65536
    assert facts.dropped > 0
    assert facts.dropped + received == 300


def test_without_a_bulk_call_datagrams_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from nephos.recording.sources import bulk

    monkeypatch.setattr(bulk, "_recvmmsg", None)
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    sender = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    source = opened(sender.url)

    with sender:
        [got] = collect(source, seconds=0.3)

    source.close()
    assert got
    assert sender.sent.startswith(got)


@pytest.mark.parametrize("usual", [0, 1, 188, 1316, 1472, 65507, 70000])
def test_datagrams_of_any_size_come_whole_whatever_was_expected(usual: int) -> None:
    from nephos.recording.sources import bulk

    sizes = [1316] * 70 + [188, 0, 1, 1472, 65507, 1317, 1315, 9000]
    sent = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        near.bind((LOOPBACK, 0))
        near.settimeout(0)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        for datagram in sent:
            far.sendto(datagram, near.getsockname())

        raw, got = b"", []
        while len(got) < len(sent):
            more, their_sizes = bulk.fetch(near, usual=usual)
            assert their_sizes
            raw, got = raw + more, got + their_sizes

    assert got == sizes
    assert raw == b"".join(sent)


def test_streams_of_many_sizes_share_a_bounded_number_of_tables() -> None:
    from nephos.recording.sources import bulk

    tables = {id(bulk.tables.of(size)) for size in range(1, 3000)}

    assert len(tables) <= bulk.MOST_TABLES


class TestProbe:
    @pytest.mark.parametrize("rtp", [False, True])
    def test_a_channel_on_air_is_up(self, rtp: bool) -> None:
        with multicast.MulticastSender(multicast.free_group(), multicast.free_port(), rtp=rtp) as sender:
            result = probe.probe(address.parse(sender.url), interface=LOOPBACK)

        assert result.state is probe.State.UP
        assert result.protocol == ("rtp" if rtp else "udp")
        assert result.payload_bytes == 1316 + (12 if rtp else 0)
        assert 1e6 < result.bits_per_second < 16e6
        assert result.has_programme

    def test_a_silent_group_is_down_when_the_time_is_over(self) -> None:
        place = address.parse(f"udp://{multicast.free_group()}:{multicast.free_port()}")

        result = probe.probe(place, interface=LOOPBACK, timeout=timedelta(seconds=0.5))

        assert result.state is probe.State.DOWN
        assert result.took >= timedelta(seconds=0.5)

    def test_a_trickle_is_weak(self) -> None:
        with multicast.MulticastSender(multicast.free_group(), multicast.free_port(), bits_per_second=30_000) as sender:
            result = probe.probe(address.parse(sender.url), interface=LOOPBACK, timeout=timedelta(seconds=0.8))

        assert result.state is probe.State.WEAK

    def test_something_else_is_no_transport_stream(self) -> None:
        sender = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
        stop = threading.Event()

        def chatter() -> None:
            while not stop.wait(0.01):
                sender.send(b"hello, this is not television" * 20)

        thread = threading.Thread(target=chatter)
        thread.start()
        result = probe.probe(address.parse(sender.url), interface=LOOPBACK)
        stop.set()
        thread.join()
        sender.stop()

        assert result.state is probe.State.NOT_TS

    def test_stuffing_alone_is_no_programme(self) -> None:
        stuffing = transport.packet(transport.NULL_PID) * 7 * 2000
        with multicast.MulticastSender(multicast.free_group(), multicast.free_port(), source=stuffing) as sender:
            result = probe.probe(address.parse(sender.url), interface=LOOPBACK)

        assert result.state is probe.State.UP
        assert not result.has_programme

    def test_it_never_reads_past_its_time_in_a_flood(self) -> None:
        sender = multicast.MulticastSender(
            multicast.free_group(), multicast.free_port(), bits_per_second=2e8, keep=False
        )
        with sender:
            result = probe.probe(address.parse(sender.url), interface=LOOPBACK)

        assert result.state is probe.State.UP
