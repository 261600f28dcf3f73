"""Pieces of a big file that several logins carry."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.sync.connections.sftp.pieces import Pieces


def test_what_is_there_ends_at_the_first_hole() -> None:
    pieces = Pieces(100, ahead=1000)
    first, second, third = (pieces.next(30) for _ in range(3))

    pieces.arrived(third)
    pieces.arrived(second)
    before = pieces.there
    pieces.arrived(first)

    assert (before, pieces.there) == (0, 90)


def test_nobody_runs_further_ahead_of_a_hole_than_may_be_sent_again() -> None:
    pieces = Pieces(1000, ahead=100)
    first = pieces.next(60)
    for piece in [pieces.next(60)]:
        pieces.arrived(piece)

    stopped = not pieces.has_next
    pieces.arrived(first)

    assert stopped
    assert pieces.has_next


def test_what_a_lost_login_had_is_given_out_again_though_others_are_far_ahead() -> None:
    pieces = Pieces(100, ahead=50)
    lost = pieces.next(50)

    pieces.lost(lost)

    assert pieces.has_next
    assert pieces.next(50) is lost


@pytest.mark.parametrize("start", [0, 40, 100])
def test_going_on_gives_out_only_what_is_missing(start: int) -> None:
    pieces = Pieces(100, start=start, ahead=1000)
    given_out = 0
    while pieces.has_next:
        piece = pieces.next(7)
        given_out += piece.bytes
        pieces.arrived(piece)

    assert given_out == 100 - start
    assert pieces.is_done


@given(size=st.integers(1, 5000), ahead=st.integers(1, 800), most=st.integers(1, 300), seed=st.integers())
def test_every_byte_arrives_once_in_whatever_order_and_after_whatever_losses(
    size: int, ahead: int, most: int, seed: int
) -> None:
    chance = random.Random(seed)
    pieces, under_way, there = Pieces(size, ahead=ahead), [], 0
    arrived: list[tuple[int, int]] = []
    while not pieces.is_done:
        if pieces.has_next and (not under_way or chance.random() < 0.6):
            under_way.append(pieces.next(most))
            continue
        piece = under_way.pop(chance.randrange(len(under_way)))
        if chance.random() < 0.2:
            pieces.lost(piece)
        else:
            arrived.append((piece.start, piece.end))
            pieces.arrived(piece)
        assert pieces.there >= there
        there = pieces.there

    ends = [end for _, end in sorted(arrived)]
    assert [start for start, _ in sorted(arrived)] == [0, *ends[:-1]]
    assert ends[-1] == size
