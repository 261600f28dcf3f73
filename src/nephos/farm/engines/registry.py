"""Which engines there are."""

from __future__ import annotations

import os
from collections.abc import Callable

from nephos.config.load import Loaded
from nephos.farm import ledger
from nephos.farm.engines import base, dask, local


def make(loaded: Loaded, *, station: ledger.Ledger, after: Callable[[], None]) -> base.Engine:
    """The engine that the settings name; `after` is called in the thread of a slot when an attempt is over."""
    return _ENGINES[loaded.settings.farm.engine](loaded, station, after)


def mark(loaded: Loaded) -> str:
    """What marks the processes of this station's own slots, in every life of it."""
    return os.path.realpath(loaded.home.root)


def _local(loaded: Loaded, station: ledger.Ledger, after: Callable[[], None]) -> base.Engine:
    return local.Local(
        station,
        name=loaded.settings.station.name,
        slots=loaded.settings.farm.slots or local.default_slots(),
        mark=mark(loaded),
        after=after,
    )


def _dask(loaded: Loaded, _station: ledger.Ledger, _after: Callable[[], None]) -> base.Engine:
    return dask.Dask(host=loaded.settings.farm.host, port=loaded.settings.farm.port)


_ENGINES: dict[str, Callable[[Loaded, ledger.Ledger, Callable[[], None]], base.Engine]] = {
    "local": _local,
    "dask": _dask,
}
