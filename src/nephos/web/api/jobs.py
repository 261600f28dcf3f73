"""Jobs: work of the farm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from ninja.responses import Status

from nephos.farm import queries, services
from nephos.web.api import doors

router = Router(tags=["farm"])


class JobIn(Schema, extra="forbid"):
    """An Open Job Description template, verbatim, and its parameters."""

    template: str
    parameters: dict[str, str | int | float] = {}
    name: str = ""
    key: str | None = None
    publish_to: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class WhyView:
    """One sentence."""

    id: str
    state: str
    why: str


@router.get("/jobs", auth=doors.READ, response=list[queries.JobView])
def list_(
    request: HttpRequest, state: str = "", subject: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[queries.JobView]:
    """Jobs, newest first."""
    return queries.jobs(state=state, subject=subject, limit=limit)


@router.post("/jobs", auth=doors.ADMIN, response={201: queries.JobDetail})
def submit(request: HttpRequest, body: JobIn) -> Status[queries.JobDetail]:
    """Submit a job, which may run any program here; a key that was used before gives the job it made."""
    made = services.submit(
        name=body.name,
        template=body.template,
        parameters=dict(body.parameters),
        key=body.key,
        publish_to=body.publish_to,
        priority=body.priority,
        actor=doors.actor(request),
    )
    return Status(201, queries.job(made.pk))


@router.get("/jobs/{id}", auth=doors.READ, response=queries.JobDetail)
def show(request: HttpRequest, id: str) -> queries.JobDetail:
    """A job with its steps, tasks and attempts; the start of an id is enough."""
    return queries.job(id)


@router.get("/jobs/{id}/log", auth=doors.READ)
def log(request: HttpRequest, id: str, lines: Annotated[int, Query(ge=1, le=100_000)] = 1000) -> HttpResponse:
    """What its tasks printed, as plain text."""
    text = "".join(f"{line}\n" for line in queries.job_log(id, limit=lines))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@router.get("/jobs/{id}/why", auth=doors.READ, response=WhyView)
def why(request: HttpRequest, id: str) -> WhyView:
    """Why it does not run, or what it is at, in one sentence."""
    row = queries.get_job(id)
    return WhyView(row.pk, row.state, queries.why(row))


@router.post("/jobs/{id}/cancel", auth=doors.OPERATE, response=queries.JobDetail)
def cancel(request: HttpRequest, id: str) -> queries.JobDetail:
    """End a job and everything it runs."""
    row = queries.get_job(id)
    services.cancel(job=row, actor=doors.actor(request))
    return queries.job(row.pk)


@router.post("/jobs/{id}/retry", auth=doors.OPERATE, response=queries.JobDetail)
def retry(request: HttpRequest, id: str) -> queries.JobDetail:
    """Run what failed or was cancelled once more."""
    row = queries.get_job(id)
    services.retry(job=row, actor=doors.actor(request))
    return queries.job(row.pk)


@router.post("/jobs/{id}/pause", auth=doors.OPERATE, response=queries.JobDetail)
def pause(request: HttpRequest, id: str) -> queries.JobDetail:
    """Begin nothing new of a job."""
    row = queries.get_job(id)
    services.pause(job=row, actor=doors.actor(request))
    return queries.job(row.pk)


@router.post("/jobs/{id}/resume", auth=doors.OPERATE, response=queries.JobDetail)
def resume(request: HttpRequest, id: str) -> queries.JobDetail:
    """Let a paused job go on."""
    row = queries.get_job(id)
    services.resume(job=row, actor=doors.actor(request))
    return queries.job(row.pk)
