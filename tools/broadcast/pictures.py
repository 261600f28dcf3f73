"""The elementary streams: a small moving test picture in H.264 and a beep in AAC, made by ffmpeg."""

from __future__ import annotations

import subprocess

import ts
from cues import FRAMES_PER_SECOND

SAMPLES_PER_SECOND = 48_000
_QUIET = ("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error")


def video(frames: int, bits_per_second: int) -> list[ts.Unit]:
    """Access units in order of decoding, with a key picture each second and two B pictures between others."""
    rate = str(bits_per_second)
    x264 = f"keyint={FRAMES_PER_SECOND}:min-keyint={FRAMES_PER_SECOND}:scenecut=0:open-gop=0:aud=1:force-cfr=1"
    source = f"testsrc2=size=640x360:rate={FRAMES_PER_SECOND}"
    raw = _run(
        *("-f", "lavfi", "-i", source, "-frames:v", str(frames), "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-x264-params", x264),
        *("-threads", "1"),  # with more, x264 spends its bits differently each time
        *("-b:v", rate, "-maxrate", rate, "-bufsize", str(bits_per_second // 2), "-f", "mpegts", "-"),
    )
    units = list(ts.read_units(raw, range(0xE0, 0xF0)))
    if len(units) != frames:
        raise RuntimeError(f"{len(units)} pictures instead of {frames}")
    return units


def audio(frames: int) -> list[bytes]:
    """AAC frames of 1024 samples, each with its ADTS header."""
    source = f"sine=frequency=440:beep_factor=4:sample_rate={SAMPLES_PER_SECOND}"
    seconds = str((frames + 4) * 1024 / SAMPLES_PER_SECOND)
    raw = _run("-f", "lavfi", "-i", source, "-t", seconds, "-c:a", "aac", "-b:a", "64k", "-f", "adts", "-")
    out = []
    position = 0
    while position < len(raw) and len(out) <= frames:
        size = (raw[position + 3] & 3) << 11 | raw[position + 4] << 3 | raw[position + 5] >> 5
        out.append(raw[position : position + size])
        position += size
    return out[1 : frames + 1]  # the first one only primes the decoder


def _run(*arguments: str) -> bytes:
    return subprocess.run([*_QUIET, *arguments], check=True, stdout=subprocess.PIPE, timeout=300).stdout
