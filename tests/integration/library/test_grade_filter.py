"""Recordings are found by their grade."""

from __future__ import annotations

import pytest

from nephos.lib import clock
from nephos.library import grades, queries, services
from nephos.library.models import Recording

pytestmark = pytest.mark.django_db


def test_a_list_can_be_narrowed_to_grades() -> None:
    channel = services.add_channel(name="La Uno", address="udp://239.1.2.3:5004")
    now = clock.now()
    for score in (100, 91, 60, 0, None):
        asset = services.begin_recording(
            key=f"k{score}", title=f"score {score}", channel=channel, stem=f"s{score}", starts_at=now, ends_at=now
        )
        Recording.objects.filter(asset=asset).update(score=score)

    good = queries.assets(grade=grades.read("A,B"))

    assert [row.title for row in good] == ["score 91", "score 100"]
    assert [row.recording.grade for row in good if row.recording] == ["B", "A"]
    assert [row.title for row in queries.assets(grade=grades.read("F"))] == ["score 0"]
    assert len(queries.assets()) == 5
