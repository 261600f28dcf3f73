"""Files of older programs, taken over line by line."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from nephos.importers import findings, outline, services
from nephos.web import current
from nephos.web.api import doors

router = Router(tags=["imports"])


class ImportIn(Schema, extra="forbid"):
    """The content of a file."""

    text: Annotated[str, Field(max_length=outline.MOST_CHARACTERS)]
    dry_run: bool = False
    deletions: Literal["", "keep", "mirror"] = ""  # of skynet's config.ini: whether they travel


@router.post("/import", auth=doors.ADMIN, response=findings.Report)
def take(request: HttpRequest, body: ImportIn) -> findings.Report:
    """Take over a file of the old Nephos (add_data, add_jobs, maintenance) or skynet's config.ini, line by line."""
    return services.take(
        body.text,
        loaded=current.loaded(),
        dry_run=body.dry_run,
        actor=doors.actor(request),
        deletions=body.deletions,
    )
