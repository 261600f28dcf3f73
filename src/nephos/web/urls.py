"""Every address of the station."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from nephos.web import live, media
from nephos.web.api import root
from nephos.web.pages import (
    channels,
    delivery,
    failures,
    health,
    login,
    now,
    problems,
    recording,
    recordings,
    schedules,
    system,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", now.page),
    path("now/parts/<slug:name>", now.part),
    path("bookings/<int:booking_id>/<slug:verb>", now.steer),
    path("channels", channels.page),
    path("channels/parts/<slug:name>", channels.part),
    path("channels/<int:channel_id>/record", channels.record),
    path("channels/<int:channel_id>/check", channels.check),
    path("schedules", schedules.page),
    path("schedules/preview", schedules.preview),
    path("schedules/parts/<slug:name>", schedules.part),
    path("schedules/<int:schedule_id>/<slug:verb>", schedules.steer),
    path("recordings", recordings.page),
    path("recordings/parts/<slug:name>", recordings.part),
    path("recordings/<int:asset_id>", recording.page),
    path("recordings/<int:asset_id>/parts/<slug:name>", recording.part),
    path("recordings/<int:asset_id>/process", recording.process),
    path("delivery", delivery.page),
    path("delivery/parts/<slug:name>", delivery.part),
    path("delivery/<slug:verb>", delivery.steer),
    path("problems", problems.page),
    path("problems/parts/<slug:name>", problems.part),
    path("problems/<int:problem_id>/mute", problems.mute),
    path("system", system.page),
    path("system/parts/<slug:name>", system.part),
    path("system/watched/<slug:check>/run", system.run),
    path("login", login.login),
    path("login/<str:secret>", login.link),
    path("logout", login.logout),
    path("events/stream", live.stream),
    path("media/<int:file_id>/<str:name>", media.serve),
    path("healthz", health.healthz),
    path("api/v1/", include(root.patterns())),
]

handler400 = failures.bad_request
handler403 = failures.not_allowed
handler404 = failures.not_found
handler500 = failures.failed
