"""Real senders of each protocol on the loopback interface: they send, stall and go on, for tests and the soak."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from tests.fakes import multicast, transport

RATE = 1_504_000  # bits per second of `material`
_PIECE = 7 * 188
_PIPE_WRITER = """
import os, sys, time
path, flag, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
print("a line of complaint", file=sys.stderr, flush=True)
began = time.monotonic()
with open(path, "rb") as stream:
    sent = 0
    while piece := stream.read(1316):
        while os.path.exists(flag):
            time.sleep(0.02)
        wait = began + sent * 8 / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        os.write(1, piece)
        sent += len(piece)
"""


def material(folder: Path, *, seconds: int = 70) -> Path:
    """A programme with picture and sound at a constant rate."""
    path = folder / "programme.ts"
    pictures = ["-f", "lavfi", "-i", f"testsrc=size=192x108:rate=25:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=duration={seconds}"]
    codecs = ["-c:v", "mpeg2video", "-g", "12", "-b:v", "800k", "-c:a", "mp2", "-b:a", "128k"]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *pictures, *sound, *codecs, "-muxrate", str(RATE), "-f", "mpegts", str(path)],
        check=True,
        timeout=120,
    )
    return path


def free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sender(Protocol):
    """One channel's sender."""

    url: str

    def start(self) -> None: ...
    def stall(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...


class _Paced:
    """Pieces of a file at its own rate, from where the clock is; none while it stalls."""

    def __init__(self, path: Path) -> None:
        self.stalled = threading.Event()
        self.ended = threading.Event()
        self._content = path.read_bytes()
        self._began = time.monotonic()

    def pieces(self) -> Iterator[bytes]:
        place = int((time.monotonic() - self._began) * RATE / 8) // _PIECE * _PIECE
        while not self.ended.is_set():
            due = self._began + place * 8 / RATE
            self.ended.wait(max(0.0, due - time.monotonic()))
            piece = self._content[place % len(self._content) :][:_PIECE]
            place += len(piece)
            if not self.stalled.is_set():
                yield piece


class HttpSender:
    """A transport stream without end over HTTP; while it stalls the connection stays open."""

    def __init__(self, path: Path) -> None:
        self._paced = paced = _Paced(path)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                self.end_headers()
                with contextlib.suppress(OSError):
                    for piece in paced.pieces():
                        self.wfile.write(piece)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://user:hunter2@127.0.0.1:{self._server.server_port}/live.ts"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stall(self) -> None:
        self._paced.stalled.set()

    def resume(self) -> None:
        self._paced.stalled.clear()

    def stop(self) -> None:
        self._paced.ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Program:
    """A sending program that is stopped in its tracks, and started again whenever it ended."""

    def __init__(self, argv: list[str]) -> None:
        self._argv = argv
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _keep(self) -> None:
        while not self._ended.wait(0.1):
            self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._process.wait()

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self) -> None:
        self._ended.set()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        self._thread.join(5)


class ProgramSender:
    """ffmpeg that sends somewhere."""

    def __init__(self, path: Path, url: str, out: list[str]) -> None:
        self.url = url
        source = ["-re", "-stream_loop", "-1", "-i", str(path)]
        self._program = _Program(["ffmpeg", "-v", "error", "-nostdin", "-y", *source, "-map", "0", "-c", "copy", *out])

    def start(self) -> None:
        self._program.start()

    def stall(self) -> None:
        self._program.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._program.signal(signal.SIGCONT)

    def stop(self) -> None:
        self._program.stop()


def srt(path: Path) -> ProgramSender:
    port = multicast.free_port()
    out = ["-f", "mpegts", f"srt://127.0.0.1:{port}?mode=listener&pkt_size=1316"]
    return ProgramSender(path, f"srt://127.0.0.1:{port}?mode=caller", out)


def rist(path: Path) -> ProgramSender:
    port = multicast.free_port() // 2 * 2  # RIST takes an even port and the next one
    return ProgramSender(path, f"rist://@127.0.0.1:{port}", ["-f", "mpegts", f"rist://127.0.0.1:{port}?pkt_size=1316"])


class HlsSender:
    """ffmpeg that cuts a live playlist, and a web server for it."""

    def __init__(self, path: Path, folder: Path) -> None:
        folder.mkdir()
        form = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "6", "-hls_flags", "delete_segments+omit_endlist"]
        self._sender = ProgramSender(path, "", [*form, str(folder / "live.m3u8")])
        handler = functools.partial(_Quiet, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/live.m3u8"

    def start(self) -> None:
        self._sender.start()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stall(self) -> None:
        self._sender.stall()

    def resume(self) -> None:
        self._sender.resume()

    def stop(self) -> None:
        self._sender.stop()
        self._server.shutdown()
        self._server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _RtspServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, paced: _Paced) -> None:
        super().__init__(("127.0.0.1", 0), _RtspHandler)
        self.paced = paced


class _RtspHandler(socketserver.StreamRequestHandler):
    server: _RtspServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while (asked := self._request()) is not None and self._answer(*asked):
                pass

    def _request(self) -> tuple[str, dict[str, str]] | None:
        first = self.rfile.readline().decode().split()
        headers: dict[str, str] = {}
        while (line := self.rfile.readline().decode().strip()) != "":
            key, _, value = line.partition(":")
            headers[key.lower()] = value.strip()
        return (first[0], headers) if first else None

    def _answer(self, method: str, headers: dict[str, str]) -> bool:
        """Whether the conversation goes on."""
        status, body = "200 OK", ""
        more = "Session: 1\r\n"
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:t1\r\n"
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP" and "TCP" in headers.get("transport", ""):
            more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        elif method == "SETUP":
            status, more = "461 Unsupported Transport", ""
        self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {headers['cseq']}\r\n{more}\r\n{body}".encode())
        if method == "PLAY":
            self._play()
        return method not in ("PLAY", "TEARDOWN")

    def _play(self) -> None:
        for number, piece in enumerate(self.server.paced.pieces()):
            datagram = transport.rtp(piece, number)
            self.wfile.write(b"$\0" + len(datagram).to_bytes(2, "big") + datagram)


class RtspSender:
    """A little RTSP server: one stream, RTP with a transport stream in it, interleaved on the same connection."""

    def __init__(self, path: Path) -> None:
        self._paced = _Paced(path)
        self._server = _RtspServer(self._paced)
        self.url = f"rtsp://127.0.0.1:{self._server.server_address[1]}/stream"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stall(self) -> None:
        self._paced.stalled.set()

    def resume(self) -> None:
        self._paced.stalled.clear()

    def stop(self) -> None:
        self._paced.ended.set()
        self._server.shutdown()
        self._server.server_close()


class PipeSender:
    """A command of the settings; it stalls while a file is there."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.url = "pipe:tuner"
        self._flag = folder / "stalled"
        self.command = [sys.executable, "-c", _PIPE_WRITER, str(path), str(self._flag), str(RATE)]

    def start(self) -> None:
        pass

    def stall(self) -> None:
        self._flag.touch()

    def resume(self) -> None:
        self._flag.unlink()

    def stop(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._flag.unlink()


class GroupSender:
    """Multicast, for multicat or our own receiver."""

    def __init__(self, path: Path, *, engine: str = "multicat", rtp: bool = False) -> None:
        group, port = multicast.free_group(), multicast.free_port()
        self._sender = multicast.MulticastSender(
            group, port, source=path, bits_per_second=RATE, loop=True, rtp=rtp, keep=False
        )
        self.url = f"udp://{group}:{port}?interface=127.0.0.1&engine={engine}"

    def start(self) -> None:
        self._sender.start()

    def stall(self) -> None:
        self._sender.pause()

    def resume(self) -> None:
        self._sender.resume()

    def stop(self) -> None:
        self._sender.stop()


def everything(path: Path, folder: Path) -> dict[str, Callable[[], Sender]]:
    """A maker of a sender for each protocol."""
    return {
        "http": lambda: HttpSender(path),
        "hls": lambda: HlsSender(path, folder / "hls"),
        "rtsp": lambda: RtspSender(path),
        "srt": lambda: srt(path),
        "rist": lambda: rist(path),
        "pipe": lambda: PipeSender(path, folder),
        "multicat": lambda: GroupSender(path),
        "multicat-rtp": lambda: GroupSender(path, rtp=True),
    }


def has_multicat() -> bool:
    return shutil.which("multicat") is not None


def processes_naming(text: str) -> list[int]:
    """The processes of this machine with this text in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            is_other = entry.name.isdigit() and int(entry.name) != os.getpid()
            if is_other and text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
