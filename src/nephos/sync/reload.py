"""Takes up a changed settings file without a restart; one that sync cannot work with is refused, the old stays."""

from __future__ import annotations

from nephos.config import schema
from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.lib import errors
from nephos.sync import mappings


class SettingsFile:
    """The file behind the settings."""

    def __init__(self, loaded: Loaded) -> None:
        self._live = Live(loaded)
        self._taken = loaded
        self._unfit = ""

    @property
    def refusal(self) -> str:
        """What is wrong with the file as it is now, empty if nothing is."""
        return self._live.problem or self._unfit

    def check(self, settings: schema.Settings) -> bool:
        """Whether sync can work with them; if not, `refusal` says why."""
        try:
            mappings.check(settings)
        except errors.NephosError as error:
            self._unfit = f"{error.message} {error.hint}".strip()
            return False
        self._unfit = ""
        return True

    def changed(self) -> schema.Settings | None:
        """New settings that can be used, None if nothing changed or the new ones are refused."""
        current = self._live.current()
        if current is self._taken:
            return None
        self._taken = current
        return current.settings if self.check(current.settings) else None
