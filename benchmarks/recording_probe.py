"""How soon and how rightly a probe says whether a channel is up: thirty of them, six of each kind."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta

import recording_stage as stage
from tests.fakes import multicast

from nephos.recording.sources import address, probe

_ROUNDS = 6


def main() -> None:
    took: dict[str, list[float]] = {}
    wrong = 0
    with contextlib.ExitStack() as stack:
        on = stack.enter_context(stage.Stage())

        def sender(content: bytes, rate: float, *, rtp: bool = False) -> str:
            made = multicast.MulticastSender(
                multicast.free_group(),
                multicast.free_port(),
                source=content,
                loop=True,
                bits_per_second=rate,
                rtp=rtp,
                keep=False,
            )
            return stack.enter_context(made).url

        kinds = {
            "UDP": (sender(on.content, 4e6), probe.State.UP),
            "RTP": (sender(on.content, 4e6, rtp=True), probe.State.UP),
            "200 kb/s": (sender(on.content, 2e5), probe.State.UP),
            "no transport stream": (sender(b"nephos" * 20000, 4e6), probe.State.NOT_TS),
            "down": (f"udp://{multicast.free_group()}:{multicast.free_port()}", probe.State.DOWN),
        }
        for _ in range(_ROUNDS):
            for kind, (url, state) in kinds.items():
                place = address.parse(url)
                assert isinstance(place, address.Address)
                began = time.monotonic()
                heard = probe.probe(place, interface=stage.LOOPBACK, timeout=timedelta(seconds=1.9))
                took.setdefault(kind, []).append(time.monotonic() - began)
                wrong += heard.state is not state
    stage.figure("wrong answers of a probe", wrong, "of 30", goal=0)
    stage.figure("probe of a channel that is up", max(took["UDP"] + took["RTP"] + took["200 kb/s"]), "s", goal=0.5)
    stage.figure("probe of a channel that is down", max(took["down"]), "s", goal=2)


if __name__ == "__main__":
    main()
