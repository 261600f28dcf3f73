"""Ways to an mp4 that browsers play, from the cheapest to the surest; and how to know that one worked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from nephos.processing import errors, ffmpeg, media

_TOLERANCE = 0.02
_LEAST_TOLERANCE_SECONDS = 0.5
_ROUNDING_SECONDS = 0.0005
_LIMIT = timedelta(minutes=2)
_SAMPLE_BYTES = 16 * 16


class Rung(StrEnum):
    """What is done to the streams."""

    COPY = "copied"
    SOUND = "sound encoded anew"
    ALL = "all encoded anew"


@dataclass(frozen=True, slots=True)
class Made:
    """An mp4 that was looked at."""

    seconds: float
    width: int
    height: int
    sound: bool


def plan(facts: media.Media) -> tuple[Rung, ...]:
    """The rungs to try, in order: copying makes sense only for what browsers play."""
    if not facts.video.for_browsers:
        return (Rung.ALL,)
    if facts.audio is None:
        return (Rung.COPY, Rung.ALL)
    if facts.audio.for_browsers:
        return (Rung.COPY, Rung.SOUND, Rung.ALL)
    return (Rung.SOUND, Rung.ALL)


def arguments(rung: Rung, facts: media.Media, *, source: Path, title: str, target: str) -> list[str]:
    """ffmpeg's arguments for a rung."""
    made = ["-dts_delta_threshold", f"{facts.fold_seconds:.3f}", "-i", ffmpeg.url(source)]
    made += ["-map", f"0:{facts.video.index}"]
    if facts.audio is not None:
        made += ["-map", f"0:{facts.audio.index}"]
    made += _begin(rung, facts)
    made += _video_codec(rung, facts.video) + _audio_codec(rung, facts)
    made += ["-map_metadata", "-1", "-map_chapters", "-1", "-metadata", f"title={title}"]
    return [*made, "-max_muxing_queue_size", "4096", "-movflags", "+faststart", "-f", "mp4", target]


def _begin(rung: Rung, facts: media.Media) -> list[str]:
    """The mp4 begins with its first picture, so that captions can count from there; earlier sound is left out."""
    if rung is Rung.ALL:
        return ["-ss", f"{facts.offset_seconds:.6f}"] if facts.offset_seconds > 0 else []
    # Copying, ffmpeg leaves out packets by their decoding time, and one left out too much is a picture less until the
    # next key. What remains before the first picture gets negative times, which an mp4 skips by its edit list.
    cut = max(0.0, facts.decode_offset_seconds - _ROUNDING_SECONDS)
    made = ["-ss", f"{cut:.6f}"] if cut else []
    back = facts.offset_seconds - cut
    return [*made, "-output_ts_offset", f"{-back:.6f}"] if back else made


def _video_codec(rung: Rung, video: media.Video) -> list[str]:
    if rung is not Rung.ALL:
        return ["-c:v", "copy"]
    even = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
    between_keys = str(max(1, round(2 * video.frames_per_second)) or 50)
    made = ["-vf", f"bwdif=mode=send_frame:deint=interlaced,{even}", "-c:v", "libx264", "-preset", "veryfast"]
    return [*made, "-crf", "21", "-profile:v", "high", "-pix_fmt", "yuv420p", "-g", between_keys]


def _audio_codec(rung: Rung, facts: media.Media) -> list[str]:
    if facts.audio is None:
        return []
    if rung is Rung.COPY:
        # Named, the filter skips a broken frame; put in by ffmpeg itself, it ends the whole run at the first one.
        return ["-c:a", "copy", *(["-bsf:a", "aac_adtstoasc"] if facts.stride else [])]
    made = ["-c:a", "aac", "-b:a", "160k", "-af", "aresample=async=1"]
    return made + (["-ac", "2"] if facts.audio.channels > 2 else [])


def limit(rung: Rung, facts: media.Media) -> timedelta:
    """How long a rung may take: far more than it should."""
    if rung is Rung.ALL:
        return timedelta(seconds=600 + 30 * max(facts.seconds, 0))
    return timedelta(seconds=300 + facts.size_bytes / 1_000_000)


def check(path: Path, facts: media.Media, *, gaps_seconds: Iterable[float]) -> Made:
    """Look at an mp4: its length, its codecs, and pictures that really decode. Raises Unplayable with the reason."""
    made = _look(path)
    if not is_explained(made.seconds, expected=facts.seconds, gaps_seconds=gaps_seconds):
        raise errors.Unplayable(f"it lasts {made.seconds:.1f} s instead of {facts.seconds:.1f} s")
    for at in (0.0, made.seconds / 2, max(0.0, made.seconds - min(2.0, made.seconds / 10))):
        if not _decodes(path, at):
            raise errors.Unplayable(f"no picture can be decoded at {at:.1f} s")
    return made


def is_explained(seconds: float, *, expected: float, gaps_seconds: Iterable[float]) -> bool:
    """Whether a length is what it should be, within 2 %, or shorter by no more than the gaps of the recording."""
    tolerance = max(_LEAST_TOLERANCE_SECONDS, expected * _TOLERANCE)
    return expected - sum(gaps_seconds) - tolerance <= seconds <= expected + tolerance and seconds > 0


def _look(path: Path) -> Made:
    try:
        found = ffmpeg.probe(ffmpeg.url(path), "-show_streams", "-show_format")
    except errors.NotMedia as error:
        raise errors.Unplayable("it cannot be read") from error
    streams = found.get("streams", [])
    video = next((stream for stream in streams if stream.get("codec_type") == "video"), None)
    if video is None or video.get("codec_name") != "h264":
        raise errors.Unplayable("it holds no H.264 pictures")
    return Made(
        seconds=float(video.get("duration") or 0),
        width=int(video["width"]),
        height=int(video["height"]),
        sound=any(stream.get("codec_type") == "audio" for stream in streams),
    )


def _decodes(path: Path, at: float) -> bool:
    arguments = ["-ss", f"{at:.3f}", "-i", ffmpeg.url(path), "-map", "0:v:0", "-frames:v", "1"]
    arguments += ["-vf", "scale=16:16", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    return len(ffmpeg.run(arguments, folder=path.parent, limit=_LIMIT).stdout) == _SAMPLE_BYTES
