"""A folder: another disk, or a share that the system has mounted.

A file is written under a hidden name beside its place, forced to the disk, read back, and only then renamed: under its
final name it is never seen in part. The offset that is safely on the disk is journalled, so a big file goes on there.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nephos.config.errors import ConfigError
from nephos.lib import files, ids, ports
from nephos.sync import errors, fingerprints, names
from nephos.sync import ports as sync_ports
from nephos.sync.connections import base, behind, hidden, options, prefix
from nephos.sync.states import Proof

_STEP_BYTES = 32 << 20
_PACED_BYTES = 1 << 20
_HASH_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TRANSIENT = frozenset(
    {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.ENODEV, errno.ENOENT}
)


@dataclass(frozen=True, slots=True)
class FileOptions:
    """A folder needs none: the destination's base says which."""


OPTIONS = FileOptions


def check(name: str, values: Mapping[str, options.Plain], root: str) -> None:
    """Raises ConfigError for options or a base that cannot be used."""
    options.decode(FileOptions, values, name=name)
    if not root or not Path(root).expanduser().is_absolute():
        raise ConfigError(
            f"A destination on connection {name} needs an absolute folder as its base, not {root!r}.",
            hint='base = "/media/archive"',
        )


def open_(
    name: str,
    values: Mapping[str, options.Plain],
    root: str,
    profile: base.Profile | None,  # noqa: ARG001 - every kind is opened alike
    tuning: base.Tuning,  # noqa: ARG001
) -> base.Connection:
    """Open a folder. Raises ConfigError."""
    check(name, values, root)
    return FileConnection(Path(root).expanduser())


class FileConnection:
    """Keeps files below one folder."""

    capabilities = base.Capabilities(resumes=True, copies=True, lists=True, renames_atomically=True)

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefixes = prefix.Prefixes()

    def send(
        self, items: Iterable[base.Item], *, journal: base.TransferJournal, stop: ports.Waiter
    ) -> Iterator[base.Outcome]:
        """One after another: a disk gains nothing from more."""
        for item in items:
            try:
                yield base.Outcome(item, delivered=self._deliver(item, journal, stop))
            except errors.SyncError as error:
                yield base.Outcome(item, error=error)
            except OSError as error:
                yield base.Outcome(item, error=_explain(error))

    def look(self, path: str) -> base.Remote | None:
        """Size of a file; None if there is none, or a folder."""
        try:
            found = self._place(path).stat()
            return base.Remote(key=path, bytes=found.st_size) if stat.S_ISREG(found.st_mode) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _explain(error) from error

    def list(self, prefix: str = "") -> Iterator[base.Remote]:
        """All files but our own unfinished ones."""
        for folder, _, found in os.walk(self.root):
            for name in found:
                place = Path(folder, name)
                key = place.relative_to(self.root).as_posix()
                if key.startswith(prefix) and not hidden.is_one(name):
                    yield base.Remote(key=key, bytes=place.stat().st_size)

    def copy(self, source: str, target: str) -> None:
        """Through a hidden name as well, so that no reader sees a part."""
        origin, place = self._place(source), self._place(target)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = place.with_name(
                hidden.name(place.name, "copy")
            )  # one name, so that a repeated copy leaves one file
            with temporary.open("wb") as stream:
                files.append_range(origin, stream.fileno(), start=0, length=origin.stat().st_size)
                os.fsync(stream.fileno())
            temporary.replace(place)
            files.sync_folder(place.parent)
        except OSError as error:
            raise _explain(error) from error

    def move(self, source: str, target: str) -> None:
        """A rename."""
        origin, place = self._place(source), self._place(target)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            origin.replace(place)
            files.sync_folder(place.parent)
            files.sync_folder(origin.parent)
            _prune(origin.parent, self.root)
        except OSError as error:
            raise _explain(error) from error

    def read(self, path: str, sink: Callable[[bytes], object], *, start: int, stop: ports.Waiter) -> None:
        """From an offset to the end."""
        try:
            with self._place(path).open("rb") as stream:
                stream.seek(start)
                while block := stream.read(_HASH_BYTES):
                    if stop.is_set():
                        raise errors.Interrupted
                    sink(block)
        except FileNotFoundError as error:
            raise errors.NotThere from error
        except OSError as error:
            raise _explain(error) from error

    def delete(self, path: str) -> None:
        """Exactly this file, and the folders that nothing is left in."""
        place = self._place(path)
        try:
            place.unlink(missing_ok=True)
        except (NotADirectoryError, IsADirectoryError):
            return  # the file gave way to a folder, or the reverse
        except OSError as error:
            raise _explain(error) from error
        _prune(place.parent, self.root)

    def tidy(self, path: str, *, handle: str, item: int) -> None:
        """Remove a hidden file, and the folders that nothing is left in."""
        place = self._place(path)
        try:
            place.with_name(handle or hidden.name(place.name, str(item))).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise _explain(error) from error
        _prune(place.parent, self.root)

    def probe(self) -> base.Profile:
        """Make the folder, write there and rename."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            trial = self.root / hidden.name("probe", ids.new())
            trial.write_bytes(b"nephos")
            folds = trial.with_name(trial.name.upper()).exists()
            trial.replace(trial.with_suffix(".2.part"))
            trial.with_suffix(".2.part").unlink()
        except OSError as error:
            raise _explain(error) from error
        return base.Profile(checks_content=False, can_delete=True, folds_names=folds)

    def close(self) -> None:
        """Nothing is kept open."""

    def _place(self, path: str) -> Path:
        refusal = names.refusal(path)
        if refusal:
            raise errors.NameRefused(refusal)
        return self.root / path

    @property
    def step_bytes(self) -> int:
        """Worth an fsync."""
        return behind.STEP_BYTES

    def grow(
        self,
        item: base.Item,
        expected_bytes: int,  # noqa: ARG002 - a file needs no plan
        *,
        flush: bool,  # noqa: ARG002 - it has no parts
        journal: base.TransferJournal,
        stop: ports.Waiter,
    ) -> int:
        """Under the hidden name."""
        place = self._room(item)
        try:
            return behind.grow(item, place, self._prefixes, journal=journal, stop=stop)
        except OSError as error:
            raise _explain(error) from error

    def abandon(self, item: base.Item, *, journal: base.TransferJournal, stop: ports.Waiter) -> None:  # noqa: ARG002
        """Remove the hidden file."""
        behind.abandon(item, self._place(item.path), journal)

    def _room(self, item: base.Item) -> Path:
        place = self._place(item.path)
        if not self.root.is_dir():
            # Made only by the probe: an unmounted disk leaves a gap that must not be filled on the disk below.
            raise errors.Offline(f"The folder {self.root} is not there.")
        if place.is_dir():
            raise errors.InTheWay(f"There is a folder called {item.path} at the destination.")
        return place

    def _deliver(self, item: base.Item, journal: base.TransferJournal, stop: ports.Waiter) -> base.Delivered:
        place = self._room(item)
        place.parent.mkdir(parents=True, exist_ok=True)
        if item.fingerprint.size_bytes <= _STEP_BYTES and not item.grown:
            intent = _at_once(item, place)
        else:
            intent = self._resume(item, place, journal, stop) or self._begin(item, place, journal)
        temporary = place.with_name(intent.handle)
        if fingerprints.take(item.source) != item.fingerprint:
            raise errors.SourceChanged
        _be_readable(item.source)
        try:
            self._copy(item, temporary, intent.offset, journal, stop)
            sha256, proof = _prove(item, temporary, journal, stop)
        except (errors.Mismatch, errors.SourceChanged, errors.SourceGone):
            temporary.unlink(missing_ok=True)
            journal.forget(item)
            raise
        temporary.replace(place)
        files.sync_folder(place.parent)
        return base.Delivered(key=item.path, bytes=item.fingerprint.size_bytes, sha256=sha256, proof=proof)

    def _begin(self, item: base.Item, place: Path, journal: base.TransferJournal) -> base.Intent:
        intent = base.Intent(
            transfer=item.transfer,
            fingerprint=item.fingerprint,
            key=item.path,
            handle=hidden.name(place.name, str(item.id)),  # as a small version of it: there is never a second one
        )
        journal.intent(item, intent)
        return intent

    def _resume(
        self, item: base.Item, place: Path, journal: base.TransferJournal, stop: ports.Waiter
    ) -> base.Intent | None:
        intent = journal.unfinished(item)
        if intent is None:
            return None
        temporary = place.with_name(intent.handle)
        if intent.fingerprint == item.fingerprint and temporary.exists():
            return intent
        adopted = behind.adopt(item, place, intent, journal=journal, stop=stop)
        if adopted is not None:
            return adopted
        temporary.unlink(missing_ok=True)
        return None

    def _copy(
        self, item: base.Item, temporary: Path, offset: int, journal: base.TransferJournal, stop: ports.Waiter
    ) -> None:
        source = Path(os.fsdecode(item.source))
        size = item.fingerprint.size_bytes
        step = _PACED_BYTES if isinstance(stop, base.Paced) and stop.is_limited else _STEP_BYTES
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.ftruncate(handle, offset)
            os.lseek(handle, offset, os.SEEK_SET)
            while offset < size:
                if stop.is_set():
                    raise errors.Interrupted
                try:
                    copied = files.append_range(source, handle, start=offset, length=min(step, size - offset))
                except FileNotFoundError as error:
                    raise errors.SourceGone from error
                if not copied:
                    raise errors.SourceChanged
                offset += copied
                base.pace(stop, copied)
                os.fsync(handle)
                if offset < size:
                    journal.offset(item, offset)
            os.fsync(handle)
            sync_ports.forget_cache(handle)
            os.utime(temporary, ns=(item.fingerprint.mtime_ns, item.fingerprint.mtime_ns))
        finally:
            os.close(handle)


def _be_readable(source: bytes) -> None:
    """Whose fault it is must be told: the file's here, not the destination's."""
    try:
        os.close(os.open(source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)))
    except FileNotFoundError as error:
        raise errors.SourceGone from error
    except OSError as error:
        raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error


def _prove(item: base.Item, temporary: Path, journal: base.TransferJournal, stop: ports.Waiter) -> tuple[str, Proof]:
    """Sum of the source and how sure it is that the copy has the same. Raises Mismatch, SourceChanged."""
    if item.fingerprint.size_bytes > _STEP_BYTES:
        journal.verifying(item)
    try:
        sha256 = _sha256(Path(os.fsdecode(item.source)), stop)
    except FileNotFoundError as error:
        raise errors.SourceGone from error
    # The copy's pages were dropped from memory: it is the disk that is read.
    if item.verify is not base.Verify.NONE and _sha256(temporary, stop) != sha256:
        raise errors.Mismatch
    if fingerprints.take(item.source) != item.fingerprint:
        raise errors.SourceChanged
    return sha256, Proof.TRANSPORT if item.verify is base.Verify.NONE else Proof.READ_BACK


def _prune(folder: Path, root: Path) -> None:
    """Remove empty folders below the root; rmdir takes no other, so one that is filled meanwhile stays."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _at_once(item: base.Item, place: Path) -> base.Intent:
    """A small file needs no note: the next attempt takes the same hidden name and begins anew."""
    handle = hidden.name(place.name, str(item.id))
    return base.Intent(transfer=item.transfer, fingerprint=item.fingerprint, key=item.path, handle=handle)


def _sha256(path: Path, stop: ports.Waiter) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BYTES):
            if stop.is_set():
                raise errors.Interrupted
            digest.update(block)
    return digest.hexdigest()


def _explain(error: OSError) -> errors.SyncError:
    """A foreign error in our words."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return errors.RemoteFull(f"The destination has no space left ({reason}).")
    if error.errno in _TRANSIENT:
        return errors.Offline(f"The destination does not answer: {reason}.")
    if error.errno in {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY}:
        return errors.InTheWay(f"Something else is in the way at the destination: {reason}.")
    if error.errno == errno.ENAMETOOLONG:
        return errors.NameRefused("The name is too long for the destination.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return errors.NotWelcome(f"The destination does not let us write: {reason}.")
    return errors.Refused(f"The file could not be written: {reason}.")
