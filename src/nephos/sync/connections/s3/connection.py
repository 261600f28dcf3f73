"""The S3 kind of connection."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from nephos.config import secret
from nephos.lib import ports
from nephos.sync import errors, names
from nephos.sync.connections import base, options
from nephos.sync.connections.s3 import answers, copying, dispatch, endpoint, growing, multipart, probe, single
from nephos.sync.connections.s3.calls import Calls
from nephos.sync.connections.s3.endpoint import S3Options
from nephos.sync.connections.s3.exchange import Pool
from nephos.sync.connections.s3.sending import Sending, open_source
from nephos.sync.connections.s3.signer import Signer

OPTIONS = S3Options


def check(name: str, values: Mapping[str, options.Plain], root: str) -> None:
    """Raises ConfigError for options or a base that cannot be used."""
    endpoint.parse(options.decode(S3Options, values, name=name), root, name=name)


def open_(
    name: str, values: Mapping[str, options.Plain], root: str, profile: base.Profile | None, tuning: base.Tuning
) -> base.Connection:
    """Open a bucket. Raises ConfigError, SecretMissing."""
    decoded = options.decode(S3Options, values, name=name)
    place = endpoint.parse(decoded, root, name=name)
    signer = Signer(
        access_key=secret.resolve(decoded.access_key, name=f"access_key of connection {name}"),
        secret_key=secret.resolve(decoded.secret_key, name=f"secret_key of connection {name}"),
        region=decoded.region,
    )
    return S3Connection(Calls(place, signer, Pool(place)), profile or base.Profile(), tuning)


class S3Connection:
    """One bucket and prefix. Small objects by a few threads; the parts of big ones by a few others."""

    capabilities = base.Capabilities(resumes=True, copies=True, lists=True, renames_atomically=False)

    def __init__(self, calls: Calls, profile: base.Profile, tuning: base.Tuning) -> None:
        self._calls = calls
        self._profile = profile
        self._tuning = tuning
        self._replaces = True
        self._objects = ThreadPoolExecutor(tuning.small_threads, thread_name_prefix="s3-object")
        self._parts = ThreadPoolExecutor(tuning.part_threads, thread_name_prefix="s3-part")
        self._hashing = ThreadPoolExecutor(tuning.small_threads, thread_name_prefix="s3-hash")

    def send(
        self, items: Iterable[base.Item], *, journal: base.TransferJournal, stop: ports.Waiter
    ) -> Iterator[base.Outcome]:
        """Many small ones at a time, and as many others as there are threads; outcomes come as they end."""
        sending = dispatch.Dispatch(self._calls, self._profile, self._objects, self._tuning.small_threads, stop)
        return sending.run(items, self._key, lambda item: self._deliver(item, journal, stop))

    def look(self, path: str) -> base.Remote | None:
        """HEAD."""
        return self._calls.head(self._key(path), stop=base.NEVER)

    def list(self, prefix: str = "") -> Iterator[base.Remote]:
        """ListObjectsV2 below the base."""
        place = self._calls.endpoint
        for remote in self._calls.list(place.key(prefix), stop=base.NEVER):
            yield base.Remote(key=place.path(remote.key), bytes=remote.bytes, etag=remote.etag)

    def copy(self, source: str, target: str) -> None:
        """Within the bucket, in parts if the object is too big for one CopyObject."""
        copying.copy(self._calls, self._key(source), self._key(target), stop=base.NEVER)

    def read(self, path: str, sink: Callable[[bytes], object], *, start: int, stop: ports.Waiter) -> None:
        """GetObject, from an offset."""
        try:
            self._calls.get(self._key(path), lambda block: (sink(block), None)[1], start=start, stop=stop)
        except answers.NoSuchObject as error:
            raise errors.NotThere from error

    def delete(self, path: str) -> None:
        """DeleteObject of exactly this key, never of a prefix."""
        self._calls.delete(self._key(path), stop=base.NEVER)

    def tidy(self, path: str, *, handle: str, item: int) -> None:  # noqa: ARG002 - a single PUT leaves nothing
        """AbortMultipartUpload of exactly this upload; others may have theirs under the same key."""
        if handle:
            self._calls.abort(self._key(path), handle, stop=base.NEVER)

    def probe(self) -> base.Profile:
        """Ask the server, and believe it from now on."""
        self._profile = probe.probe(self._calls)
        return self._profile

    def close(self) -> None:
        """End threads and sockets."""
        for threads in (self._objects, self._parts, self._hashing):
            threads.shutdown(wait=False, cancel_futures=True)
        self._calls.close()

    @property
    def step_bytes(self) -> int:
        """A part."""
        return growing.STEP_BYTES

    def grow(
        self, item: base.Item, expected_bytes: int, *, flush: bool, journal: base.TransferJournal, stop: ports.Waiter
    ) -> int:
        """By parts of a multipart upload, which nobody sees until `send` completes it."""
        flush, most = flush and self._replaces, self._tuning.part_threads
        with self._open(item, journal, stop) as sending:
            try:
                return growing.grow(sending, expected_bytes, flush=flush, threads=self._parts, most=most)
            except errors.UploadLost:
                self._replaces = (
                    False  # a last part that was not the last one, perhaps, on a server that keeps the first
                )
                raise

    def abandon(self, item: base.Item, *, journal: base.TransferJournal, stop: ports.Waiter) -> None:
        """AbortMultipartUpload."""
        growing.abandon(Sending(item, -1, self._calls, self._profile, self._tuning, journal, stop))

    @contextlib.contextmanager
    def _open(self, item: base.Item, journal: base.TransferJournal, stop: ports.Waiter) -> Iterator[Sending]:
        self._key(item.path)
        handle = open_source(item)
        try:
            yield Sending(item, handle, self._calls, self._profile, self._tuning, journal, stop)
        finally:
            os.close(handle)

    def _deliver(self, item: base.Item, journal: base.TransferJournal, stop: ports.Waiter) -> base.Delivered:
        with self._open(item, journal, stop) as sending:
            sending.check_source()
            if item.fingerprint.size_bytes <= self._tuning.single_put_bytes and not item.grown:
                return single.deliver(sending)
            return multipart.deliver(sending, threads=self._parts, hashing=self._hashing)

    def _key(self, path: str) -> str:
        refusal = names.refusal(path) if path else "The name is empty."
        key = self._calls.endpoint.key(path)
        try:
            length = len(key) if key.isascii() else len(key.encode())
        except UnicodeEncodeError as error:
            raise errors.NameRefused("The name is no UTF-8, which S3 demands.", hint="Rename the file.") from error
        if refusal or length > 1024:
            raise errors.NameRefused(refusal or "The key is longer than 1,024 bytes.")
        return key
