"""Schedules: the rules, what they mean before they are kept, and the airings they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nephos.lib import clock, errors
from nephos.library import queries as library
from nephos.recording import forecast, queries, services
from nephos.recording.models import Schedule
from nephos.web import forms, rendering

PATH = "/schedules"
_PREVIEWED = 12
_UPCOMING = 30


def _list(_request: HttpRequest) -> Mapping[str, Any]:
    return {"schedules": queries.schedules()}


def _upcoming(_request: HttpRequest) -> Mapping[str, Any]:
    now = clock.now()
    return {"bookings": queries.bookings(upcoming=True, limit=_UPCOMING), "now": now, "conflicts": forecast.conflicts()}


def _preview(request: HttpRequest) -> Mapping[str, Any]:
    form = forms.ScheduleForm(request.GET)
    form.is_valid()  # what is still empty is not needed to see what a rule means; what is wrong is said
    given = [name for name in form.errors if request.GET.get(name)]
    wrong = [str(line) for name in given for line in form.errors[name]]
    if not request.GET.get("start"):
        return {"advice": "Give a start time, and days or a date, and see here what would be recorded."}
    if wrong:
        return {"error": errors.Invalid(" ".join(wrong))}
    try:
        channel = form.cleaned_data.get("channel")
        found = queries.preview(
            channel=library.get_channel(channel) if channel else None, count=_PREVIEWED, **form.given()
        )
    except errors.NephosError as error:
        return {"error": error}
    return {"preview": found}


PARTS = {
    "list": rendering.Part("Schedules", "web/schedules/list.html", "schedule booking channel", _list),
    "upcoming": rendering.Part("Upcoming", "web/schedules/upcoming.html", "booking schedule", _upcoming),
}
PREVIEW = {"preview": rendering.Part("Preview", "web/schedules/preview.html", "", _preview)}


@require_http_methods(["GET", "HEAD", "POST"])
@rendering.explained
def page(request: HttpRequest) -> HttpResponse:
    """The rules, what they will record, and the form for a new one."""
    form = forms.ScheduleForm(request.POST or None, initial={"duration": "30m"})
    if request.method == "POST":
        actor = rendering.actor(request)
        if form.is_valid():
            try:
                channel = library.get_channel(form.cleaned_data["channel"])
                made = services.add_schedule(
                    name=form.cleaned_data["name"], channel=channel, actor=actor, **form.given()
                )
                return rendering.done(request, PATH, f"Schedule {made.name} was added.")
            except errors.NephosError as error:
                forms.refuse(form, error)
    parts = rendering.parts(request, PARTS, base=PATH)
    status = 422 if form.is_bound else 200
    context = {"parts": parts, "form": form, "zones": forms.zones(), "has_channels": bool(library.channels())}
    return rendering.page(request, "web/schedules/page.html", status=status, **context)


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, PARTS, name)


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """What the rule in the form would record; keeps nothing."""
    return rendering.part(request, PREVIEW, "preview")


def _enable(schedule: Schedule, actor: str) -> str:
    services.set_enabled(schedule=schedule, enabled=True, actor=actor)
    return f"Schedule {schedule.name} records again."


def _disable(schedule: Schedule, actor: str) -> str:
    services.set_enabled(schedule=schedule, enabled=False, actor=actor)
    return f"Schedule {schedule.name} records nothing until it is enabled."


def _remove(schedule: Schedule, actor: str) -> str:
    name = schedule.name
    services.remove_schedule(schedule=schedule, actor=actor)
    return f"Schedule {name} was removed; its recordings stay."


_VERBS: Mapping[str, Callable[[Schedule, str], str]] = {"enable": _enable, "disable": _disable, "remove": _remove}


@require_POST
@rendering.explained
def steer(request: HttpRequest, schedule_id: int, verb: str) -> HttpResponse:
    """Enable, disable or remove a rule."""
    actor = rendering.actor(request)
    if verb not in _VERBS:
        raise Http404("A schedule cannot do that.")
    try:
        sentence = _VERBS[verb](queries.get_schedule(schedule_id), actor)
    except errors.NephosError as error:
        return rendering.refused(request, PATH, error)
    return rendering.done(request, PATH, sentence)
