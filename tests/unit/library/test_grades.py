"""Scores become letters, and letters become ranges of scores."""

from __future__ import annotations

import pytest

from nephos.lib import errors
from nephos.library import grades


def test_every_score_has_the_grade_whose_range_it_is_in() -> None:
    for score in range(101):
        [(least, most)] = grades.scores([grades.grade(score) or grades.Grade.F])

        assert least <= score <= most
    assert grades.grade(None) is None
    assert [grades.grade(score) for score in (100, 97, 96, 90, 75, 50, 25, 0)] == list("AABBCDEF")


def test_grades_are_read_with_and_without_commas() -> None:
    assert grades.read("a, B") == grades.read("ba") == {grades.Grade.A, grades.Grade.B}
    assert grades.read("") == frozenset()


@pytest.mark.parametrize("text", ["G", "A+", "A;B", "best", "A" * 30])
def test_what_is_no_grade_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        grades.read(text)
