"""Still pictures of an mp4: one that stands for it, and a sheet of sixteen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from nephos.processing import errors, ffmpeg

_LIMIT = timedelta(minutes=5)
_SIDE = 4
_SQUARE = "scale=trunc(iw*sar/2)*2:ih,setsar=1"  # broadcasters' pixels are not always square
_JPEG = ["-frames:v", "1", "-q:v", "4", "-update", "1", "-f", "image2"]


def thumbnail(video: Path, target: Path, *, seconds: float) -> None:
    """The most typical of some pictures after a third of the video. Raises ToolFailed."""
    chosen = f"thumbnail=n=12,{_SQUARE},scale=w='min(640,iw)':h=-2"
    _make(["-ss", f"{seconds / 3:.3f}", "-i", ffmpeg.url(video), "-map", "0:v:0", "-vf", chosen, *_JPEG], target)


def contact_sheet(video: Path, target: Path, *, seconds: float) -> None:
    """Four by four key pictures, evenly spread. Raises ToolFailed.

    One input for each, so that the cost does not grow with the length: decoding all key pictures of four hours would.
    """
    count = _SIDE * _SIDE
    inputs: list[str] = []
    cells = ""
    fit = "scale=320:180:force_original_aspect_ratio=decrease,pad=320:180:-1:-1"
    for number in range(count):
        at = seconds * (number + 0.5) / count
        inputs += ["-threads", "1", "-skip_frame", "nokey", "-noaccurate_seek", "-ss", f"{at:.3f}", "-t", "1"]
        inputs += ["-i", ffmpeg.url(video)]
        cells += f"[{number}:v:0]trim=end_frame=1,setpts=0,{_SQUARE},{fit}[c{number}];"
    sheet = "".join(f"[c{number}]" for number in range(count)) + f"concat=n={count},tile={_SIDE}x{_SIDE}[sheet]"
    _make([*inputs, "-filter_complex", cells + sheet, "-map", "[sheet]", *_JPEG], target)


def _make(arguments: list[str], target: Path) -> None:
    target.unlink(missing_ok=True)
    ended = ffmpeg.run([*arguments, target.name], folder=target.parent, limit=_LIMIT)
    if not target.exists() or not target.stat().st_size:
        raise errors.ToolFailed(f"ffmpeg made no picture: {ended.complaint or 'it gave no reason'}.")
