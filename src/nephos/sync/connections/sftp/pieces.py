"""Which pieces of a big file are on their way, and how far all before is there. Pure."""

from __future__ import annotations

import collections
from dataclasses import dataclass


@dataclass(slots=True)
class Piece:
    """A part of the file, from a byte to a byte."""

    start: int
    end: int
    is_there: bool = False

    @property
    def bytes(self) -> int:
        return self.end - self.start


class Pieces:
    """Given out in order, to several logins at once; never more than `ahead` bytes beyond what is there without a hole.

    So what a crash costs is bounded, however many carry: it goes on where the first hole is.
    """

    def __init__(self, size: int, *, start: int = 0, ahead: int) -> None:
        self.size = size
        self.there = start
        self._next = start
        self._ahead = ahead
        self._under_way: collections.deque[Piece] = collections.deque()
        self._again: list[Piece] = []

    @property
    def has_next(self) -> bool:
        """Whether there is one to give out now."""
        return bool(self._again) or (self._next < self.size and self._next - self.there < self._ahead)

    @property
    def left(self) -> int:
        """Bytes that nobody was given yet."""
        return self.size - self._next

    @property
    def is_done(self) -> bool:
        return self.there == self.size

    def next(self, most: int) -> Piece:
        """The next to send."""
        if self._again:
            return self._again.pop()
        piece = Piece(self._next, min(self.size, self._next + most))
        self._next = piece.end
        self._under_way.append(piece)
        return piece

    def arrived(self, piece: Piece) -> None:
        """It was acknowledged."""
        piece.is_there = True
        while self._under_way and self._under_way[0].is_there:
            self.there = self._under_way.popleft().end

    def lost(self, piece: Piece) -> None:
        """Whoever had it cannot say; it is given out again."""
        self._again.append(piece)
