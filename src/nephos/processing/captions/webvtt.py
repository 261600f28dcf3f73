"""WebVTT: what browsers show beneath a video."""

from __future__ import annotations

from nephos.processing.captions import cue

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write(track: cue.Track) -> str:
    """The whole file."""
    blocks = [
        f"{cue.clock(each.start, mark='.')} --> {cue.clock(each.end, mark='.')}\n{each.text.translate(_ESCAPES)}\n"
        for each in track.cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])
