"""What a kill -9 of the recorder costs when it is started again at once, as the supervisor does: told by the bytes."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta

import recording_stage as stage

from nephos.recording import plan

_COUNT = 4
_RATE = 8e6


def gap_seconds(on: stage.Stage) -> float:
    """The longest of the channels, for one kill."""
    start = datetime.fromtimestamp(int(time.time()), UTC)
    window = plan.Window(1, start, start + timedelta(seconds=120))
    loaded = on.home([stage.channel(n, [window]) for n in range(_COUNT)], pre_roll=0)
    process = stage.spawn(loaded)
    stage.wait_joined(_COUNT)
    with on.sending(_COUNT, _RATE, 12):
        time.sleep(3.3)
        process.kill()
        process.wait()
        process = stage.spawn(loaded)
        time.sleep(6)
        process.terminate()
        process.wait(20)
    worst = max(_missing(on, b"".join(one.path.read_bytes() for one in stage.parts(loaded, n))) for n in range(_COUNT))
    on.drop(loaded)
    return worst * 8 / _RATE


def _missing(on: stage.Stage, written: bytes) -> int:
    """Bytes of the one hole in what was written, in a stream no two packets of which are the same."""
    head = 0
    while head < len(written) and written[head : head + 188] == on.content[head : head + 188]:
        head += 188
    after = on.content.find(written[head : head + 188], head)
    return after - head if after >= 0 else len(on.content)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    with stage.Stage() as on:
        gaps = sorted(gap_seconds(on) for _ in range(options.rounds))
    stage.figure("gap after kill -9 of the recorder, median", gaps[len(gaps) // 2], "s", goal=1)
    stage.figure("gap after kill -9 of the recorder, longest", gaps[-1], "s", goal=1)


if __name__ == "__main__":
    main()
