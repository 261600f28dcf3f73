"""Channels: what can be received, how it is, and record it now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nephos.lib import errors
from nephos.library import queries
from nephos.library import services as library
from nephos.recording import services as recording
from nephos.web import current, examine, forms, pulse, rendering

PATH = "/channels"


@dataclass(frozen=True, slots=True)
class Row:
    """A channel, and what the recorder hears of it."""

    channel: queries.ChannelView
    receiver: pulse.Receiver | None


def _list(_request: HttpRequest) -> Mapping[str, Any]:
    heard = {receiver.slug: receiver for receiver in pulse.receivers(current.loaded())}
    return {"rows": [Row(channel, heard.get(channel.slug)) for channel in queries.channels()]}


PARTS = {"list": rendering.Part("Channels", "web/channels/list.html", "channel recorder role", _list)}


@require_http_methods(["GET", "HEAD", "POST"])
@rendering.explained
def page(request: HttpRequest) -> HttpResponse:
    """The list, and the form for a new one."""
    form = forms.ChannelForm(request.POST or None)
    if request.method == "POST":
        actor = rendering.actor(request)
        if form.is_valid():
            try:
                channel = library.add_channel(**form.cleaned_data, actor=actor)
                return rendering.done(request, PATH, f"Channel {channel.name} was added.")
            except errors.NephosError as error:
                forms.refuse(form, error)
    parts = rendering.parts(request, PARTS, base=PATH)
    status = 422 if form.is_bound else 200
    return rendering.page(request, "web/channels/page.html", status=status, parts=parts, form=form, zones=forms.zones())


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, PARTS, name)


@require_POST
@rendering.explained
def record(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Record this channel at once."""
    actor = rendering.actor(request)
    channel = queries.get_channel(str(channel_id))
    form = forms.RecordForm(request.POST)
    if not form.is_valid():
        reason = " ".join(str(line) for lines in form.errors.values() for line in lines)
        return rendering.refused(request, PATH, errors.Invalid(reason))
    try:
        booking = recording.record_now(channel=channel, **form.cleaned_data, actor=actor)
    except errors.NephosError as error:
        return rendering.refused(request, PATH, error)
    return rendering.done(request, "/", f"{booking.title} is being recorded.")


@require_POST
@rendering.explained
def check(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Listen to this channel for a moment and say what came."""
    rendering.actor(request)
    channel = queries.get_channel(str(channel_id))
    found = examine.channel(channel)
    return rendering.done(request, PATH, f"{channel.name}: {found.reason}")
