"""RTP around transport streams (RFC 3550, RFC 2250): the header removed, the sequence watched."""

from __future__ import annotations

from dataclasses import dataclass

HEADER_BYTES = 12
_TRANSPORT_STREAM = 33  # payload type; senders with a dynamic type are known by the sync byte
_SYNC = 0x47
_MOST_LOST = 3000  # RFC 3550 A.1: a longer jump is a restarted sender
_MOST_LATE = 100
_MOST_HELD = 256


@dataclass(frozen=True, slots=True)
class Header:
    """Where the payload of one datagram lies, and its place in the sequence."""

    sequence: int
    sender: int
    start: int
    end: int


def header(datagram: bytes | memoryview) -> Header | None:
    """The header of a datagram if it is RTP with a transport stream in it; None for anything else."""
    size = len(datagram)
    if size < HEADER_BYTES or datagram[0] >> 6 != 2:
        return None
    start = HEADER_BYTES + 4 * (datagram[0] & 0x0F)
    if datagram[0] & 0x10:
        if size < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    end = size - (datagram[-1] if datagram[0] & 0x20 else 0)
    if start > end:
        return None
    if datagram[1] & 0x7F != _TRANSPORT_STREAM and (start == end or datagram[start] != _SYNC):
        return None
    return Header(
        sequence=int.from_bytes(datagram[2:4], "big"),
        sender=int.from_bytes(datagram[8:12], "big"),
        start=start,
        end=end,
    )


class Sequence:
    """What comes next from a sender, what was lost, what came too late."""

    def __init__(self) -> None:
        self.sender = -1
        self.last = -1

    def step(self, sequence: int, sender: int) -> int | None:
        """How many datagrams are missing before this one; None if it is a duplicate or too late: leave it out."""
        if sender != self.sender:
            self.sender, self.last = sender, sequence
            return 0
        ahead = (sequence - self.last) & 0xFFFF
        if 0 < ahead <= _MOST_LOST:
            self.last = sequence
            return ahead - 1
        if ahead == 0 or ahead > 0x10000 - _MOST_LATE:
            return None
        self.last = sequence  # a sender that restarted: its first number says nothing about loss
        return 0


def in_order(headers: list[tuple[Header, int]]) -> list[tuple[Header, int]]:
    """Datagrams of one batch with small swaps put right; `int` is the caller's own mark of each.

    A jump too wide for a swap, or another sender, starts a new run: runs are kept in the order they came.
    """
    runs: list[list[tuple[int, Header, int]]] = []
    sender, newest = -1, 0
    for head, mark in headers:
        step = ((head.sequence - newest + 0x8000) & 0xFFFF) - 0x8000
        if head.sender != sender or not -_MOST_LATE < step <= _MOST_LOST:
            runs.append([])
            sender, newest = head.sender, head.sequence
            place = newest
        else:
            place = newest + step
            newest = max(newest, place)
        runs[-1].append((place, head, mark))
    for run in runs:
        run.sort(key=lambda entry: entry[0])
    return [(head, mark) for run in runs for _, head, mark in run]


class Window:
    """Puts datagrams in order across hand-overs: what comes after a hole waits for one hand-over more.

    `Mark` is whatever the caller knows a datagram by. What was waiting already is let through, the hole counted.
    """

    def __init__(self) -> None:
        self.sequence = Sequence()
        self.lost = 0
        self.late = 0
        self._held: list[tuple[Header, bytes]] = []

    @property
    def is_waiting(self) -> bool:
        return bool(self._held)

    def feed(self, fresh: list[tuple[Header, bytes]]) -> list[bytes]:
        """The payloads that are next, in order. None that is fresh: all that waits comes out."""
        old = {id(head) for head, _ in self._held}
        entries = in_order([(head, place) for place, (head, _) in enumerate([*self._held, *fresh])])
        payloads = [payload for _, payload in [*self._held, *fresh]]
        keep = self._first_to_hold([head for head, _ in entries], old) if fresh else len(entries)
        if len(entries) - keep > _MOST_HELD:
            keep = len(entries)
        out: list[bytes] = []
        for head, place in entries[:keep]:
            missing = self.sequence.step(head.sequence, head.sender)
            if missing is None:
                self.late += 1
            else:
                self.lost += missing
                out.append(payloads[place])
        self._held = [(head, payloads[place]) for head, place in entries[keep:]]
        return out

    def _first_to_hold(self, heads: list[Header], old: set[int]) -> int:
        """The place of the first datagram behind a hole that may yet be filled; all from there on are fresh."""
        after_old = max((place + 1 for place, head in enumerate(heads) if id(head) in old), default=0)
        sender, last = self.sequence.sender, self.sequence.last
        for place, head in enumerate(heads):
            ahead = (head.sequence - last) & 0xFFFF
            if head.sender != sender or ahead > 0x10000 - _MOST_LATE or ahead == 0:
                pass
            elif place >= after_old and 1 < ahead <= _MOST_LATE:
                return place
            if head.sender != sender or not ahead > 0x10000 - _MOST_LATE:
                sender, last = head.sender, head.sequence
        return len(heads)
