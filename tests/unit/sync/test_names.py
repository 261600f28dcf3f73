"""Names of files."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.sync import names


def test_what_shares_a_stem_goes_together() -> None:
    found = names.stems(["a.mp4", "a.srt", "a.en.srt", "b.mp4", "ab.mp4", "show.1.mp4", "show.2.mp4"])

    assert found == {
        "a": ["a.en.srt", "a.mp4", "a.srt"],
        "b": ["b.mp4"],
        "ab": ["ab.mp4"],
        "show.1": ["show.1.mp4"],
        "show.2": ["show.2.mp4"],
    }


@given(st.lists(st.text("ab.", min_size=1, max_size=6), unique=True))
def test_each_name_is_in_exactly_one_group(found: list[str]) -> None:
    grouped = [name for members in names.stems(found).values() for name in members]

    assert sorted(grouped) == sorted(found)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/.", "x\0y"])
def test_a_path_that_leaves_its_base_is_refused(path: str) -> None:
    assert names.refusal(path)


@pytest.mark.parametrize("path", ["a", "a b/c;d'\"\n.mp4", "..a/b..", "ü/é", "a/" * 600 + "b"])
def test_an_odd_path_is_no_reason_to_refuse(path: str) -> None:
    assert names.refusal(path) == ""


def test_bytes_that_are_no_text_can_be_shown() -> None:
    raw = b"caf\xe9.mp4"

    assert names.shown(raw) == "caf\\xe9.mp4"
    assert names.shown(os.fsdecode(raw)) == "caf\\xe9.mp4"
