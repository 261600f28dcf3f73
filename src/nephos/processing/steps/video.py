"""Step 2: an mp4 of H.264 and AAC that browsers play from its first byte on."""

from __future__ import annotations

import logging
import sys

from nephos.lib import errors as lib_errors
from nephos.processing import errors, ffmpeg, ladder, media
from nephos.processing.steps import base

logger = logging.getLogger(__name__)

_UNCHECKED = "unchecked.mp4"


def work(order: base.Order) -> list[base.Output]:
    """Climb the ladder until an mp4 passes. Raises Unplayable if none does."""
    facts = order.media()
    gaps = order.airing().gaps_seconds
    target = order.work / order.video_name
    reasons = []
    for rung in ladder.plan(facts):
        base.progress(0.0, f"making the mp4 ({rung})")
        try:
            made = _climb(order, facts, rung, gaps)
        except (errors.Unplayable, lib_errors.TimedOut) as error:
            reasons.append(f"{rung}: {error.message}")
            logger.warning("The mp4 is no good: %s", reasons[-1])
            continue
        (order.work / _UNCHECKED).replace(target)
        more = {"way": str(rung), "seconds": made.seconds, "width": made.width, "height": made.height}
        return [base.Output(kind="video", name=target.name, more=more)]
    raise errors.Unplayable(f"No playable mp4 could be made; {'; '.join(reasons)}.")


def _climb(order: base.Order, facts: media.Media, rung: ladder.Rung, gaps: tuple[float, ...]) -> ladder.Made:
    unchecked = order.work / _UNCHECKED
    unchecked.unlink(missing_ok=True)
    arguments = ladder.arguments(rung, facts, source=order.source, title=order.title, target=_UNCHECKED)
    ended = ffmpeg.run(
        arguments,
        folder=order.work,
        limit=ladder.limit(rung, facts),
        on_seconds=lambda seconds: base.progress(0.9 * seconds / max(facts.seconds, 1.0)),
    )
    if ended.complaint:
        logger.info("ffmpeg: %s", ended.complaint)
    if not unchecked.exists():
        raise errors.Unplayable(ended.complaint or f"ffmpeg ended with {ended.code} and made nothing")
    base.progress(0.95, "checking the mp4")
    return ladder.check(unchecked, facts, gaps_seconds=gaps)


if __name__ == "__main__":
    sys.exit(base.run(work))
