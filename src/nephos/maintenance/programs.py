"""Programs without which recordings are not received or not processed: told when one is not there any more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from nephos.config.load import Loaded
from nephos.maintenance import doctor
from nephos.monitoring import services

KIND = "program.missing"


@dataclass(slots=True)
class Programs:
    """Remembers how often in a row each was not there."""

    _misses: Counter[str] = field(default_factory=Counter)

    def check(self, loaded: Loaded) -> None:
        """Look for each that these settings need, and try whether it runs."""
        bad = {one.name: one for one in doctor.needed(loaded) if one.state is doctor.State.FAIL}
        self._misses = Counter({name: self._misses[name] + 1 for name in bad})
        enough = loaded.settings.maintenance.programs.misses
        opened = services.open_keys(KIND)
        found = [_finding(one) for one in bad.values() if self._misses[one.name] >= enough or _key(one.name) in opened]
        for one in found:
            services.report(one)
        services.clear_others(KIND, keep=[one.key for one in found])

    def rest(self) -> None:
        """The check is off."""
        self._misses.clear()
        services.clear_others(KIND)


def _key(program: str) -> str:
    return f"{KIND}:{program}"[:200]


def _finding(one: doctor.Finding) -> services.Finding:
    return services.Finding(
        key=_key(one.name),
        kind=KIND,
        subject="station",
        sentence=f"The program {one.name} is needed and does not work.",
        reason=one.sentence,
        retry="A recording that needs it is tried until it ends; what could not be processed waits for a person.",
        hint=f"{one.hint or '`nephos doctor` says what the station needs'}. "
        "Then `nephos recording process ID` does what failed meanwhile.",
    )
