"""Django's handle on this package."""

from django.apps import AppConfig


class FarmConfig(AppConfig):
    name = "nephos.farm"
    label = "farm"
