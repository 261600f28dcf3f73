"""How good a recording is: a verdict, a reason that a person understands, a score; pure.

The score starts at 100. Each gap costs its share of the window, more if it is long (over 5 s one and a half times,
over 2 min three times) or in the last tenth of what was wanted (twice); in the padding it costs a quarter. Then lost
packets cost 5 (from 0.01 % continuity errors), 20 (from 0.1 %) or 40 points (from 1 %), scrambled ones two points a
percent. Damage leaves 50 at most, a carrier with nothing but stuffing 5. `library.grades` makes letters of it.

*No space* and *aborted* need 15 s or a tenth of the window, lost to the disk or to a recorder that never came back.
A recording is *damaged* if the packets that came are (a thousandth with continuity errors, a hundredth out of sync, a
tenth scrambled, nothing but stuffing) or if half of the wanted time is missing; else gaps make it *complete with gaps*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from nephos.lib import text
from nephos.library.states import Verdict
from nephos.recording import gaps, segments

COUNTERS = (
    "bytes datagrams packets cc missing sync scrambled null tei rtp_lost drops unwritten".split()  # noqa: SIM905
)
_MUCH_SHARE = 0.1
_MUCH_LENGTH = timedelta(seconds=15)
_SHOWN_GAPS = 3
_FAULTY = 50
_STUFFING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The end of a recording."""

    verdict: Verdict
    reason: str
    score: int


def counters(seconds: Sequence[segments.Second]) -> dict[str, int]:
    """Sums over the seconds of a window; `seconds` of them, `silent` without a byte."""
    sums = {name: sum(getattr(second, name) for second in seconds) for name in COUNTERS}
    times = {second.utc: 0 for second in seconds}
    for second in seconds:
        times[second.utc] += second.bytes
    return sums | {"seconds": len(times), "silent": sum(1 for got in times.values() if not got)}


def judge(
    *,
    window: gaps.Span,
    wanted: gaps.Span,
    found: Sequence[gaps.Gap],
    counts: Mapping[str, int],
    stopped: bool = False,
    cut_short: bool = False,
) -> Judgement:
    """Weigh gaps and counters of a window, in whose middle lies what was wanted."""
    if not counts.get("bytes"):
        return Judgement(verdict=_empty_verdict(counts), reason=_empty_reason(counts), score=0)
    fault = _fault(counts)
    verdict = Verdict.NO_SPACE if cut_short else _verdict(window, wanted, found, is_faulty=bool(fault))
    reason = "; ".join(part for part in (_gaps_in_words(found), fault or _trifles(counts)) if part)
    if stopped:
        reason = f"Stopped by hand after {text.duration(window.end - window.start)}. {reason}"
    if cut_short:
        reason = f"Stopped after {text.duration(window.end - window.start)}, the disk was almost full. {reason}"
    score = _score(wanted, found, counts)
    return Judgement(verdict=verdict, reason=f"{reason}.", score=min(score, _FAULTY) if fault else score)


def _verdict(window: gaps.Span, wanted: gaps.Span, found: Sequence[gaps.Gap], *, is_faulty: bool) -> Verdict:
    if _is_much(window, [gap for gap in found if gap.cause == gaps.Cause.DISK]):
        return Verdict.NO_SPACE
    # The recorder ended well before the window did and never came back.
    if _is_much(window, [gap for gap in found if gap.end == window.end and gap.cause == gaps.Cause.NOT_RUNNING]):
        return Verdict.ABORTED
    if is_faulty or _share(wanted, found) >= 0.5:
        return Verdict.DAMAGED
    return Verdict.COMPLETE_WITH_GAPS if found else Verdict.COMPLETE


def _is_much(window: gaps.Span, found: Sequence[gaps.Gap]) -> bool:
    missing = sum((gap.end - gap.start for gap in found), timedelta(0))
    return missing >= _MUCH_LENGTH or missing >= max(gaps.LEAST, (window.end - window.start) * _MUCH_SHARE)


def _share(wanted: gaps.Span, found: Sequence[gaps.Gap]) -> float:
    missing = sum((_inside(gap, wanted) for gap in found), timedelta(0))
    return missing / (wanted.end - wanted.start)


def _inside(gap: gaps.Gap, span: gaps.Span) -> timedelta:
    return max(timedelta(0), min(gap.end, span.end) - max(gap.start, span.start))


def _score(wanted: gaps.Span, found: Sequence[gaps.Gap], counts: Mapping[str, int]) -> int:
    length = wanted.end - wanted.start
    score = 100.0 - 100.0 * sum(_weight(gap, wanted) for gap in found) / length.total_seconds()
    errors = _ratio(counts, "cc")
    for least, cost in ((0.01, 40), (0.001, 20), (0.0001, 5)):
        if errors >= least:
            score -= cost
            break
    score -= 200.0 * _ratio(counts, "scrambled")
    if _is_stuffing(counts):
        score = min(score, _STUFFING)
    if found:
        score = min(score, 99.0)  # only a whole recording is 100
    return max(1, min(100, round(score)))


def _weight(gap: gaps.Gap, wanted: gaps.Span) -> float:
    """The seconds of a gap, as heavy as they are felt."""
    inside = _inside(gap, wanted).total_seconds()
    late = gaps.Span(wanted.end - (wanted.end - wanted.start) / 10, wanted.end)
    at_the_end = _inside(gap, late).total_seconds()
    in_padding = gap.seconds - inside
    factor = 3.0 if gap.seconds > 120 else 1.5 if gap.seconds > 5 else 1.0
    return factor * (inside + at_the_end + in_padding / 4)


def _ratio(counts: Mapping[str, int], name: str) -> float:
    return counts.get(name, 0) / max(1, counts.get("packets", 0))


def _is_stuffing(counts: Mapping[str, int]) -> bool:
    return _ratio(counts, "null") >= 0.999


def _fault(counts: Mapping[str, int]) -> str:
    """What is wrong with the packets that came, in words; empty if nothing serious is."""
    out_of_sync = counts.get("sync", 0) / max(1, counts.get("sync", 0) + counts.get("bytes", 0))
    if _is_stuffing(counts):
        return "the carrier held no programme, only stuffing"
    if _ratio(counts, "scrambled") >= 0.1:
        return f"{_percent(_ratio(counts, 'scrambled'))} of the packets are scrambled"
    if out_of_sync >= 0.01:
        return f"{_percent(out_of_sync)} of the bytes are no transport stream"
    if _ratio(counts, "cc") >= 0.001:
        return f"packets were lost in many places ({text.count(counts['cc'], 'continuity error')})"
    return ""


def _trifles(counts: Mapping[str, int]) -> str:
    errors = counts.get("cc", 0)
    return f"{text.count(errors, 'continuity error')}, too few to be seen for long" if errors else ""


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _gaps_in_words(found: Sequence[gaps.Gap]) -> str:
    if not found:
        return "Everything was received"
    total = sum((gap.end - gap.start for gap in found), timedelta(0))
    listed = [f"{gap.cause} for {text.duration(_rounded(gap))} at {gap.start:%H:%M:%S} UTC" for gap in found]
    more = f", and {len(listed) - _SHOWN_GAPS} more" if len(listed) > _SHOWN_GAPS else ""
    head = f"{text.count(len(found), 'gap')} of {text.duration(timedelta(seconds=round(total.total_seconds(), 1)))}"
    return f"{head}: {'; '.join(listed[:_SHOWN_GAPS])}{more}"


def _rounded(gap: gaps.Gap) -> timedelta:
    return timedelta(seconds=round(gap.seconds, 1))


def _empty_verdict(counts: Mapping[str, int]) -> Verdict:
    return Verdict.NO_SPACE if counts.get("unwritten") else Verdict.EMPTY


def _empty_reason(counts: Mapping[str, int]) -> str:
    if counts.get("unwritten"):
        return "The stream came, but the disk was full or too slow: nothing could be kept."
    if counts.get("sync"):
        return "Something came, but it was no transport stream."
    return "The receiver listened, but nothing came: no signal."
