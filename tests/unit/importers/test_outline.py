"""YAML as plain texts with lines; bombs are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.importers import entries, errors, outline, settings


def test_texts_stay_as_they_were_typed() -> None:
    top = outline.read("a: 20:30\nb: 0111110\nc: no\nd: ~\ne: [ENG RUS]\n")

    assert {key: node.text for key, node in top.table.items()} == {
        "a": "20:30",
        "b": "0111110",
        "c": "no",
        "d": "",
        "e": "",
    }
    assert top.table["c"].line == 3
    assert top.table["e"].items[0].text == "ENG RUS"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: &x [1]\nb: *x\n", "alias"),
        ("[" * 50, "nested"),
        ("a: {" * 5000, "nested"),
        ("- 1\n" * 120_000, "too many"),
        ("x" * 1_000_001, "longer"),
        ("a: b: c\n", "Line 1"),
        ("a: 1\na: 2\n", "second time"),
        ("? [1]\n: 2\n", "no plain word"),
        ("", "empty"),
        ("a: \x01", "YAML"),
        ("!!python/object/apply:os.system [ls]: 1", "no plain word"),
    ],
)
def test_what_is_no_outline_is_refused_with_its_line(text: str, word: str) -> None:
    with pytest.raises(errors.NotReadable) as caught:
        outline.read(text)

    assert word in caught.value.message


def test_a_tag_that_would_run_code_is_plain_text() -> None:
    top = outline.read("a: !!python/object/apply:os.system ['touch /tmp/never']\n")

    assert top.table["a"].items[0].text == "touch /tmp/never"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        top = outline.read(text)
    except errors.NotReadable:
        return
    if entries.looks_like(top):
        list(entries.read(top))
    if settings.looks_like(top):
        settings.read(top)
