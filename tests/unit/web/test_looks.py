"""The state language: every state of every table has a look of its own choosing."""

from __future__ import annotations

import pytest

from nephos.library import states as library
from nephos.recording import states as recording
from nephos.sync import states as sync
from nephos.web import looks, roles
from nephos.web.roles import Scope


@pytest.mark.parametrize(
    "state",
    [*library.AssetState, *library.ChannelStatus, *library.Verdict, *recording.BookingState, *sync.PathState],
)
def test_no_state_is_shown_by_default(state: str) -> None:
    assert str(state) in looks._LOOKS


def test_a_word_has_one_look() -> None:
    words = [word for line in looks._WORDS.values() for word in line.split()]

    assert len(words) == len(set(words))


def test_an_unknown_state_waits() -> None:
    assert looks.of("no such state") is looks.WAITING


def test_admin_includes_everything_and_report_nothing_else() -> None:
    assert roles.expand([Scope.ADMIN]) == frozenset(Scope)
    assert roles.expand([Scope.OPERATE]) == {Scope.OPERATE, Scope.READ}
    assert roles.expand([Scope.REPORT]) == {Scope.REPORT}
    assert roles.scopes_of(roles.Role.VIEWER) == {Scope.READ}
