"""Names made safe."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.lib import errors
from nephos.library import naming


def test_titles_are_trimmed_and_normalised() -> None:
    assert naming.title("  Cafe\u0301 TV ") == "Café TV"


@pytest.mark.parametrize("text", ["", "   ", "two\nlines", "bell\x07", "a" * 121, "\ud800", "para\u2029graph"])
def test_titles_that_would_hurt_are_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        naming.title(text)


@pytest.mark.parametrize("text", ["\u202egnp.exe", "News\u200b", "\ufeffOne", "\u2066a\u2069", "\u200d", "\u0301"])
def test_titles_with_marks_that_nobody_sees_are_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        naming.title(text)


@pytest.mark.parametrize("text", ["חדשות", "می\u200cخوریم", "क\u094d\u200dष", "👩\u200d👩\u200d👧", "日本", "+1", "★"])
def test_titles_of_all_the_world_are_kept(text: str) -> None:
    assert naming.title(text) == text


@given(st.text())
def test_a_title_from_elsewhere_is_made_fit_or_there_is_none(text: str) -> None:
    try:
        made = naming.foreign_title(text)
    except errors.Invalid:
        return

    assert naming.title(made, what="title") == made


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Demo TV", "demo-tv"),
        ("La 1 — España", "la-1-espana"),
        ("../../etc", "etc"),
        ("con", "con-"),
        ("日本", "unnamed"),
    ],
)
def test_slugs(text: str, slug: str) -> None:
    assert naming.slug(text) == slug


@given(st.text())
def test_a_slug_is_always_one_safe_component(text: str) -> None:
    slug = naming.slug(text)

    assert slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(slug) <= 81


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_file_name_is_always_one_safe_component(text: str) -> None:
    name = naming.file_name(text)

    assert name
    assert name not in (".", "..")
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert not name.startswith((".", "-"))
    assert len(name.encode()) <= 201


def test_recordings_are_named_in_utc() -> None:
    start = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

    assert naming.recording_stem("Evening news!", start) == "evening-news_2026-11-22_200000Z"
    assert naming.recording_stem("", start) == "adhoc_2026-11-22_200000Z"
