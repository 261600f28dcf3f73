"""Bring Django up on one home, once a process."""

from __future__ import annotations

import django
from django.apps import apps
from django.conf import settings as django_settings

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core import settings

_in_force: dict[int, tuple[Loaded, Live]] = {}


def configure(loaded: Loaded) -> None:
    """Hand our settings to Django without loading any model. Does nothing the second time."""
    if not django_settings.configured:
        django_settings.configure(**settings.build(loaded))


def setup(loaded: Loaded) -> None:
    """Configure Django and load the models."""
    configure(loaded)
    if not apps.ready:
        django.setup()


def loaded() -> Loaded:
    """The settings and home that Django runs on."""
    found = getattr(django_settings, "NEPHOS", None)
    assert isinstance(found, Loaded)  # noqa: S101 - put there by `configure`
    return found


def current() -> Loaded:
    """The settings in force now: a good change of the file is taken up, a bad one leaves the old ones in force."""
    begun = loaded()
    if id(begun) not in _in_force:
        _in_force[id(begun)] = (begun, Live(begun))  # held, so that no other one gets its number
    return _in_force[id(begun)][1].current()
