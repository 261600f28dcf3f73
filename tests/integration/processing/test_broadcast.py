"""The test broadcast itself: what everybody's tests stand on must be a broadcast that is right."""

from __future__ import annotations

import itertools
from collections import Counter

from tests.fakes import broadcast

_PACKET = 188


def packets() -> list[bytes]:
    """Two and a half repetitions."""
    whole = b"".join(itertools.islice(broadcast.datagrams(), round(2.5 * 64 * 120)))
    return [whole[at : at + _PACKET] for at in range(0, len(whole), _PACKET)]


def test_repetitions_have_no_seam() -> None:
    counters: dict[int, int] = {}
    broken: Counter[int] = Counter()
    clocks: list[tuple[int, int]] = []

    for number, packet in enumerate(packets()):
        assert packet[0] == 0x47
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid == 0x1FFF:
            continue
        counter = packet[3] & 15
        expected = (counters.get(pid, counter - 1) + bool(packet[3] & 0x10)) & 15
        broken[pid] += counter != expected and pid in counters
        counters[pid] = counter
        if packet[3] & 0x20 and packet[4] and packet[5] & 0x10:
            field = int.from_bytes(packet[6:12], "big")
            clocks.append((number, (field >> 15) * 300 + (field & 0x1FF)))

    assert broken.total() == 0
    assert set(counters) == {0, 0x11, 0x100, 0x101, 0x102, 0x1000}
    steps = [(later - former) / 27_000 for (_, former), (_, later) in itertools.pairwise(clocks)]
    assert max(steps) <= 20  # milliseconds
    (first, start), *_, (last, end) = clocks
    assert abs((end - start) / 27e6 * broadcast.get().bits_per_second - (last - first) * _PACKET * 8) < 200


def test_every_cue_is_sent_before_it_is_due() -> None:
    facts = broadcast.get()
    delay = (facts.pts_start - facts.pcr_start) / 90_000

    for cue in facts.cues:
        assert 0 < cue.sent_from < cue.start + delay
        assert cue.sent_to < cue.end + delay + 0.04
        assert cue.sent_to < facts.seconds
