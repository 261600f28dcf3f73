"""A source that writes a transport stream to a pipe, and is started again when it ends: nearly always another program.

Starting, reading what it complains about and ending it (TERM, TERM, KILL) happen on threads of their own, so that the
receiving thread never waits. The program dies with the recorder, however the recorder dies.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nephos.lib import children, ports, urls
from nephos.lib import errors as lib_errors
from nephos.recording.sources import base, errors

if TYPE_CHECKING:
    from nephos.recording.sources import align

logger = logging.getLogger(__name__)

_PIPE_BYTES = 1 << 20
_HELD_BYTES = 256 * 1024
_READ_BYTES = 128 * 1024
_LOGGED_LINES = 30  # of each start; a broken stream makes ffmpeg complain for ever
_LONGEST_LINE = 500

Feed = Sequence[str] | Callable[[int], None]  # a command line, or our own code that writes to this handle
Prepare = Callable[[ports.Waiter], Feed]


class ProcessSource:
    """Fulfils `base.Source` with a program; `prepare` makes its command line and may take its time.

    It gets an event that is set when nobody wants the program any more; an empty command line then. It may return code
    of ours instead, which runs on the source's thread until it returns or raises SourceError.
    """

    def __init__(self, prepare: Prepare, *, what: str, shown: str, patience_seconds: float = 10.0) -> None:
        self._prepare = prepare
        self._what = what
        self._shown = shown
        self._patience_seconds = patience_seconds
        self._minder: _Minder | None = None
        self._handle = -1
        self._pipe_bytes = 0
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._begins = False
        self._aligner: align.Aligner | None = None

    def open(self) -> None:
        """Start the program. Raises SourceError."""
        self.close()
        try:
            self._handle, far = os.pipe()
        except OSError as error:
            raise errors.SourceError(f"{self._what} cannot be started: {error.strerror}.") from error
        ports.never_wait(self._handle)
        self._pipe_bytes = ports.widen_pipe(self._handle, _PIPE_BYTES)
        self._begins = True
        self._minder = _Minder(self._prepare, far, what=self._what, shown=self._shown)
        self._minder.start()

    def close(self) -> None:
        """Have the program ended."""
        if self._minder is not None:
            self._minder.end()
            self._minder = None
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def fileno(self) -> int:
        """The pipe, -1 when closed."""
        return self._handle

    def fill(self) -> int:
        """Fetch what is in the pipe; the bytes held. Raises SourceError when the program ended."""
        if self._handle < 0:
            return self._held_bytes
        before = self._held_bytes
        while self._held_bytes < _HELD_BYTES:
            try:
                piece = os.read(self._handle, _READ_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                raise errors.SourceError(f"{self._what} cannot be read: {error.strerror}.") from error
            if not piece:
                if self._held_bytes > before:
                    break  # what came comes first; the next call tells of the end
                raise self._ended()
            self._held.append(piece)
            self._held_bytes += len(piece)
        return self._held_bytes

    def take(self) -> base.Load:
        """What came since the last time."""
        held, self._held, self._held_bytes = self._held, [], 0
        if not held:
            return base.Load(b"", ())
        begins, self._begins = self._begins, False
        return base.Load(raw=b"".join(held), sizes=[len(piece) for piece in held], begins=begins)

    def decode(self, load: base.Load) -> base.Chunk:
        """Whole packets of a load."""
        import numpy as np  # late, on the writing thread: it costs a tenth of a second

        from nephos.recording.sources import align

        if self._aligner is None or load.begins:
            self._aligner = align.Aligner()
        fresh = np.frombuffer(load.raw, dtype=np.uint8)
        packets, skipped = self._aligner.feed(fresh, continues=True)
        return base.Chunk(
            packets=packets, sync_bytes=skipped, protocol=self._what if load.raw else "", begins=load.begins
        )

    def facts(self) -> base.Facts:
        """The pipe's size, and how long such a program may take to say something."""
        return base.Facts(buffer_bytes=self._pipe_bytes, patience_seconds=self._patience_seconds)

    def _ended(self) -> errors.SourceError:
        reason = self._minder.reason if self._minder is not None else ""
        return (
            reason
            if isinstance(reason, errors.SourceError)
            else errors.SourceError(f"{self._what} ended{': ' if reason else ' and said nothing'}{reason}.")
        )


class _Minder:
    """The thread of one running program. It lives as long as the program: the kernel kills that with the thread."""

    def __init__(self, prepare: Prepare, far: int, *, what: str, shown: str) -> None:
        self.reason: str | errors.SourceError = ""
        self._prepare = prepare
        self._far = far
        self._facts = {"source": shown, "program": what}
        self._what = what
        self._is_unwanted = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"source-{what}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Have the program ended, without waiting for it."""
        with self._lock:
            self._is_unwanted.set()
            process = self._process
        if process is not None and process.poll() is None:
            threading.Thread(target=children.stop, args=(process,), name="source-end", daemon=True).start()

    def _work(self) -> None:
        process = None
        try:
            feed = self._prepare(self._is_unwanted)
            if callable(feed):
                feed(self._far)
            else:
                process = self._spawn(feed)
        except lib_errors.NephosError as error:
            self.reason = errors.SourceError(error.message, hint=error.hint)
        except (OSError, ValueError) as error:
            self.reason = errors.SourceError(f"{self._what} cannot be started: {error}.")
        finally:
            os.close(self._far)
        if process is not None:
            self._listen(process)
            code = process.wait()
            logger.info("A source's program ended", extra={**self._facts, "code": code})

    def _spawn(self, argv: Sequence[str]) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._is_unwanted.is_set() or not argv:
                return None
            self._process = subprocess.Popen(
                ports.dying_with_us([children.find(argv[0]), *argv[1:]]),
                stdin=subprocess.DEVNULL,
                stdout=self._far,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            return self._process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Read its complaints to the end, whatever they are, so that it never waits for us."""
        assert process.stderr is not None  # noqa: S101 - asked for above
        logged = 0
        with process.stderr as stream:
            while raw := stream.readline(_LONGEST_LINE):
                line = urls.masked(raw.decode(errors="replace").strip())
                if not line or self._is_unwanted.is_set():
                    continue
                self.reason = line[:200]
                if logged < _LOGGED_LINES:
                    logged += 1
                    logger.info("A source's program says", extra={**self._facts, "line": line})
