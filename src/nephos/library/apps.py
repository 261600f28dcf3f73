"""Django's handle on this package."""

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "nephos.library"
    label = "library"
