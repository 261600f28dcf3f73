"""SubRip: numbered cues, a comma in the times."""

from __future__ import annotations

from nephos.processing.captions import cue


def write(track: cue.Track) -> str:
    """The whole file."""
    blocks = [
        f"{number}\n{cue.clock(each.start, mark=',')} --> {cue.clock(each.end, mark=',')}\n{each.text}\n"
        for number, each in enumerate(track.cues, 1)
    ]
    return "\n".join(blocks)
