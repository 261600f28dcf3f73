"""Assets: what the station follows to its end; recordings among them; and the pipelines that they go through."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema

from nephos.farm import queries as farm
from nephos.lib import errors
from nephos.library import errors as library_errors
from nephos.library import grades, queries, services, states
from nephos.processing import queries as processing
from nephos.web import actions, current
from nephos.web.api import doors

router = Router(tags=["assets"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]


class ProcessIn(Schema, extra="forbid"):
    """By which pipeline; nothing: the one it had."""

    pipeline: str = ""


class AssetChange(Schema, extra="forbid"):
    """What is to be different."""

    keep: bool | None = None


@router.get("/assets", auth=doors.READ, response=list[queries.AssetView])
def list_(
    request: HttpRequest,
    door: str = "",
    state: str = "",
    channel: str = "",
    search: str = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[queries.AssetView]:
    """Newest first; files are in the single asset's answer."""
    return queries.assets(
        door=_known(door, states.Door, "door"),
        state=_known(state, states.AssetState, "state"),
        channel=queries.get_channel(channel).pk if channel else None,
        search=search,
        limit=limit,
        offset=offset,
    )


@router.get("/assets/{id}", auth=doors.READ, response=queries.AssetView)
def show(request: HttpRequest, id: str) -> queries.AssetView:
    """An asset with its files, by id or stem."""
    return queries.asset(id)


@router.patch("/assets/{id}", auth=doors.OPERATE, response=queries.AssetView)
def edit(request: HttpRequest, id: str, body: AssetChange) -> queries.AssetView:
    """Protect it from retention, or no longer."""
    asset = queries.get_asset(id)
    if body.keep is not None:
        services.set_keep(asset=asset, keep=body.keep, actor=doors.actor(request))
    return queries.asset(asset.pk)


@router.post("/assets/{id}/process", auth=doors.OPERATE, response=farm.JobDetail)
def process(request: HttpRequest, id: str, body: ProcessIn | None = None) -> farm.JobDetail:
    """Process it, again or by another pipeline; answers with the job."""
    asset = queries.get_asset(id)
    actions.process_again(asset=asset, pipeline=body.pipeline if body else "", actor=doors.actor(request))
    newest = farm.jobs(subject=services.subject(asset), limit=1)[0]
    return farm.job(newest.id)


@router.get("/recordings", auth=doors.READ, response=list[queries.AssetView])
def list_recordings(
    request: HttpRequest,
    state: str = "",
    channel: str = "",
    search: str = "",
    grade: str = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[queries.AssetView]:
    """What came off the air, newest first; `grade` is one or more of A to F, as A,B."""
    return queries.assets(
        door=states.Door.RECORDING,
        state=_known(state, states.AssetState, "state"),
        channel=queries.get_channel(channel).pk if channel else None,
        search=search,
        grade=grades.read(grade),
        limit=limit,
        offset=offset,
    )


@router.get("/recordings/{id}", auth=doors.READ, response=queries.AssetView)
def show_recording(request: HttpRequest, id: str) -> queries.AssetView:
    """A recording with its gaps and files."""
    found = queries.asset(id)
    if found.recording is None:
        raise library_errors.UnknownAsset(f"Asset {found.id} is no recording.", hint="`nephos asset show` shows it.")
    return found


@router.get("/pipelines", auth=doors.READ, response=list[processing.PipelineView])
def list_pipelines(request: HttpRequest) -> list[processing.PipelineView]:
    """All pipelines that can be asked for, those that are broken included."""
    return processing.pipelines(current.loaded())


def _known(value: str, kind: type[states.Door] | type[states.AssetState], what: str) -> str:
    names = [str(member) for member in kind]
    if value and value not in names:
        raise errors.Invalid(f"{value[:40]!r} is no {what} of an asset.", hint=f"One of {', '.join(names)}.")
    return value
