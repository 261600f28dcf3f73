"""Send a transport stream to a multicast group at its own speed, again and again without a seam, for so many seconds.

`python tools/broadcast/send.py FILE --group 239.255.0.1 --port 5004 --interface 127.0.0.1 --seconds 60 [--rtp]`. The
packets never leave the machine (ttl 0). `--report PATH` keeps a JSON file that says at which wall-clock time each
repetition began, so that others can work out what was on the air when.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import ts

_DATAGRAM = 7 * ts.PACKET
_WRAP = 1 << 33


def main() -> None:
    """Send until the time is over or somebody says stop."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stream = options.file.read_bytes()
    rate = _packets_per_second(stream)
    repetition_seconds = len(stream) / ts.PACKET / rate
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(options.interface))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        sock.connect((options.group, options.port))
        started, started_at = time.monotonic(), time.time()
        reported = 0
        try:
            for number, datagram in enumerate(datagrams(stream)):
                due = number * _DATAGRAM / ts.PACKET / rate
                if due >= options.seconds:
                    break
                repetitions = int(due / repetition_seconds) + 1
                if options.report and repetitions > reported:
                    reported = repetitions
                    _report(options.report, [started_at + n * repetition_seconds for n in range(reported)])
                wait = started + due - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                sock.send(_rtp_header(number, due) + datagram if options.rtp else datagram)
        except KeyboardInterrupt:
            return


def datagrams(stream: bytes) -> Iterator[bytes]:
    """The stream for ever, in datagrams; clocks, time stamps and counters go on from one repetition to the next."""
    step = _repetition_ticks(stream)
    counts = _payload_packets(stream)
    ticks = repetition = 0
    rest = b""
    while True:
        for offset in range(0, len(stream), _DATAGRAM):
            block = stream[offset : offset + _DATAGRAM]
            rest += block if repetition == 0 else restamp(block, ticks, counts, repetition)
            while len(rest) >= _DATAGRAM:
                yield rest[:_DATAGRAM]
                rest = rest[_DATAGRAM:]
        repetition += 1
        ticks += step


def restamp(block: bytes, ticks: int, counts: Counter[int], repetition: int) -> bytes:
    """Whole packets with their clocks moved on and their counters continued."""
    out = bytearray(block)
    for offset in range(0, len(out), ts.PACKET):
        pid = (out[offset + 1] & 0x1F) << 8 | out[offset + 2]
        if pid == 0x1FFF:
            continue
        out[offset + 3] = out[offset + 3] & 0xF0 | (out[offset + 3] + counts[pid] * repetition) & 15
        start = offset + 4
        if out[offset + 3] & 0x20:
            if out[start] and out[start + 1] & 0x10:
                pcr = ts.read_pcr(out[start + 2 : start + 8])
                out[start + 2 : start + 8] = ts.pcr_field((pcr + ticks * 300) % (_WRAP * 300))
            start += 1 + out[start]
        if out[offset + 1] & 0x40 and out[offset + 3] & 0x10 and out[start : start + 3] == b"\x00\x00\x01":
            _restamp_pes(out, start, ticks)
    return bytes(out)


def _restamp_pes(out: bytearray, start: int, ticks: int) -> None:
    flags = out[start + 7]
    for present, field in ((flags & 0x80, start + 9), (flags & 0x40, start + 14)):
        if present:
            moved = ts.read_stamp(out[field : field + 5]) + ticks
            out[field : field + 5] = ts.stamp(out[field] >> 4, moved)


def _clocks(stream: bytes) -> list[tuple[int, int]]:
    """Packet number and 27 MHz ticks of every clock reference."""
    found = []
    for offset in range(0, len(stream), ts.PACKET):
        if stream[offset + 3] & 0x20 and stream[offset + 4] and stream[offset + 5] & 0x10:
            found.append((offset // ts.PACKET, ts.read_pcr(stream[offset + 6 : offset + 12])))
    if len(found) < 2:
        raise SystemExit("this file has no clock references")
    return found


def _packets_per_second(stream: bytes) -> float:
    (first, start), *_, (last, end) = _clocks(stream)
    return (last - first) * 27_000_000 / (end - start)


def _repetition_ticks(stream: bytes) -> int:
    return round(len(stream) / ts.PACKET / _packets_per_second(stream) * ts.CLOCK)


def _payload_packets(stream: bytes) -> Counter[int]:
    return Counter(
        (stream[offset + 1] & 0x1F) << 8 | stream[offset + 2]
        for offset in range(0, len(stream), ts.PACKET)
        if stream[offset + 3] & 0x10
    )


def _rtp_header(number: int, seconds: float) -> bytes:
    return struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, int(seconds * ts.CLOCK) & 0xFFFFFFFF, 0x4E455048)


def _report(path: Path, starts: list[float]) -> None:
    stamps = [datetime.fromtimestamp(start, UTC).isoformat(timespec="milliseconds") for start in starts]
    document = {"starts": [stamp.replace("+00:00", "Z") for stamp in stamps], "starts_unix": starts}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(document) + "\n")
    temporary.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send a transport stream to a multicast group, paced and bounded.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--group", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--interface", default="127.0.0.1", help="address of the interface to send from")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rtp", action="store_true")
    parser.add_argument("--report", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
