"""Django's handle on this package."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "nephos.web"
    label = "web"
