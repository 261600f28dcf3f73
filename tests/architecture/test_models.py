"""Models and migrations hold together."""

from __future__ import annotations

import io

import pytest
from django.apps import apps
from django.core.management import call_command

FLOORS = {"events": 4, "library": 5, "farm": 5, "recording": 6, "processing": 6, "monitoring": 7, "web": 9}
DJANGO = {"auth", "contenttypes", "sessions"}


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=io.StringIO())


def test_relations_point_downwards() -> None:
    upwards = []
    for model in apps.get_models():
        here = model._meta.app_label
        for field in model._meta.get_fields():
            there = field.related_model._meta.app_label if field.is_relation and field.related_model else here
            if not field.auto_created and here in FLOORS and there not in DJANGO and FLOORS[there] > FLOORS[here]:
                upwards.append(f"{model.__name__}.{field.name}")

    assert upwards == []
