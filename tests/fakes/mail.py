"""A real SMTP server on this machine: plain, STARTTLS or TLS, with or without a password; it keeps what it gets."""

from __future__ import annotations

import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes import tls
from tests.support.station import free_port

USER, PASSWORD = "station", "a secret of the mail server"


@dataclass
class Box:
    """All letters, in order of arrival. `answer` is said instead of a yes; per receiver if it names one."""

    letters: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    tries: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    secure: list[bool] = field(default_factory=list)
    port: int = 0
    ca_file: str = ""
    _guard: threading.Lock = field(default_factory=threading.Lock)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        self.tries += 1
        if said := self.answers.get(address) or self.answers.get("*"):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        with self._guard:
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.receivers += envelope.rcpt_tos
            self.secure.append(session.ssl is not None)
        return "250 kept"

    def titles(self) -> list[str]:
        with self._guard:
            return [str(letter["Subject"]) for letter in self.letters]

    def about(self, words: str) -> list[EmailMessage]:
        """Letters whose title holds these words."""
        with self._guard:
            return [letter for letter in self.letters if words in str(letter["Subject"])]


def _knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=good)


@contextmanager
def serving(folder: Path, *, security: str = "none", auth: bool = False, port: int = 0) -> Iterator[Box]:
    """A server until the end of the block."""
    box = Box()
    context = None
    if security != "none":
        cert, key = tls.certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        box.ca_file = str(cert)
    options: dict[str, Any] = {}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if auth:
        options |= {"authenticator": _knows, "auth_required": True, "auth_require_tls": security == "starttls"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiosmtpd's own
        box.port = port or free_port()
        controller = Controller(
            box, hostname="127.0.0.1", port=box.port, ssl_context=context if security == "tls" else None, **options
        )
        controller.start()
        try:
            yield box
        finally:
            controller.stop()
