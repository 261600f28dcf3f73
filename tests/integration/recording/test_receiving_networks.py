"""IPv6, several interfaces, vanishing ones: each in a network of the test's own."""

from __future__ import annotations

import functools
import selectors
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from nephos.config import load
from nephos.lib import clock
from nephos.recording import doctor, plan
from nephos.recording.sources import address, errors, probe, registry, udp
from tests.fakes import multicast, senders
from tests.support import apart
from tests.support.recorder import Station

GROUP = "ff15::4e65:1"
PORT = 5188  # of a network where nobody else is


def alone(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a network of its own."""

    @functools.wraps(test)
    def wrapper(*given: object, **named: object) -> None:
        apart.run(lambda: test(*given, **named))

    return wrapper


def sender(group: str = GROUP, **options: object) -> multicast.MulticastSender:
    if ":" in group:
        options.setdefault("interface", apart.NEAR)
    else:
        options |= {"interface": apart.NEAR_IPV4, "sender": apart.NEAR_IPV4}
    return multicast.MulticastSender(group, PORT, **options)  # type: ignore[arg-type]


def opened(url: str, interface: str = "") -> udp.UdpSource:
    place = address.parse(url)
    assert isinstance(place, address.Address)
    source = udp.UdpSource(place, interface=interface)
    source.open()
    return source


def collect(*sources: udp.UdpSource, enough: int = 100_000, timeout: float = 60) -> list[bytes]:
    """What each received, when the first has enough."""
    out = [b""] * len(sources)
    until = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for number, source in enumerate(sources):
            selector.register(source, selectors.EVENT_READ, number)
        while len(out[0]) < enough:
            assert time.monotonic() < until
            for key, _ in selector.select(0.2):
                sources[key.data].fill()
                out[key.data] += sources[key.data].decode(sources[key.data].take()).packets.tobytes()
    for source in sources:
        source.close()
    return out


@pytest.mark.parametrize("rtp", [False, True])
@alone
def test_an_ipv6_group_is_received_bit_for_bit(rtp: bool) -> None:
    one = sender(rtp=rtp)
    source = opened(f"{one.url}?interface={apart.FAR}")

    with one:
        [got] = collect(source)

    assert one.sent.startswith(got)


@alone
def test_two_ipv6_groups_on_one_port_never_mix() -> None:
    groups = [sender(f"ff15::4e65:{number}", salt=number) for number in (1, 2)]
    sources = [opened(one.url, apart.FAR) for one in groups]

    for one in groups:
        one.start()
    got = collect(*sources)
    for one in groups:
        one.stop()

    for one, bytes_of in zip(groups, got, strict=True):
        assert bytes_of
        assert one.sent.startswith(bytes_of)


@alone
def test_source_specific_ipv6_takes_its_sender_and_no_other() -> None:
    group = "ff35::8000:1"
    one = sender(group, sender=apart.NEAR_IPV6)
    right = opened(f"udp://[{apart.NEAR_IPV6}]@[{group}]:{PORT}?interface={apart.FAR}")
    wrong = opened(f"udp://[{apart.FAR_IPV6}]@[{group}]:{PORT}?interface={apart.FAR}")

    with one:
        got = collect(right, wrong)

    assert one.sent.startswith(got[0])
    assert got[1] == b""


@alone
def test_an_ipv6_address_of_this_machine_is_received_as_unicast() -> None:
    one = sender(apart.FAR_IPV6)
    source = opened(f"udp://[{apart.FAR_IPV6}]:{PORT}")
    with pytest.raises(errors.AddressTaken):
        opened(f"udp://[{apart.FAR_IPV6}]:{PORT}")

    with one:
        [got] = collect(source)

    assert one.sent.startswith(got)


@alone
def test_an_ipv6_group_is_joined_again_on_its_open_socket() -> None:
    one = sender("ff35::8000:2", sender=apart.NEAR_IPV6)
    url = f"udp://[{apart.NEAR_IPV6}]@[ff35::8000:2]:{PORT}?interface={apart.FAR}"
    source = opened(url)
    handle = source.fileno()

    source.open()

    assert source.fileno() == handle
    with one:
        [got] = collect(source)
    assert one.sent.startswith(got)


@alone
def test_a_probe_and_the_doctor_hear_ipv6() -> None:
    with sender(loop=True, keep=False) as one:
        place = address.parse(one.url)
        assert isinstance(place, address.Address)
        heard = probe.probe(place, interface=apart.FAR, timeout=timedelta(seconds=20))
        report = doctor.examine(one.url, registry.Options(interface=apart.FAR), listen=timedelta(seconds=5))

    assert heard.state is probe.State.UP
    assert report.is_up


@pytest.mark.parametrize("engine", ["socket", "multicat"])
def test_a_channel_over_ipv6_is_recorded(home: load.Loaded, engine: str) -> None:
    if engine == "multicat":
        assert senders.has_multicat(), "`script/setup tests` installs multicat"

    def body() -> None:
        one = sender()
        station = Station(home)
        start = clock.now()
        window = plan.Window(1, start, start + timedelta(minutes=5))
        station.plan(plan.Channel("one", "one", f"{one.url}?interface={apart.FAR}&engine={engine}", "", (window,)))
        station.start()
        with one:
            try:
                station.wait_until(lambda: len(station.recorded()) > 200_000)
            finally:
                station.end()
        recorded = station.recorded()
        assert one.sent.find(recorded[: 188 * 7]) >= 0
        assert recorded in one.sent or engine == "multicat"
        assert sum(second.cc for second in station.seconds()) == 0

    apart.run(body)


@alone
def test_without_a_route_the_interface_has_to_be_named() -> None:
    with pytest.raises(errors.InterfaceMissing) as caught:
        opened(f"udp://239.1.2.3:{PORT}")

    assert "route" in caught.value.message
    assert "?interface=" in caught.value.hint


@alone
def test_only_the_interface_that_is_named_is_listened_on() -> None:
    one = sender("239.1.2.3")
    right, by_address, wrong = (opened(one.url, where) for where in (apart.FAR, apart.FAR_IPV4, "lo"))

    with one:
        got = collect(right, by_address, wrong)

    assert one.sent.startswith(got[0])
    assert got[1]
    assert got[2] == b""


def test_an_interface_that_vanished_and_came_back_is_joined_again(home: load.Loaded) -> None:
    def body() -> None:
        station = Station(home)
        start = clock.now()
        window = plan.Window(1, start, start + timedelta(minutes=5))
        station.plan(plan.Channel("one", "one", f"udp://239.1.2.3:{PORT}?interface={apart.FAR}", "", (window,)))
        station.start()
        try:
            with sender("239.1.2.3"):
                station.wait_until(station.receives)
            apart.ip(f"link delete {apart.NEAR}")
            station.wait_until(lambda: station.shown()[0]["state"] != "receiving")
            before = len(station.recorded())
            apart.cable()
            with sender("239.1.2.3"):
                station.wait_until(lambda: len(station.recorded()) > before + 100_000, timeout=90)
        finally:
            station.end()

    apart.run(body)
