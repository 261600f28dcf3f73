"""The main job, shown and checked: a broadcast is recorded on schedule, processed, delivered and seen on a page.

Everything is real: ffmpeg, multicast on the loopback interface, an S3 server, the station and its own commands. Each
line that begins with ✓ was checked; the first that does not hold ends the demo with exit code 1.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[1]
BROADCAST = ROOT / "tools" / "broadcast"
CACHE = ROOT / ".demo-cache" / "broadcast"
GROUP, PORT = "239.255.86.1", 5004
SECONDS = 30
BUCKET = "archive"

Found = TypeVar("Found")


class Untrue(Exception):
    """Something that should hold does not."""


def main() -> int:
    """Run the demo; 0 if everything held."""
    began = time.monotonic()
    keep = os.environ.get("KEEP") == "1"
    folder = Path(tempfile.mkdtemp(prefix="nephos-demo-"))
    with contextlib.ExitStack() as stack:
        if not keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            demo = Demo(folder, stack)
            demo.run()
        except Untrue as error:
            print(f"✗ {error}")
            return 1
        print(f"\nEverything above was checked. It took {time.monotonic() - began:.0f} s.")
        if keep:
            demo.wait_for_visitor()
    return 0


class Demo:
    """One run of the demo in a folder of its own."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.home = folder / "home"
        self.report = folder / "on-air.json"
        self.keys = (secrets.token_hex(8), secrets.token_hex(16))
        self.web_port = free_port()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("NEPHOS_")},
            "NEPHOS_HOME": str(self.home),
            "NEPHOS_WEB_PORT": str(self.web_port),
            "DEMO_ACCESS_KEY": self.keys[0],
            "DEMO_SECRET_KEY": self.keys[1],
        }
        self.output = folder / "start.out"

    def run(self) -> None:
        """From nothing to a delivered recording."""
        say("Making the test broadcast (kept for the next time)")
        subprocess.run([sys.executable, BROADCAST / "make.py", CACHE], check=True, timeout=300)
        facts = json.loads((CACHE / "cues.json").read_bytes())
        say(f"Broadcasting it to {GROUP}:{PORT} on the loopback interface")
        self.broadcast()
        endpoint = self.storage()
        say(f"Starting an S3 server at {endpoint}")
        say(f"Starting Nephos on the fresh home {self.home}")
        self.start()
        start_at = self.arrange(endpoint)
        say(f"Recording {SECONDS} s from {start_at:%H:%M:%S} UTC")
        recording = self.follow()
        print()
        self.check_recording(recording)
        self.check_video(recording)
        self.check_captions(recording, facts)
        self.check_receipts(recording)
        print(f"  The page of this recording: {self.address()}/recordings/{recording['id']}")
        print(f"  Log in with {self.login_link()} (works once)")

    # --- the world round the station ---------------------------------------------------------------------------------

    def broadcast(self) -> None:
        """Send in the background, bounded in time."""
        argv = [sys.executable, str(BROADCAST / "send.py"), str(CACHE / "broadcast.ts"), "--group", GROUP]
        argv += ["--port", str(PORT), "--seconds", "600", "--report", str(self.report)]
        self.stack.enter_context(running(argv))

    def storage(self) -> str:
        """A real S3 server with one bucket."""
        store = self.folder / "s3"
        (store / BUCKET).mkdir(parents=True)
        port = free_port()
        rclone = shutil.which("rclone") or str(Path(sys.executable).with_name("rclone"))
        argv = [rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", ",".join(self.keys), str(store)]
        self.stack.enter_context(running(argv, output=self.folder / "s3.out"))
        until(lambda: answers(port), 20, "the S3 server")
        return f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """`nephos start`, as a person would type it."""
        argv = [*nephos(), "start"]
        process = self.stack.enter_context(running(argv, output=self.output, environment=self.environment))

        def up() -> bool:
            if process.poll() is not None:
                raise Untrue(f"the station did not start:\n{self.output.read_text()}")
            return "Ctrl-C stops it" in self.output.read_text() and self.try_command("status") is not None

        until(up, 60, "the station")

    def arrange(self, endpoint: str) -> datetime:
        """Storage, a watch, a channel and a schedule, by the commands that people use."""
        keys = ["--access-key", "env:DEMO_ACCESS_KEY", "--secret-key", "env:DEMO_SECRET_KEY"]
        self.command("connection", "add", "store", "s3", "--endpoint", endpoint, *keys)
        base = ["--base", f"{BUCKET}/tv", "--verify", "read-back"]  # whatever else the server vouches for
        self.command("destination", "add", "archive", "--connection", "store", *base)
        self.command("watch", "add", "recordings", "--sets", "--to", "archive")
        address = f"udp://{GROUP}:{PORT}?interface=127.0.0.1"
        place = ["--country", "ES", "--language", "eng", "--zone", "Europe/Madrid"]
        self.command("channel", "add", "Demo TV", address, *place)
        start_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
        wall = ["--date", f"{start_at:%Y-%m-%d}", "--at", f"{start_at:%H:%M:%S}", "--zone", "UTC"]
        self.command("schedule", "add", "Demo TV", "--name", "Evening news", *wall, "--duration", f"{SECONDS}s")
        return start_at

    # --- watching and checking ---------------------------------------------------------------------------------------

    def follow(self) -> dict[str, Any]:
        """Tell each step of the journey as it happens; the recording when it is delivered."""
        told = ""

        def look() -> dict[str, Any] | None:
            nonlocal told
            rows = self.command("recording", "list")
            row = rows[0] if rows else {"state": "booked"}
            if row["state"] != told:
                told = str(row["state"])
                say(f"  {told}")
            if told in ("failed", "empty"):
                raise Untrue(f"the recording is {told}: {row.get('reason')}")
            return row if told == "delivered" else None

        row = until(look, SECONDS + 90, "the recording to be delivered")
        whole: dict[str, Any] = self.command("recording", "show", str(row["id"]))
        return whole

    def check_recording(self, recording: dict[str, Any]) -> None:
        """Verdict and gap map."""
        found = recording["recording"]
        gaps = found["gaps"]
        check(found["verdict"] == "complete", f"verdict {found['verdict']}, score {found['score']}: {found['reason']}")
        check(gaps == [], f"gap map: {gaps or 'no gaps'}")

    def check_video(self, recording: dict[str, Any]) -> None:
        """What ffprobe says of the mp4."""
        probe = json.loads(
            subprocess.run(
                [
                    "ffprobe",
                    "-v",
                    "error",
                    "-of",
                    "json",
                    "-show_format",
                    "-show_streams",
                    self.path(recording, "video"),
                ],
                check=True,
                capture_output=True,
                timeout=60,
            ).stdout
        )
        length = float(probe["format"]["duration"])
        codecs = sorted(stream["codec_name"] for stream in probe["streams"])
        check(abs(length - SECONDS) < 1.5, f"the mp4 lasts {length:.2f} s")
        check(codecs[:2] == ["aac", "h264"], f"its codecs are {', '.join(codecs)}")

    def check_captions(self, recording: dict[str, Any], facts: dict[str, Any]) -> None:
        """The text of each caption track against the cues that were wholly on the air in the recorded window."""
        whole, partly = self.cues_on_air(recording, facts)
        check(len(whole) >= 4, f"{len(whole)} captions were wholly on the air in the recorded window")
        tracks = [file for file in recording["files"] if file["kind"] == "captions-srt"]
        check(len(tracks) == 2, f"caption tracks found: {', '.join(track['label'] for track in tracks)}")
        for track in tracks:
            texts = srt_texts(self.locate(track))
            inner = [text for text in texts if text in whole or text not in partly]
            check(inner == whole, f"{track['label']}: {len(whole)} captions, each equal to what was sent")

    def cues_on_air(self, recording: dict[str, Any], facts: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Texts sent wholly inside the recorded window, and those that its edges cut."""
        start = datetime.fromisoformat(recording["recording"]["recorded_from"]).timestamp()
        end = datetime.fromisoformat(recording["recording"]["recorded_to"]).timestamp()
        whole, partly = [], []
        for zero in json.loads(self.report.read_bytes())["starts_unix"]:
            for cue in facts["cues"]:
                first, last = zero + cue["sent_from"], zero + cue["sent_to"]
                if start <= first and last <= end:
                    whole.append("\n".join(cue["lines"]))
                elif first < end and last > start:
                    partly.append("\n".join(cue["lines"]))
        return whole, partly

    def check_receipts(self, recording: dict[str, Any]) -> None:
        """Each file has a receipt, and the bytes in the bucket are the bytes here."""
        rows = [row for row in self.command("transfer", "receipts") if recording["stem"] in row["key"]]
        check(len(rows) >= len(recording["files"]), f"{len(rows)} receipts for {len(recording['files'])} files")
        proofs = {row["proof"] for row in rows}
        check(proofs == {"read-back"}, f"their proof is {', '.join(sorted(proofs))}")
        for row in rows:
            stored = self.folder / "s3" / BUCKET / row["key"].removeprefix(f"{BUCKET}/")
            check(stored.stat().st_size == row["bytes"], f"  {row['key']} ({row['bytes']:,} bytes)")

    def wait_for_visitor(self) -> None:
        """KEEP=1: until Ctrl-C."""
        print("\nThe station stays up so that you can look round. Ctrl-C ends it and removes nothing.")
        print(f"  Its commands: NEPHOS_HOME={self.home} .venv/bin/nephos --help")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()

    # --- small things ------------------------------------------------------------------------------------------------

    def try_command(self, *arguments: str) -> Any | None:
        """What a command prints, None if it fails."""
        try:
            return self.command(*arguments)
        except Untrue:
            return None

    def command(self, *arguments: str) -> Any:
        """Run `nephos ...` and read its JSON."""
        done = subprocess.run(
            [*nephos(), *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise Untrue(f"nephos {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def path(self, recording: dict[str, Any], kind: str) -> Path:
        """Where the first file of a kind lies."""
        return self.locate(next(file for file in recording["files"] if file["kind"] == kind))

    def locate(self, file: dict[str, Any]) -> Path:
        """Where a file of the asset lies."""
        return self.home / str(file["place"]) / str(file["path"])

    def address(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.web_port}"

    def login_link(self) -> str:
        """A fresh one-time link."""
        found = self.command("open", "--print")
        return str(found["url"])


def nephos() -> list[str]:
    """The command, by this Python."""
    return [sys.executable, "-m", "nephos"]


def say(line: str) -> None:
    """Progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def check(holds: bool, sentence: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Print what holds. Raises Untrue."""
    if not holds:
        raise Untrue(sentence)
    print(f"✓ {sentence}", flush=True)


def until(look: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """The first true answer. Raises Untrue."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Untrue(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.3)
    return found


@contextlib.contextmanager
def running(
    argv: list[str], *, output: Path | None = None, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs while the block does; asked to end afterwards, and made to."""
    sink = output.open("wb") if output else None
    process = subprocess.Popen(
        argv, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if sink:
            sink.close()


def free_port() -> int:
    """A TCP port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def srt_texts(path: Path) -> list[str]:
    """The texts of an SRT file."""
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    return ["\n".join(block.split("\n")[2:]) for block in blocks if block.strip()]


if __name__ == "__main__":
    sys.exit(main())
