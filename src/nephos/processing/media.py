"""What is in a file: its pictures, its sound, its clock. Written by the step probe, read by the others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nephos.processing import errors, ffmpeg, tables, timeline, transport

_KEY_SEARCH_PACKETS = 3000
_LONGEST_LEAD_SECONDS = 30.0  # more is no lead but a jump of the clock
_BROWSER_VIDEO = "h264"
_BROWSER_AUDIO = "aac"
_BROWSER_PIXELS = frozenset({"yuv420p", "yuvj420p"})


@dataclass(frozen=True, slots=True)
class Video:
    """The pictures. `zero_stamp` is the clock (90 kHz, 33 bits) of the first one that can be decoded alone."""

    index: int
    codec: str
    width: int
    height: int
    frames_per_second: float
    pixels: str
    interlaced: bool
    key_found: bool
    zero_seconds: float
    zero_decode_seconds: float  # when it is decoded: B pictures make that earlier
    zero_stamp: int

    @property
    def for_browsers(self) -> bool:
        return self.codec == _BROWSER_VIDEO and self.pixels in _BROWSER_PIXELS and self.key_found


@dataclass(frozen=True, slots=True)
class Audio:
    """The sound."""

    index: int
    codec: str
    channels: int
    samples_per_second: int
    language: str

    @property
    def for_browsers(self) -> bool:
        return self.codec == _BROWSER_AUDIO


@dataclass(frozen=True, slots=True)
class Media:
    """A whole file."""

    container: str
    size_bytes: int
    seconds: float  # from the first picture to the end, with the jumps of the clock closed
    start_seconds: float  # what ffmpeg takes for zero when it reads the pictures and the sound
    lead_seconds: float  # from the first byte to the moment when the first picture is due; 0 if the clock is not known
    fold_seconds: float
    stride: int  # of its packets; 0: no transport stream
    video: Video
    audio: Audio | None
    streams: tuple[tables.Stream, ...]
    spans: tuple[timeline.Span, ...]

    @property
    def offset_seconds(self) -> float:
        """From the start of the container to the first picture."""
        return self.video.zero_seconds - self.start_seconds

    @property
    def decode_offset_seconds(self) -> float:
        """From the start of the container to the decoding of the first picture."""
        return self.video.zero_decode_seconds - self.start_seconds

    def plain(self) -> dict[str, Any]:
        """For probe.json."""
        return asdict(self)


def look(path: Path, *, longest_gap_seconds: float = 0.0) -> Media:
    """Examine a file. A hole in a recording up to the given length is taken for a hole, not for a jump of the clock.

    Raises NotMedia, ProgramMissing, or TimedOut.
    """
    size = _size(path)
    found = ffmpeg.probe(ffmpeg.url(path), "-show_format", "-show_streams", "-show_programs")
    streams = _streams_of_programme(found)
    pictures = [stream for stream in streams if _is_picture(stream)]
    if not pictures:
        what = "only sound" if any(s.get("codec_type") == "audio" for s in streams) else "neither pictures nor sound"
        raise errors.NotMedia(f"This file holds {what}.", hint="A pipeline for video needs pictures.")
    step = transport.stride(path) if "mpegts" in found["format"]["format_name"] else None
    sound = next(filter(_is_sound, streams), None)
    video = _video(path, pictures[0], is_transport=step is not None)
    fold = timeline.FOLD_SECONDS + 1.5 * longest_gap_seconds
    carried = tables.streams(path, step=step) if step else ()
    clock = _scan(path, step=step, pid=int(pictures[0].get("id", "0"), 0), zero=video.zero_stamp, fold=fold)
    length = clock.end_seconds if clock else _length(found, pictures[0])
    return Media(
        container=found["format"]["format_name"],
        size_bytes=size,
        seconds=length,
        start_seconds=_start(pictures[0], sound) if step else video.zero_seconds,
        lead_seconds=_lead(path, step=step, zero=video.zero_stamp) if step else 0.0,
        fold_seconds=fold,
        stride=step or 0,
        video=video,
        audio=_audio(sound) if sound else None,
        streams=carried,
        spans=tuple(clock.spans) if clock else (),
    )


def parse(raw: dict[str, Any]) -> Media:
    """Read what `plain` made. Raises KeyError or TypeError for anything else."""
    streams = [
        tables.Stream(**{**stream, "pages": tuple(tables.TeletextPage(**page) for page in stream["pages"])})
        for stream in raw["streams"]
    ]
    made = {
        **raw,
        "video": Video(**raw["video"]),
        "audio": Audio(**raw["audio"]) if raw["audio"] else None,
        "streams": tuple(streams),
        "spans": tuple(timeline.Span(**span) for span in raw["spans"]),
    }
    return Media(**made)


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise errors.NotMedia(f"The source cannot be read: {error.strerror}.") from error
    if size == 0:
        raise errors.NotMedia("The source is empty.")
    return size


def _streams_of_programme(found: dict[str, Any]) -> list[dict[str, Any]]:
    for programme in found.get("programs", []):
        members: list[dict[str, Any]] = programme.get("streams", [])
        if any(_is_picture(stream) for stream in members):
            return members
    everything: list[dict[str, Any]] = found.get("streams", [])
    return everything


def _is_picture(stream: dict[str, Any]) -> bool:
    cover = stream.get("disposition", {}).get("attached_pic")
    return stream.get("codec_type") == "video" and bool(stream.get("width")) and not cover


def _is_sound(stream: dict[str, Any]) -> bool:
    return stream.get("codec_type") == "audio" and bool(int(stream.get("sample_rate") or 0))


def _video(path: Path, stream: dict[str, Any], *, is_transport: bool) -> Video:
    key = _first_key(path, int(stream["index"])) if is_transport else None
    zero_seconds = float(key["pts_time"]) if key else float(stream.get("start_time") or 0)
    return Video(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name", "unknown")),
        width=int(stream["width"]),
        height=int(stream["height"]),
        frames_per_second=_rate(str(stream.get("avg_frame_rate", ""))) or _rate(str(stream.get("r_frame_rate", ""))),
        pixels=str(stream.get("pix_fmt", "")),
        interlaced=stream.get("field_order", "progressive") not in ("progressive", "unknown"),
        key_found=key is not None or not is_transport,
        zero_seconds=zero_seconds,
        zero_decode_seconds=float(key.get("dts_time", zero_seconds)) if key else zero_seconds,
        zero_stamp=round(zero_seconds * transport.CLOCK_PER_SECOND) % transport.WRAP,
    )


def _first_key(path: Path, index: int) -> dict[str, Any] | None:
    """The first packet that starts a picture which needs no other."""
    found = ffmpeg.probe(
        ffmpeg.url(path),
        *("-select_streams", str(index), "-show_entries", "packet=pts_time,dts_time,flags"),
        *("-read_intervals", f"%+#{_KEY_SEARCH_PACKETS}"),
    )
    keys = (p for p in found.get("packets", []) if p.get("flags", "").startswith("K") and p.get("pts_time"))
    return next(keys, None)


def _audio(stream: dict[str, Any]) -> Audio:
    return Audio(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name", "unknown")),
        channels=int(stream.get("channels") or 0),
        samples_per_second=int(stream.get("sample_rate") or 0),
        language=str(stream.get("tags", {}).get("language", "")),
    )


def _start(*streams: dict[str, Any] | None) -> float:
    """The earliest start of the streams that are used: ffmpeg leaves out of account those that are not."""
    return min((float(stream["start_time"]) for stream in streams if stream and "start_time" in stream), default=0.0)


def _rate(fraction: str) -> float:
    over, _, under = fraction.partition("/")
    return float(over) / float(under) if over.isdigit() and under.isdigit() and int(under) else 0.0


def _length(found: dict[str, Any], stream: dict[str, Any]) -> float:
    return float(stream.get("duration") or found["format"].get("duration") or 0)


def _scan(path: Path, *, step: int | None, pid: int, zero: int, fold: float) -> timeline.Clock | None:
    if step is None:
        return None
    clock = timeline.Clock(zero, fold_seconds=fold)
    for unit in transport.units(path, pid, step=step):
        clock.place(unit)
    return clock if clock.spans else None


def _lead(path: Path, *, step: int, zero: int) -> float:
    first = transport.first_clock(path, step=step)
    seconds = transport.distance(zero, first) / transport.CLOCK_PER_SECOND if first is not None else 0.0
    return seconds if 0 <= seconds <= _LONGEST_LEAD_SECONDS else 0.0
