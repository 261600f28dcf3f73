"""A JSON document by POST, signed if there is a secret."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, Any

from nephos.config import errors as config_errors
from nephos.config import secret, upkeep
from nephos.lib import clock
from nephos.monitoring import errors, letters
from nephos.monitoring.channels.base import Message

_ENOUGH = 64 * 1024  # of an answer nobody reads


class _NoWayOn(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what was signed for one address is not sent to another."""

    def redirect_request(self, *_given: Any, **_more: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """One address of the settings."""

    name: str
    settings: upkeep.Webhook

    def tell(self, message: Message) -> None:
        """Post a document; any 2xx is a yes. Raises NotTold or Refused."""
        body = json.dumps(
            {
                "delivery": message.uid,
                "title": message.title,
                "text": message.body,
                "made_at": clock.stamp(message.made_at),
                **message.payload,
            },
            ensure_ascii=False,
        ).encode()
        request = urllib.request.Request(  # noqa: S310 - the settings take http and https alone
            self.settings.url, data=body, headers=self._headers(message, body), method="POST"
        )
        opener = urllib.request.build_opener(_NoWayOn)
        try:
            with opener.open(request, timeout=self.settings.timeout_seconds) as answer:
                _drain(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                raise _judged(answer.code, self.name) from answer
        except (OSError, http.client.HTTPException) as error:
            reason = letters.line(str(getattr(error, "reason", None) or error))[:300]
            raise errors.NotTold(f"Webhook {self.name} cannot be reached: {reason}.") from error

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Nephos",
            "X-Nephos-Delivery": letters.line(message.uid),
        }
        if self.settings.secret:
            try:
                key = secret.resolve(self.settings.secret, name=f"webhook.{self.name}.secret")
            except (config_errors.ConfigError, config_errors.SecretMissing) as error:
                raise errors.NotTold(error.message, hint=error.hint) from error
            stamp = str(int(clock.unix()))
            headers["X-Nephos-Timestamp"] = stamp
            headers["X-Nephos-Signature"] = f"sha256={sign(key.reveal(), stamp, body)}"
        return headers


def sign(key: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 of `TIMESTAMP.BODY` in hex: the time is inside, so that an old document cannot be sent again."""
    return hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _drain(answer: IO[bytes]) -> None:
    answer.read(_ENOUGH)


def _judged(code: int, name: str) -> errors.NotTold | errors.Refused:
    sentence = f"Webhook {name} answered {code}."
    if code >= 500 or code in (401, 403, 404, 408, 425, 429):
        return errors.NotTold(sentence)
    return errors.Refused(sentence)
