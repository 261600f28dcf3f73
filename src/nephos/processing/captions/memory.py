"""A caption memory: 15 rows of 32 cells."""

from __future__ import annotations

ROWS = 15
COLUMNS = 32


class Memory:
    """What is written where; rows come into being when something is written in them."""

    def __init__(self) -> None:
        self._rows: dict[int, list[str]] = {}

    def write(self, row: int, column: int, character: str) -> None:
        self._rows.setdefault(row, [" "] * COLUMNS)[min(column, COLUMNS - 1)] = character

    def clear_from(self, row: int, column: int) -> None:
        """Blank a row from a column to its end."""
        if row in self._rows:
            self._rows[row][column:] = [" "] * (COLUMNS - column)

    def clear(self) -> None:
        self._rows.clear()

    def has(self, row: int) -> bool:
        """Whether there is any text in a row."""
        return bool(self._text(row))

    def lines(self) -> tuple[str, ...]:
        """The text from top to bottom, without empty rows."""
        return tuple(text for row in sorted(self._rows) if (text := self._text(row)))

    def line(self, row: int) -> str:
        """The text of one row."""
        return self._text(row)

    def _text(self, row: int) -> str:
        return "".join(self._rows.get(row, ())).strip()
