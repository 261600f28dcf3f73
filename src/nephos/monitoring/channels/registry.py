"""The ways there are."""

from __future__ import annotations

from nephos.config import schema
from nephos.monitoring import errors, rules
from nephos.monitoring.channels import mail, webhook
from nephos.monitoring.channels.base import Channel


def find(name: str, settings: schema.Settings) -> Channel:
    """The channel of a notice, with the settings of now. Raises NoWebhook, NoMail."""
    if name == rules.MAIL:
        if not settings.mail.host:
            raise errors.NoMail(hint="nephos config set mail.host smtp.example.org")
        return mail.MailChannel(settings.mail)
    hook = name.removeprefix(rules.WEBHOOK)
    if hook not in settings.webhook:
        raise errors.NoWebhook(f"The settings name no webhook {hook[:60]!r}.")
    return webhook.WebhookChannel(hook, settings.webhook[hook])
