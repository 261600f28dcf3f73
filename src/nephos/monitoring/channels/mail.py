"""Mail by SMTP: plain, STARTTLS or TLS; the certificate is always verified."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy, utils
from email.message import EmailMessage

from nephos.config import errors as config_errors
from nephos.config import secret, upkeep
from nephos.monitoring import errors, letters
from nephos.monitoring.channels.base import Message

_NO_WORD = re.compile(r"[^A-Za-z0-9]+")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LATER = range(400, 500)
_ALL_LATER = (421, 454, 530, 534, 535)  # busy, or about our password, which a person can mend without losing a letter


@dataclass(frozen=True, slots=True)
class MailChannel:
    """The mail server of the settings."""

    settings: upkeep.Mail

    def tell(self, message: Message) -> None:
        """Hand a letter to the server. Raises NotTold, Refused, or NoMail without a server."""
        if not self.settings.host:
            raise errors.NoMail(hint="nephos config set mail.host smtp.example.org")
        mail = compose(message, sender=self._sender())
        try:
            with self._server() as server:
                # Not `send_message`: it writes `>From` where a line begins with From, as mailboxes of old did.
                server.sendmail(self._sender(), [message.receiver], mail.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise _judged(code, words) from refused
        except smtplib.SMTPResponseException as answer:
            raise _judged(answer.smtp_code, answer.smtp_error) from answer
        except ssl.SSLError as error:
            raise errors.NotTold(f"The certificate of {self._place()} is not trusted: {_words(error)}.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise errors.NotTold(f"{self._place()} cannot be reached: {_words(error)}.") from error

    def _sender(self) -> str:
        return self.settings.sender or f"nephos@{socket.gethostname() or 'localhost'}"

    def _place(self) -> str:
        return f"The mail server {self.settings.host}:{self.settings.port or _PORTS[self.settings.security]}"

    @contextlib.contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        chosen = self.settings
        port, timeout = chosen.port or _PORTS[chosen.security], chosen.timeout_seconds
        trust = ssl.create_default_context(cafile=chosen.ca_file or None)
        server: smtplib.SMTP
        if chosen.security == "tls":
            server = smtplib.SMTP_SSL(chosen.host, port, timeout=timeout, context=trust)
        else:
            server = smtplib.SMTP(chosen.host, port, timeout=timeout)
        try:
            if chosen.security == "starttls":
                server.starttls(context=trust)
            self._sign_in(server)
            yield server
        finally:
            # The letter is taken or not by now: a server that is slow to part changes nothing.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if not self.settings.username:
            return
        try:
            password = secret.resolve(self.settings.password, name="mail.password")
        except (config_errors.ConfigError, config_errors.SecretMissing) as error:
            raise errors.NotTold(error.message, hint=error.hint) from error
        server.login(self.settings.username, password.reveal())


def compose(message: Message, *, sender: str) -> EmailMessage:
    """The letter with its headers; none of them can be written by a channel's or a file's name."""
    mail = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    mail["From"] = sender
    mail["To"] = letters.line(message.receiver)
    mail["Subject"] = letters.line(message.title)
    mail["Date"] = utils.format_datetime(message.made_at)
    mail["Message-ID"] = f"<{_NO_WORD.sub('-', message.uid)}@{sender.rpartition('@')[2]}>"  # the same at each try
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine may answer
    mail.set_content("".join(c for c in message.body if c.isprintable() or c == "\n"))
    return mail


def _judged(code: int, words: bytes | str) -> errors.NotTold | errors.Refused:
    """What an answer means: greylisting is about one letter, a wrong password about all."""
    said = letters.line(words.decode(errors="replace") if isinstance(words, bytes) else words)[:300]
    sentence = f"The mail server said {code} {said}"
    if code in _ALL_LATER:
        return errors.NotTold(sentence, hint="See [mail] username and password in the settings.")
    if code in _LATER:
        return errors.NotYet(sentence)
    return errors.Refused(sentence)


def _words(error: Exception) -> str:
    return letters.line(getattr(error, "strerror", None) or str(error))[:300]
