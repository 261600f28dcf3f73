"""Django's handle on this package."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "nephos.events"
    label = "events"
