"""What is removed after a recording is finished, and what never."""

from __future__ import annotations

import pytest

from nephos.config.load import Loaded
from nephos.library.models import Channel
from nephos.recording import segments, sweep
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_segments_of_finished_windows_are_removed(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    tape.receive(stage.at(-60), stage.at(-50))  # nobody knows why
    tape.receive(stage.at(2), stage.at(28))
    tape.receive(stage.at(50), stage.at(55))  # nobody knows this either
    stage.run(home, hands, 70)
    assert len(list(tape.folder.glob("*.ts"))) == 5

    stage.tidy(home, hands)

    assert stage.left(tape) == [
        segments.name(int(stage.at(-60).timestamp())).replace(".ts", ".jsonl"),
        segments.name(int(stage.at(-60).timestamp())),
        segments.name(int(stage.at(50).timestamp())).replace(".ts", ".jsonl"),
        segments.name(int(stage.at(50).timestamp())),
    ]


def test_segments_that_may_still_be_written_to_stay_for_now(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    stage.run(home, hands, 28)
    sweeper = sweep.Sweeper(home)

    sweeper.step()
    assert sorted(path.name for path in tape.folder.glob("*.ts")) == [
        segments.name(int(stage.at(10).timestamp())),
        segments.name(int(stage.at(20).timestamp())),
    ]
    hands.pass_(13)
    sweeper.step()

    assert stage.left(tape) == []


def test_a_kill_between_a_segment_and_its_journal_leaves_nothing_for_long(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    stage.run(home, hands, 28)
    (tape.folder / segments.name(int(stage.at(10).timestamp()))).unlink()
    (tape.folder / "notes.jsonl").write_text("not ours")

    stage.tidy(home, hands)

    assert stage.left(tape) == ["notes.jsonl"]
