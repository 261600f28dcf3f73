"""Streams that ffmpeg fetches and unwraps: HLS, RTSP, SRT, RIST, files, and what comes over HTTP in other forms."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nephos.lib import ports
from nephos.recording.sources import links, process

_STALL_MICROSECONDS = "5000000"
# A playlist or a redirection from elsewhere must not make ffmpeg read a file of this machine.
_PROTOCOLS = {
    "http": "http,https,httpproxy,tcp,tls,crypto",
    "https": "http,https,httpproxy,tcp,tls,crypto",
    "rtsp": "rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto",
    "rtsps": "rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto",
    "srt": "srt,udp",
    "rist": "rist,udp",
    "file": "file",
}


def command(link: links.Link, *, is_playlist: bool | None = None) -> list[str]:
    """The command line that writes this stream as a transport stream to standard output.

    Whether it is a playlist the address says, unless the caller knows better.
    """
    playlist = link.is_playlist if is_playlist is None else is_playlist
    quiet = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning"]
    probing = ["-analyzeduration", "3000000", "-protocol_whitelist", _PROTOCOLS[link.scheme], *_trust(link)]
    # A playlist offers one picture in several sizes: without a map ffmpeg takes the best and fetches no other.
    mapped = [] if playlist else ["-map", "0"]
    out = ["-c", "copy", "-copy_unknown", "-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1"]
    source = f"file:{link.path}" if link.scheme == "file" else link.url
    return [
        *quiet,
        *probing,
        *_options(link, is_playlist=playlist),
        "-i",
        source,
        *mapped,
        *out,
        "-f",
        "mpegts",
        "pipe:1",
    ]


def _options(link: links.Link, *, is_playlist: bool) -> list[str]:
    if link.scheme == "file":
        return ["-re", "-stream_loop", "-1"]  # in real time and again and again, as a channel would
    if link.scheme.startswith("rtsp"):
        return ["-rtsp_flags", "prefer_tcp", "-timeout", _STALL_MICROSECONDS, "-copyts"]
    if is_playlist:
        # Segments come in bursts; at its own rate the stream goes on evenly and some are always in hand.
        return ["-rw_timeout", _STALL_MICROSECONDS, "-copyts", "-re"]
    return ["-rw_timeout", _STALL_MICROSECONDS, "-copyts"]


def _trust(link: links.Link) -> list[str]:
    """Left to itself ffmpeg takes any certificate."""
    authority = os.environ.get("SSL_CERT_FILE", "")
    named = ["-ca_file", authority] if authority else []
    return ["-tls_verify", "1", *named] if link.scheme == "https" else []


def source(link: links.Link) -> process.ProcessSource:
    """The source of a link."""

    def prepare(_is_unwanted: ports.Waiter) -> Sequence[str]:
        return command(link)

    what = "hls" if link.is_playlist else link.scheme
    return process.ProcessSource(prepare, what=what, shown=link.shown)
