"""Accounts' roles, tokens and one-time links: columns and constraints. People themselves are Django's users."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models

from nephos.lib import clock
from nephos.web import roles


class Account(models.Model):
    """What a person may do."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="account")
    role = models.CharField(max_length=16, default=roles.Role.VIEWER)


class ApiToken(models.Model):
    """A key for programs. Only the hash of its secret is kept."""

    name = models.CharField(max_length=120)
    hash = models.CharField(max_length=64, unique=True)  # SHA-256: the secret has 256 bits, so no slow hash is needed
    scopes = models.JSONField(default=list)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="api_tokens")
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]


class LoginLink(models.Model):
    """A door that opens once. Only the hash of its secret is kept."""

    hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_links")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
