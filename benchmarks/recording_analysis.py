"""What judging a stream costs alone: continuity, programme map, clock; in the portions that the recorder hands over."""

from __future__ import annotations

import time

import numpy as np
import recording_stage as stage

from nephos.recording import health, maps, pcr, watch

_RATE = 8e6
_HAND_OVERS = 5  # a second
_ROUNDS = 20


def main() -> None:
    with stage.Stage() as on:
        stream = np.frombuffer(on.content, dtype=np.uint8)
    portion = int(_RATE / 8 / 188 / _HAND_OVERS) * 188
    portions = [stream[place : place + portion] for place in range(0, stream.size - portion, portion)]
    judge, map_reader, ticks, problems = health.Health(), maps.Reader(), pcr.Clock(), watch.Watch()
    seconds = 0
    began = time.process_time()
    for _ in range(_ROUNDS):
        for place in range(0, len(portions) - _HAND_OVERS, _HAND_OVERS):
            heads = []
            for packets in portions[place : place + _HAND_OVERS]:
                heads.append(health.heads(packets))
                map_reader.look(packets, heads[-1])
            counts = judge.feed(np.concatenate(heads))
            step = ticks.step(counts.pcr, float(seconds))
            problems.note(counts, sync_bytes=0, is_frozen=step.is_frozen)
            seconds += 1
    percent = (time.process_time() - began) / seconds * 100
    stage.figure("analysis of 8 Mb/s", percent, "% of a core", goal=0.35)


if __name__ == "__main__":
    main()
