"""Step 4: a still picture and a contact sheet of the mp4."""

from __future__ import annotations

import sys

from nephos.processing import errors, ffmpeg, stills
from nephos.processing.steps import base


def work(order: base.Order) -> list[base.Output]:
    """Make both pictures. Raises ToolFailed, or NotMedia if the mp4 is not there."""
    video = order.folder / order.video_name
    if not video.exists():
        raise errors.NotMedia(f"{video.name} is not in the folder of the set.", hint="The step video makes it.")
    seconds = float(ffmpeg.probe(ffmpeg.url(video), "-show_format")["format"]["duration"])
    picture, sheet = order.work / "thumbnail.jpg", order.work / "sheet.jpg"
    base.progress(0.0, "choosing a picture")
    stills.thumbnail(video, picture, seconds=seconds)
    base.progress(0.3, "making the contact sheet")
    stills.contact_sheet(video, sheet, seconds=seconds)
    outputs = [
        base.Output(kind="thumbnail", name=f"{order.stem}.jpg"),
        base.Output(kind="contact-sheet", name=f"{order.stem}.sheet.jpg"),
    ]
    for made, output in zip((picture, sheet), outputs, strict=True):
        made.replace(order.work / output.name)
    return outputs


if __name__ == "__main__":
    sys.exit(base.run(work))
