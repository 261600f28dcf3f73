"""Workers: machines that do the work."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from nephos.farm import queries, services
from nephos.web.api import doors

router = Router(tags=["farm"])


@router.get("/workers", auth=doors.READ, response=list[queries.WorkerView])
def list_(request: HttpRequest) -> list[queries.WorkerView]:
    """All workers that were ever seen."""
    return queries.workers()


@router.post("/workers/{name}/enable", auth=doors.OPERATE, response=queries.WorkerView)
def enable(request: HttpRequest, name: str) -> queries.WorkerView:
    """Let a worker have work."""
    services.enable(worker=queries.get_worker(name), actor=doors.actor(request))
    return _view(name)


@router.post("/workers/{name}/disable", auth=doors.OPERATE, response=queries.WorkerView)
def disable(request: HttpRequest, name: str) -> queries.WorkerView:
    """Give a worker no more work; what it runs goes on."""
    services.disable(worker=queries.get_worker(name), actor=doors.actor(request))
    return _view(name)


def _view(name: str) -> queries.WorkerView:
    return next(worker for worker in queries.workers() if worker.name == name)
