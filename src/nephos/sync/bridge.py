"""Carries the engine's outbox into the event log, in batches. The one module of sync that knows Django."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction

from nephos.config.load import Loaded
from nephos.core.loops import Loop
from nephos.events import kinds, log
from nephos.events.models import Cursor
from nephos.sync import orders, outbox

_READER = "sync.outbox"
_BATCH = 500

Body = dict[str, Any]


def loops(loaded: Loaded) -> list[Loop]:
    """What the keeper runs for sync."""
    return [Bridge(loaded)]


class Bridge:
    """At least once by the cursor, and once in the log by the message's own id."""

    name = "sync bridge"
    idle = timedelta(milliseconds=500)
    rest = timedelta(seconds=5)

    def __init__(self, loaded: Loaded) -> None:
        self._home = loaded.home
        self._position: int | None = None

    def step(self) -> bool:
        """Carry one batch; True if there may be more."""
        if self._position is None:
            cursor = Cursor.objects.filter(reader=_READER).first()
            self._position = cursor.position if cursor else 0
        if outbox.newest(self._home.sync_database) < self._position:
            self._position = 0  # somebody removed sync.db: it counts from one again
        messages = outbox.read(self._home.sync_database, after=self._position, limit=_BATCH)
        if not messages:
            return False
        with transaction.atomic():
            for message in messages:
                event = _event(message)
                if event is not None:
                    log.emit(event, actor="sync", uid=message.uid)
            log.tick_off(_READER, upto=messages[-1].id)
        self._position = messages[-1].id
        # The engine alone deletes: it is told how far we are.
        orders.put(
            self._home,
            key=f"outbox:{self._position}",
            kind=orders.Kind.ACKNOWLEDGE,
            body={"upto": self._position},
        )
        return len(messages) >= _BATCH


def _event(message: outbox.Message) -> kinds.Kind | None:
    make = _EVENTS.get(message.kind)
    return make(_clean(message.body)) if make is not None else None


def _delivered(body: Body) -> kinds.Kind:
    facts = {name: body[name] for name in ("watch", "destination", "path", "set", "key", "sha256", "etag", "version")}
    return kinds.TransferDelivered(
        subject=f"transfer:{body['transfer']}", size_bytes=body["bytes"], proof=body["proof"], at=body["at"], **facts
    )


def _held(body: Body) -> kinds.Kind:
    facts = {name: body[name] for name in ("watch", "destination", "path", "set", "reason")}
    return kinds.TransferHeld(subject=f"transfer:{body['transfer']}", **facts)


def _set_delivered(body: Body) -> kinds.Kind:
    facts = {name: body[name] for name in ("set", "watch", "receipts")}
    return kinds.SetDelivered(subject=_set_subject(body), **facts)


def _set_refused(body: Body) -> kinds.Kind:
    facts = {name: body[name] for name in ("set", "watch", "reason")}
    return kinds.SetRefused(subject=_set_subject(body), **facts)


def _set_subject(body: Body) -> str:
    return str(body["set"] or f"watch:{body['watch']}")


def _fileset_settled(body: Body) -> kinds.Kind:
    facts = {name: body[name] for name in ("watch", "stem", "files")}
    return kinds.FilesetSettled(subject=f"watch:{body['watch']}", **facts)


def _settings_refused(body: Body) -> kinds.Kind:
    return kinds.SettingsRefused(subject="station", reason=body["reason"])


def _clean(value: Any) -> Any:
    """Names that are no UTF-8, and NULs, cannot be kept by every database."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    if isinstance(value, dict):
        return {key: _clean(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_clean(entry) for entry in value]
    return value


_EVENTS: dict[str, Callable[[Body], kinds.Kind]] = {
    outbox.TRANSFER_DELIVERED: _delivered,
    outbox.TRANSFER_HELD: _held,
    outbox.SET_DELIVERED: _set_delivered,
    outbox.SET_REFUSED: _set_refused,
    outbox.FILESET_SETTLED: _fileset_settled,
    outbox.SETTINGS_REFUSED: _settings_refused,
}
