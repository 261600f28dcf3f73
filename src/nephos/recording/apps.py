"""Django's handle on this package."""

from django.apps import AppConfig


class RecordingConfig(AppConfig):
    name = "nephos.recording"
    label = "recording"
