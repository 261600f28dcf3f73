"""Ranges as RFC 9110 wants them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.web import ranges
from nephos.web.ranges import Span


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", Span(0, 0)),
        ("bytes=0-99", Span(0, 99)),
        ("bytes=10-", Span(10, 999)),
        ("bytes=-1", Span(999, 999)),
        ("bytes=-5000", Span(0, 999)),
        ("bytes=990-5000", Span(990, 999)),
        ("Bytes = 5-6", Span(5, 6)),
    ],
)
def test_a_span_is_cut_to_the_file(header: str, span: Span) -> None:
    assert ranges.parse(header, size=1000) == span


@pytest.mark.parametrize(
    "header",
    ["", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "lines=0-5", "bytes=0-1,5-6", "bytes=+1-2", "bytes=0x1-2", "٣"],
)
def test_what_cannot_be_read_asks_for_the_whole_file(header: str) -> None:
    assert ranges.parse(header, size=1000) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_nothing_of_the_file_is_unsatisfiable(header: str, size: int) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.parse(header, size=size)


@given(st.text(max_size=40), st.integers(min_value=0, max_value=10**15))
def test_no_header_leads_outside_the_file(tail: str, size: int) -> None:
    try:
        span = ranges.parse(f"bytes={tail}", size=size)
    except ranges.Unsatisfiable:
        return

    assert span is None or 0 <= span.start <= span.end < size
