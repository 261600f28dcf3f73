"""Make the test broadcast: `python tools/broadcast/make.py DIR` writes DIR/broadcast.ts and DIR/cues.json.

A constant-rate transport stream of 64 s with captions that are known to the frame, as CEA-608 (CC1) in the pictures and
as DVB teletext on page 888. 64 s hold a whole number of pictures, audio frames and datagrams, so that `send.py` can
repeat it without a seam. A second run finds that nothing changed and does nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import line21
import mux
import pictures
import teletext
import ts
from cues import CUES, FRAMES_PER_SECOND

SECONDS = 64
PAGE = 888
LANGUAGE = "eng"
PCR_START = 10 * ts.CLOCK
DELAY = 0.5  # seconds from the start of the stream to the decoding of its first picture
EARLY = 0.3  # seconds by which pictures and sound may go earlier than that: room at the end of the stream
TELETEXT_LEAD = 0.1  # ffmpeg's reader trusts a teletext time stamp only near the clock
_AUDIO_FRAMES_PER_PES = 4
_VIDEO_BITS_PER_SECOND = 850_000


def main() -> None:
    """Make what is missing or out of date."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit("usage: make.py DIR")
    folder = Path(sys.argv[1])
    stream, facts = folder / "broadcast.ts", folder / "cues.json"
    identity = _identity()
    if stream.exists() and facts.exists() and json.loads(facts.read_bytes()).get("made_by") == identity:
        return
    folder.mkdir(parents=True, exist_ok=True)
    content, description = build()
    _replace(stream, content)
    _replace(facts, json.dumps({"made_by": identity, **description}, indent=1).encode() + b"\n")


def build() -> tuple[bytes, dict[str, object]]:
    """The stream and what is true of it."""
    frames = SECONDS * FRAMES_PER_SECOND
    units = pictures.video(frames, _VIDEO_BITS_PER_SECOND)
    shift = PCR_START + round(DELAY * ts.CLOCK) - units[0].dts
    pts_start = min(unit.pts for unit in units) + shift
    pairs, first_frames = line21.schedule(CUES, frames)

    loads = _video(units, shift, pts_start, pairs) + _audio(pts_start) + _teletext(pts_start)
    psi = mux.tables(teletext.descriptor(PAGE, LANGUAGE))
    packets = SECONDS * mux.PACKETS_PER_SECOND
    stream, sent = mux.multiplex(loads, psi=psi, packets=packets, pcr_start=PCR_START)
    described = []
    for number, cue in enumerate(CUES):
        spans = [
            sent["video", first_frames[number]],
            sent["video", cue.end_frame + 1],
            sent["teletext", number, "show"],
            sent["teletext", number, "clear"],
        ]
        arrives, complete = min(span.first for span in spans), max(span.last for span in spans)
        described.append(
            {"start": cue.start, "end": cue.end, "lines": cue.lines, "sent_from": arrives, "sent_to": complete}
        )
    facts = {
        "seconds": SECONDS,
        "frames_per_second": FRAMES_PER_SECOND,
        "packets_per_second": mux.PACKETS_PER_SECOND,
        "bits_per_second": mux.PACKETS_PER_SECOND * ts.PACKET * 8,
        "pcr_start": PCR_START,
        "pts_start": pts_start,
        "teletext_page": PAGE,
        "cues": described,
    }
    return stream, facts


def _video(units: list[ts.Unit], shift: int, pts_start: int, pairs: list[line21.Pair | None]) -> list[mux.Load]:
    loads = []
    for unit in units:
        pts, dts = unit.pts + shift, unit.dts + shift
        frame = (pts - pts_start) * FRAMES_PER_SECOND // ts.CLOCK
        stamps = b"\x80\xc0\x0a" + ts.stamp(3, pts) + ts.stamp(1, dts)
        payload = line21.insert(unit.payload, line21.sei(pairs[frame]))
        key_picture = b"\x00\x00\x01\x67" in payload[:64]
        packets = ts.packetise(mux.VIDEO_PID, b"\x00\x00\x01\xe0\x00\x00" + stamps + payload, random_access=key_picture)
        due = (dts - PCR_START) / ts.CLOCK
        loads.append(mux.Load(("video", frame), packets, due - DELAY - EARLY, due))
    return loads


def _audio(pts_start: int) -> list[mux.Load]:
    frames = pictures.audio(SECONDS * pictures.SAMPLES_PER_SECOND // 1024)
    loads = []
    for first in range(0, len(frames), _AUDIO_FRAMES_PER_PES):
        pts = pts_start + first * 1024 * ts.CLOCK // pictures.SAMPLES_PER_SECOND
        payload = b"\x80\x80\x05" + ts.stamp(2, pts) + b"".join(frames[first : first + _AUDIO_FRAMES_PER_PES])
        pes = b"\x00\x00\x01\xc0" + len(payload).to_bytes(2, "big") + payload
        due = (pts - PCR_START) / ts.CLOCK
        loads.append(mux.Load(("audio", first), ts.packetise(mux.AUDIO_PID, pes), due - DELAY - EARLY, due - 0.1))
    return loads


def _teletext(pts_start: int) -> list[mux.Load]:
    loads = []
    for number, cue in enumerate(CUES):
        # Stations repeat a page while it is shown, so that late viewers see it too.
        events = [("show", cue.start, cue.lines), ("again", cue.start + 1, cue.lines), ("clear", cue.end, ())]
        for kind, seconds, lines in events:
            pts = pts_start + round(seconds * ts.CLOCK)
            packets = ts.packetise(mux.TELETEXT_PID, teletext.pes(PAGE, lines, pts))
            due = (pts - PCR_START) / ts.CLOCK
            loads.append(mux.Load(("teletext", number, kind), packets, due - TELETEXT_LEAD, due - TELETEXT_LEAD / 2))
    return loads


def _identity() -> str:
    """What the files depend on: the text of the generator (the sender is no part of it)."""
    sources = sorted(path for path in Path(__file__).parent.glob("*.py") if path.name != "send.py")
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(target)


if __name__ == "__main__":
    main()
