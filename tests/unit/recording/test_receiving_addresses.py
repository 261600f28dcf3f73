"""Addresses of streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.lib import errors
from nephos.recording.sources import address, links


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("udp://239.1.2.3:5004", address.Address("udp", "239.1.2.3", 5004)),
        ("UDP://239.1.2.3:5004/", address.Address("udp", "239.1.2.3", 5004)),
        ("udp://@239.1.2.3:5004", address.Address("udp", "239.1.2.3", 5004)),
        ("rtp://192.0.2.9@232.1.2.3:65535", address.Address("rtp", "232.1.2.3", 65535, "192.0.2.9")),
        ("udp://239.1.2.3:1?interface=eth0.100", address.Address("udp", "239.1.2.3", 1, "", "eth0.100")),
        ("udp://239.1.2.3:1?interface=127.0.0.1", address.Address("udp", "239.1.2.3", 1, "", "127.0.0.1")),
        ("udp://127.0.0.1:6006", address.Address("udp", "127.0.0.1", 6006)),
        ("udp://[ff15::1]:5004", address.Address("udp", "ff15::1", 5004)),
        ("udp://239.1.2.3:1?engine=multicat", address.Address("udp", "239.1.2.3", 1, engine="multicat")),
        ("udp://239.1.2.3:1?engine=socket&interface=lo", address.Address("udp", "239.1.2.3", 1, "", "lo", "socket")),
        ("udp://[2001:db8::7]@[ff35::1]:5004", address.Address("udp", "ff35::1", 5004, "2001:db8::7")),
    ],
)
def test_a_well_formed_address_is_read(url: str, expected: address.Address) -> None:
    assert address.parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "239.1.2.3:5004",
        "gopher://239.1.2.3:5004",
        "http://",
        "http:///path",
        "http://host:0/",
        "http://host:70000/",
        "http://host/a b",
        "http://host/a#part",
        "http://host/\\x",
        "http://h{o}st/",
        "http://-host/",
        "rtsp://",
        "srt://host",
        "srt://host:0",
        "rist://@",
        "file://relative",
        "file:///",
        "file:///a/../../etc/passwd",
        "file:///a%00b",
        "file:///a?b",
        "file://host/a",
        "pipe:",
        "pipe://name",
        "pipe:a/b",
        "pipe:a b",
        "pipe:$(reboot)",
        "concat:a",
        "udp://239.1.2.3:5004?engine=ffmpeg",
        "udp://239.1.2.3:5004?engine=",
        "udp://239.1.2.3:5004?engine=socket&engine=socket",
        "udp:239.1.2.3:5004",
        "udp://",
        "udp://239.1.2.3",
        "udp://239.1.2.3:",
        "udp://239.1.2.3:0",
        "udp://239.1.2.3:65536",
        "udp://239.1.2.3:5e3",
        "udp://239.1.2.3:٣",
        "udp://239.1.2:5004",
        "udp://239.1.2.3.4:5004",
        "udp://239.1.2.300:5004",
        "udp://example.org:5004",
        "udp://:5004",
        "udp://@:5004",
        "udp://0.0.0.0:5004",
        "udp://[::]:5004",
        "udp://255.255.255.255:5004",
        "udp://ff15::1:5004",
        "udp://[ff15::1%eth0]:5004",
        "udp://239.1.2.3:5004/path",
        "udp://239.1.2.3:5004#part",
        "udp://239.1.2.3:5004?interface=",
        "udp://239.1.2.3:5004?interface=a b",
        "udp://239.1.2.3:5004?interface=../../etc",
        "udp://239.1.2.3:5004?interface=eth0&ttl=3",
        "udp://239.1.2.3:5004?ttl=3",
        "udp://host@239.1.2.3:5004",
        "udp://239.9.9.9@239.1.2.3:5004",
        "udp://0.0.0.0@239.1.2.3:5004",
        "udp://2001:db8::7@239.1.2.3:5004",
        "udp://192.0.2.9@192.0.2.1:5004",
        "udp://239.1.2.3:5004\n",
        "udp://239.1.2.3:5004; rm -rf /",
        "udp://239.1.2.3:5004\x00",
        "udp://" + "9" * 300,
        "udp://239.1.2.3:" + "5" * 300,
    ],
)
def test_a_malformed_address_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        address.parse(url)

    assert caught.value.hint
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://Example.ORG/live.ts", "http://example.org/live.ts"),
        ("HTTPS://user:pa%20ss@example.org:8443/a/b.m3u8?c=d", "https://user:pa%20ss@example.org:8443/a/b.m3u8?c=d"),
        ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("rtsp://camera.example:554/stream1", "rtsp://camera.example:554/stream1"),
        ("srt://10.0.0.1:9000?mode=caller&latency=200000", "srt://10.0.0.1:9000?mode=caller&latency=200000"),
        ("srt://:9000?mode=listener", "srt://:9000?mode=listener"),
        ("rist://@:5000", "rist://@:5000"),
        ("file:///home/me/a%20b.ts", "file:///home/me/a%20b.ts"),
        ("pipe:Tuner-1", "pipe:Tuner-1"),
    ],
)
def test_addresses_for_other_programs_are_read(url: str, written: str) -> None:
    assert address.parse(url).url == written


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:hunter2@example.org/a", "https://me:***@example.org/a"),
        ("rtsp://:hunter2@example.org/a", "rtsp://:***@example.org/a"),
        ("rtsp://me:hunt@er:2@example.org/a", "rtsp://me:***@example.org/a"),
        ("srt://h:1?mode=caller&passphrase=hunter2hunter2", "srt://h:1?mode=caller&passphrase=***"),
        ("http://h/a.m3u8?token=abc&x=1", "http://h/a.m3u8?token=***&x=1"),
        ("http://h/a?api_key=abc", "http://h/a?api_key=***"),
        ("udp://[2001:db8::7]@[ff35::1]:5004", "udp://[2001:db8::7]@[ff35::1]:5004"),
        ("udp://192.0.2.1@232.1.1.1:5004", "udp://192.0.2.1@232.1.1.1:5004"),
    ],
)
def test_people_see_no_secret_of_an_address(url: str, shown: str) -> None:
    assert address.parse(url).shown == shown


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(errors.Invalid) as caught:
        address.parse("ftp://me:hunter2@example.org/a")

    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_playlist_is_known_by_its_name() -> None:
    assert links.read("https://h/live/index.m3u8?x=1").is_playlist
    assert not links.read("https://h/live.ts?x=a.m3u8").is_playlist


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parsed = address.parse(text)
    except errors.Invalid:
        return
    assert address.parse(parsed.url) == parsed


@given(
    st.sampled_from(["udp", "rtp"]),
    st.ip_addresses(),
    st.integers(min_value=1, max_value=65535),
    st.sampled_from(["", "eth0", "10.0.0.7"]),
)
def test_an_address_is_written_as_it_is_read(scheme: str, group: object, port: int, interface: str) -> None:
    place = address.Address(scheme, str(group), port, "", interface)
    try:
        parsed = address.parse(place.url)
    except errors.Invalid:
        return
    assert parsed == place
