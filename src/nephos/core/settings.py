"""Django's settings, made from ours."""

from __future__ import annotations

import os
from typing import Any

from nephos.config.load import Loaded
from nephos.core import database
from nephos.lib import files, ids

APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "nephos.events.apps.EventsConfig",
    "nephos.library.apps.LibraryConfig",
    "nephos.farm.apps.FarmConfig",
    "nephos.recording.apps.RecordingConfig",
    "nephos.monitoring.apps.MonitoringConfig",
    "nephos.web.apps.WebConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "nephos.web.middleware.ContentPolicy",
    "nephos.web.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "nephos.web.middleware.PersonRequired",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def build(loaded: Loaded) -> dict[str, Any]:
    """Keyword arguments for `django.conf.settings.configure`."""
    web = loaded.settings.web
    return {
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]", "nephos", *web.allowed_hosts],
        "APP_DIRS": True,
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "CSRF_COOKIE_SECURE": web.behind_tls,
        "DATABASES": {"default": database.options(loaded)},
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 2 * 1024 * 1024,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": APPS,
        "LOGGING_CONFIG": None,  # core.logs sets the loggers up
        "LOGIN_URL": "/login",
        "MIDDLEWARE": MIDDLEWARE,
        "NEPHOS": loaded,
        "ROOT_URLCONF": "nephos.web.urls",
        "SECRET_KEY": secret_key(loaded),
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SESSION_COOKIE_AGE": 14 * 24 * 3600,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": web.behind_tls,
        "SILENCED_SYSTEM_CHECKS": ["security.W004", "security.W008"],
        "STATIC_URL": "/static/",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["nephos.web.context.page"]},
            }
        ],
        "TIME_ZONE": "UTC",
        "USE_I18N": False,
        "USE_TZ": True,
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_USE_FINDERS": True,
    }


def secret_key(loaded: Loaded) -> str:
    """The key that signs sessions: made once, readable by the owner alone."""
    path = loaded.home.config / "secret.key"
    if not path.exists() and loaded.home.config.is_dir():
        fresh = path.with_name(f".secret.{os.getpid()}")
        files.write_atomic(fresh, ids.secret(), mode=0o600)
        try:
            os.link(fresh, path)  # fails if another process was first: its key counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text() if path.exists() else ids.secret()
