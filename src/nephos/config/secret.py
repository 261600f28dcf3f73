"""Secrets are kept elsewhere and named here: `env:NAME`, `file:/path`, `keyring:service/name`."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from nephos.config import errors


class Secret:
    """A value that never prints, logs or compares by accident; call `reveal` where it is used."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def resolve(reference: str, *, name: str) -> Secret:
    """The secret behind a reference. `name` is the setting, for the message.

    Raises SecretMissing if there is nothing behind it, ConfigError if it is no reference: a secret written into the
    settings file in plain is refused.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        return _from_environment(rest, name)
    if kind == "file" and rest:
        return _from_file(Path(rest).expanduser(), name)
    if kind == "keyring" and "/" in rest:
        return _from_keyring(rest, name)
    raise errors.ConfigError(
        f"{name} must name a secret, not hold it.", hint="Write env:NAME, file:/path/to/secret or keyring:service/name."
    )


def _from_environment(variable: str, name: str) -> Secret:
    value = os.environ.get(variable)
    if not value:
        raise errors.SecretMissing(f"{name} refers to the environment variable {variable}, which is not set.")
    return Secret(value)


def _from_file(path: Path, name: str) -> Secret:
    try:
        value = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise errors.SecretMissing(f"{name} refers to {path}, which cannot be read: {error}.") from error
    if os.name == "posix" and mode & 0o077:
        raise errors.SecretMissing(f"{name} refers to {path}, which other users can read.", hint=f"chmod 600 {path}")
    if not value:
        raise errors.SecretMissing(f"{name} refers to {path}, which is empty.")
    return Secret(value)


def _from_keyring(rest: str, name: str) -> Secret:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise errors.SecretMissing(
            f"{name} refers to the keyring, but it is not installed.", hint="pip install keyring"
        ) from None
    service, _, user = rest.partition("/")
    value = keyring.get_password(service, user)
    if not value:
        raise errors.SecretMissing(f"{name}: the keyring holds nothing for {rest}.")
    return Secret(str(value))
