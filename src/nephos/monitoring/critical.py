"""Critical log records of all roles become problems: each kind of record one, however often it comes."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from nephos.config.load import Loaded
from nephos.core import critical
from nephos.lib import clock, files
from nephos.monitoring import services
from nephos.monitoring.models import Problem
from nephos.monitoring.states import ProblemState, Weight

KIND = "log.critical"
_LONGEST = 500


def collect(loaded: Loaded) -> None:
    """Take in what the roles left in the spool."""
    folder = critical.folder(loaded.home.run)
    for path in folder.glob("*.told"):  # by the supervisor, while the keeper did not live
        path.unlink(missing_ok=True)
    for path in sorted(folder.glob("*.json")):
        record = files.read_json(path)
        if isinstance(record, dict):
            services.note(finding(record))
        path.unlink(missing_ok=True)  # after the problem is kept: a crash between the two counts it twice


def end(loaded: Loaded) -> None:
    """What was quiet for long is over."""
    quiet = timedelta(hours=loaded.settings.maintenance.critical.quiet_hours)
    ended = Problem.objects.filter(kind=KIND, state=ProblemState.OPEN, seen_at__lt=clock.now() - quiet)
    for key in ended.values_list("key", flat=True):
        services.clear(key)


def finding(record: dict[str, Any]) -> services.Finding:
    """The problem behind a record; the facts in it do not make it another one, its wording does."""
    role, module = str(record.get("role", ""))[:40], str(record.get("module", ""))[:100]
    mark = hashlib.sha256(str(record.get("template", "")).encode()).hexdigest()[:16]
    return services.Finding(
        key=f"{KIND}:{role}:{module}:{mark}"[:200],
        kind=KIND,
        subject=f"role:{role}",
        sentence=f"The role {role} calls for help: {str(record.get('message', ''))[:_LONGEST].rstrip('.')}.",
        reason=str(record.get("error", ""))[:_LONGEST],
        retry="The supervisor starts a role again that ended; one that lives goes on as it can.",
        hint=f"`nephos logs {role}` tells more; it was written by {module}.",
        weight=Weight.CRITICAL,
    )
