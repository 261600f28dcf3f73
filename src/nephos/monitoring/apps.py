"""Django's handle on this package."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "nephos.monitoring"
    label = "monitoring"
