"""Grades: a recording's score as one letter, for lists, filters and rules; pure."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from nephos.lib import errors


class Grade(StrEnum):
    """A is whole, B has a blemish that few will notice, F is hardly worth keeping."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


LEAST = {Grade.A: 97, Grade.B: 90, Grade.C: 75, Grade.D: 50, Grade.E: 25, Grade.F: 0}


def grade(score: int | None) -> Grade | None:
    """The grade of a score, None while there is none."""
    if score is None:
        return None
    return next(grade for grade, least in LEAST.items() if score >= least)


def scores(wanted: Collection[Grade]) -> list[tuple[int, int]]:
    """From which to which score the wanted grades go, both included."""
    ranges = []
    most = 100
    for one, least in LEAST.items():
        if one in wanted:
            ranges.append((least, most))
        most = least - 1
    return ranges


def read(text: str) -> frozenset[Grade]:
    """`A,B` or `ab`; nothing for nothing. Raises Invalid."""
    letters = text.replace(",", "").replace(" ", "").upper()
    unknown = set(letters) - set(Grade)
    if unknown or len(letters) > 26:
        raise errors.Invalid(f"{text[:40]!r} are no grades.", hint="Write them like A,B; they go from A to F.")
    return frozenset(Grade(letter) for letter in letters)
