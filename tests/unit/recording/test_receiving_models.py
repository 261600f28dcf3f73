"""The parts that judge a stream against plain models of what they are for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.recording import health, maps, pcr, tables, watch
from tests.fakes import transport

# --- the programme map: in whatever portions it comes, it is that of one packet after the other -----------------------

PID_OF_A_MAP = st.sampled_from((0x20, 0x21, 0x1000))
LISTS = st.dictionaries(st.integers(1, 4), PID_OF_A_MAP, max_size=4).map(transport.pat)
MAPS = st.builds(
    lambda number, parts, version: transport.pmt(number, parts, version=version),
    st.integers(1, 4),
    st.lists(
        st.tuples(st.sampled_from((0x1B, 0x03, 0x06, 0x99)), st.integers(0x100, 0x1FF), st.binary(max_size=60)),
        max_size=6,
    ),
    st.integers(0, 31),
)
PACKETS = st.lists(
    st.one_of(
        LISTS.map(lambda raw: transport.carried(0, raw)),
        st.builds(transport.carried, PID_OF_A_MAP, MAPS),
        st.binary(min_size=184, max_size=184).map(lambda raw: [b"\x47" + raw[:3] + raw]),
        st.just([transport.packet(0x100, 0)]),
    ),
    max_size=12,
).map(lambda groups: [packet for group in groups for packet in group])


@given(PACKETS, st.lists(st.integers(1, 9), min_size=1, max_size=20))
@settings(deadline=None)
def test_a_map_in_any_portions_is_that_of_one_packet_after_the_other(packets: list[bytes], portions: list[int]) -> None:
    plain, reader = tables.Tables(), maps.Reader()
    changes = 0
    for packet in packets:
        plain.feed(packet)
    rest, turn = packets, 0
    while rest:
        size = portions[turn % len(portions)]
        batch, rest, turn = rest[:size], rest[size:], turn + 1
        stream = np.frombuffer(b"".join(batch), dtype=np.uint8)
        changes += reader.look(stream, health.heads(stream))

    assert reader.tables.programmes == plain.programmes
    assert (reader.tables.listed, changes) == (plain.listed, plain.changes)


# --- the clock: against the true course of time -----------------------------------------------------------------------

COURSE = st.lists(
    st.tuples(
        st.floats(0.2, 3.0),  # what passed here
        st.one_of(st.just(0.0), st.floats(1.5, 40_000.0), st.floats(-40_000.0, -5.0)),  # what it jumped beside that
    ),
    min_size=1,
    max_size=30,
)


@given(st.integers(0, pcr.WRAP - 1), COURSE)
def test_a_clock_jumps_exactly_when_it_is_set_and_wraps_only_between(
    start: int, course: list[tuple[float, float]]
) -> None:
    one, true, mono = pcr.Clock(), float(start), 100.0
    one.step(start, mono)
    for passed, jump in course:
        mono += passed
        before = int(true) % pcr.WRAP
        true += (passed + jump) * pcr.TICKS_PER_SECOND
        now = int(true) % pcr.WRAP

        step = one.step(now, mono)

        assert step.jumped == (jump != 0.0)
        assert step.wrapped == (jump == 0.0 and now < before)
        assert not step.is_frozen


# --- what is wrong with a stream: told after five seconds of one thing, never sooner ----------------------------------

GOOD = health.Counts(packets=1000)
SECONDS = {
    watch.Problem.NONE: (GOOD, 0),
    watch.Problem.NOT_TS: (health.Counts(), 10_000),
    watch.Problem.STUFFING: (replace(GOOD, null=1000), 0),
    watch.Problem.SCRAMBLED: (replace(GOOD, scrambled=500), 0),
    watch.Problem.LOSSES: (replace(GOOD, cc=50), 0),
}


@given(st.lists(st.tuples(st.sampled_from(list(SECONDS)), st.integers(1, 9)), max_size=12))
def test_a_problem_is_that_of_the_last_five_seconds_that_agreed(runs: list[tuple[watch.Problem, int]]) -> None:
    one, seen = watch.Watch(), [watch.Problem.NONE]
    expected = watch.Problem.NONE
    for problem, length in runs:
        for _ in range(length):
            counts, sync_bytes = SECONDS[problem]
            changed = one.note(counts, sync_bytes=sync_bytes, is_frozen=False)
            seen.append(problem)
            before, expected = expected, problem if seen[-5:] == [problem] * 5 else expected
            assert one.problem is expected
            assert changed == (before is not expected)
