"""The two fields of line 21: which pairs belong to which of the channels CC1 to CC4."""

from __future__ import annotations

from nephos.processing.captions import cea608

Pair = tuple[int, int]


class Field:
    """Splits the pairs of one field between its two data channels and leaves out what is no caption."""

    def __init__(self, number: int) -> None:
        self.decoders = (cea608.Decoder(), cea608.Decoder())
        self._second_field = number == 2
        self._channel = 0
        self._last_control: Pair | None = None
        self._in_programme_data = False

    def take(self, first: int, second: int, at: float) -> None:
        """One pair, with its parity bits. Filling is ignored."""
        first, second = first & 0x7F, second & 0x7F
        if first == 0 and second == 0:
            return
        if 0x10 <= first < 0x20:
            self._control(first, second, at)
        elif 0 < first < 0x10:
            self._in_programme_data = self._second_field and first != 0x0F
        else:
            self._last_control = None
            if not self._in_programme_data:
                self.decoders[self._channel].characters(first, second, at)

    def interrupt(self, at: float) -> None:
        """The stream ends or breaks."""
        self._last_control = None
        self._in_programme_data = False
        for decoder in self.decoders:
            decoder.interrupt(at)

    def _control(self, first: int, second: int, at: float) -> None:
        self._in_programme_data = False
        if self._last_control == (first, second):
            self._last_control = None  # the repetition that protects against loss
            return
        self._last_control = (first, second)
        self._channel = 1 if first & 0x08 else 0
        self.decoders[self._channel].control(first & 0x77, second, at)
