"""A decoder of CEA-608 captions for one data channel: pop-on, roll-up and paint-on.

Two bytes a frame and field. A pair below 0x20 is a control code, sent twice; others are characters for the memory that
the style in force writes to. Roll-up text becomes one cue a line, because whole windows would repeat every line.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from nephos.processing.captions import characters, cue, memory


class Style(StrEnum):
    """How text appears; what else the channel carries is no caption."""

    POP_ON = "pop-on"  # loaded out of sight, then shown at once
    ROLL_UP = "roll-up"
    PAINT_ON = "paint-on"  # written where it is seen
    NONE = "none"  # text service, or nothing is known yet


_ROW_OF = {0x10: (11, 11), 0x11: (1, 2), 0x12: (3, 4), 0x13: (12, 13), 0x14: (14, 15), 0x15: (5, 6), 0x16: (7, 8)}
_ROW_OF |= {0x17: (9, 10)}


class Decoder:
    """Takes the pairs of one channel (channel 2 mapped to the codes of channel 1) in order of presentation."""

    def __init__(self) -> None:
        self.cues: list[cue.Cue] = []
        self._style = Style.NONE
        self._shown, self._hidden = memory.Memory(), memory.Memory()
        self._row, self._column = memory.ROWS, 0
        self._since = 0.0  # when what is shown appeared; in roll-up, when the line began
        self._commands: dict[int, Callable[[float], None]] = {
            0x20: lambda at: self._change_style(Style.POP_ON, at),
            0x21: self._backspace,
            0x24: self._delete_to_end,
            0x25: self._roll_up,
            0x26: self._roll_up,
            0x27: self._roll_up,
            0x29: lambda at: self._change_style(Style.PAINT_ON, at),
            0x2A: lambda at: self._change_style(Style.NONE, at),
            0x2B: lambda at: self._change_style(Style.NONE, at),
            0x2C: self._erase_shown,
            0x2D: self._new_line,
            0x2E: lambda _at: self._hidden.clear(),
            0x2F: self._flip,
        }

    def characters(self, first: int, second: int, at: float) -> None:
        """A pair of printable bytes; 0 in the second place is filling."""
        for code in (first, second):
            if code >= 0x20:
                self._put(characters.basic(code), at)

    def control(self, first: int, second: int, at: float) -> None:
        """A control code that is no repetition."""
        if second >= 0x40:
            self._preamble(first, second, at)
        elif first in (0x14, 0x15) and second >= 0x20:
            if second in self._commands:
                self._commands[second](at)
        elif first == 0x11 and second >= 0x30:
            self._put(characters.special(second), at)
        elif first == 0x11 and second >= 0x20:
            self._put(" ", at)  # a change of colour or slant takes one cell
        elif first in (0x12, 0x13) and second >= 0x20:
            self._backspace(at)  # sent after a basic character for decoders that know no others
            self._put(characters.extended(first, second), at)
        elif first == 0x17 and 0x21 <= second <= 0x23:
            self._column = min(self._column + second - 0x20, memory.COLUMNS - 1)

    def interrupt(self, at: float) -> None:
        """The stream ends or breaks here: what is shown ends, and nothing is known of what follows."""
        self._finish(at)
        self._shown.clear()
        self._hidden.clear()
        self._style = Style.NONE

    def _put(self, character: str, at: float) -> None:
        if self._style is Style.NONE:
            return
        target = self._target()
        if target is self._shown and not self._visible():
            self._since = at
        target.write(self._row, self._column, character)
        self._column = min(self._column + 1, memory.COLUMNS - 1)

    def _target(self) -> memory.Memory:
        return self._hidden if self._style is Style.POP_ON else self._shown

    def _visible(self) -> bool:
        return self._shown.has(self._row) if self._style is Style.ROLL_UP else bool(self._shown.lines())

    def _preamble(self, first: int, second: int, at: float) -> None:
        row = _ROW_OF[first][second >> 5 & 1]
        column = (second >> 1 & 7) * 4 if second & 0x10 else 0
        back = row != self._row or column < self._column
        if self._style is Style.PAINT_ON and back and self._shown.has(row):
            self._erase_shown(at)  # written over: a new caption
        if self._style is Style.ROLL_UP and row != self._row and self._shown.has(self._row):
            self._new_line(at)  # the window moves; the line that it showed was complete
        self._row, self._column = row, column

    def _change_style(self, style: Style, at: float) -> None:
        if Style.ROLL_UP in (self._style, style) and style is not self._style:
            self._erase_shown(at)
        self._style = style

    def _roll_up(self, at: float) -> None:
        if self._style is not Style.ROLL_UP:
            self._change_style(Style.ROLL_UP, at)
            self._hidden.clear()
            self._row, self._column = memory.ROWS, 0

    def _new_line(self, at: float) -> None:
        if self._style is Style.ROLL_UP:
            self._erase_shown(at)
            self._column = 0

    def _backspace(self, _at: float) -> None:
        if self._column and self._style is not Style.NONE:
            self._column -= 1
            self._target().write(self._row, self._column, " ")

    def _delete_to_end(self, _at: float) -> None:
        self._target().clear_from(self._row, self._column)

    def _erase_shown(self, at: float) -> None:
        self._finish(at)
        self._shown.clear()

    def _flip(self, at: float) -> None:
        self._finish(at)
        self._style = Style.POP_ON
        self._shown, self._hidden = self._hidden, self._shown
        self._since = at

    def _finish(self, at: float) -> None:
        lines = self._shown.lines()
        if lines:
            self.cues.append(cue.make(self._since, at, lines))
