"""When the keeper does not live, nobody reads the cries of the other roles: then the supervisor mails them itself.

No database and no Django: one letter for all that waited too long, to the critical addresses, each cry once.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core import critical
from nephos.lib import clock, errors, files
from nephos.monitoring import letters
from nephos.monitoring.channels import base, mail

logger = logging.getLogger(__name__)

TOO_LONG = timedelta(minutes=2)  # a keeper that lives reads them within seconds
_LOOKS = timedelta(seconds=20)


def watch(loaded: Loaded, stop: threading.Event) -> threading.Thread:
    """Look again and again until `stop`; in a thread of its own, for a mail server may hang."""
    live = Live(loaded)

    def look() -> None:
        while not stop.wait(_LOOKS.total_seconds()):
            try:
                tell(live.current())
            except (errors.NephosError, OSError) as error:
                logger.warning("Nobody could be told that the keeper is gone", extra={"reason": str(error)})

    thread = threading.Thread(target=look, name="last-resort", daemon=True)
    thread.start()
    return thread


def tell(loaded: Loaded, *, too_long: timedelta = TOO_LONG) -> int:
    """Mail what waited too long; how many cries that were. Raises NotTold, and then they wait on."""
    chosen = loaded.settings.mail
    if not (chosen.host and chosen.enabled and chosen.critical and loaded.settings.monitoring.enabled):
        return 0
    old = [path for path in sorted(critical.folder(loaded.home.run).glob("*.json")) if _age(path) > too_long]
    if not old:
        return 0
    letter = compose([files.read_json(path) for path in old], station=loaded.settings.station.name)
    for receiver in chosen.critical:
        mail.MailChannel(chosen).tell(base.Message(f"last:{old[0].stem}", receiver, letter.title, letter.body))
    for path in old:
        path.rename(path.with_suffix(".told"))
    return len(old)


def compose(records: list[Any], *, station: str) -> letters.Letter:
    """One letter for all of them."""
    known = [one for one in records if isinstance(one, dict)]
    rows = [
        letters.line(f"{one.get('at', '')} {one.get('role', '')}: {one.get('message', '')} {one.get('error', '')}")
        for one in known
    ]
    body = (
        "What:          The keeper of the station does not live, and these cries of its roles were not read by it.\n"
        "Tried again:   The supervisor starts it again by itself, with pauses of up to a minute.\n"
        "What to do:    `nephos logs keeper` tells why it ends. What is planned already is recorded meanwhile.\n\n"
    )
    return letters.Letter(
        title=letters.line(f"[{station}] The keeper does not live"), body=body + "\n".join(rows) + "\n"
    )


def _age(path: Path) -> timedelta:
    try:
        return timedelta(seconds=clock.unix() - path.stat().st_mtime)
    except FileNotFoundError:  # the keeper lives after all
        return timedelta(0)
