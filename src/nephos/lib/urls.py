"""Addresses as people may see them: without the secrets that stand in some."""

from __future__ import annotations

import re

MASK = "***"
_PASSWORD = re.compile(r"(://[^/@\s:?#\[\]]*):[^/\s]*@")
_VALUE = re.compile(
    r"(?i)([?&][a-z0-9._-]*(?:pass|passw|password|passphrase|pwd|token|secret|key|auth|sig|signature)=)[^&\s'\"]+"
)


def masked(text: str) -> str:
    """Any text with the passwords, passphrases and tokens of the addresses in it replaced by stars."""
    return _VALUE.sub(rf"\1{MASK}", _PASSWORD.sub(rf"\1:{MASK}@", text))
