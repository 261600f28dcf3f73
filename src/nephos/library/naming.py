"""Names made safe, once; pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from nephos.lib import errors

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
_MOST_BYTES = 200
_JOINERS = "\u200c\u200d"  # Persian, the languages of India and emoji cannot be written without them
_TITLE_CHARACTERS = 120


def title(text: str, *, what: str = "name") -> str:
    """A name that people gave, fit to keep: NFC, one line, 1 to 120 characters.

    Raises Invalid for what is no text of one line (control characters, characters that nobody sees or that turn the
    direction of writing), nothing but blanks, and longer names.
    """
    clean = unicodedata.normalize("NFC", text).strip()
    if not any(unicodedata.category(c)[0] not in "CMZ" for c in clean):
        raise errors.Invalid(f"The {what} is empty.")
    bad = next((c for c in clean if _is_unfit(c)), "")
    if bad:
        raise errors.Invalid(
            f"The {what} holds a character that is no text: U+{ord(bad):04X}.",
            hint="Line breaks, control characters and marks that nobody sees cannot be in a name.",
        )
    if len(clean) > _TITLE_CHARACTERS:
        raise errors.Invalid(f"The {what} is longer than {_TITLE_CHARACTERS} characters.")
    return clean


def foreign_title(text: str) -> str:
    """A title from elsewhere, fit to keep: what `title` would refuse is left out. Raises Invalid if nothing is left."""
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return title("".join(c for c in spaced if not _is_unfit(c))[:_TITLE_CHARACTERS], what="title")


def _is_unfit(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and character not in _JOINERS)


def slug(text: str, *, fallback: str = "unnamed") -> str:
    """Lower-case ASCII letters, digits and single hyphens; for folders, URLs and file stems."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-")
    return f"{made}-" if made in _RESERVED else made or fallback


def file_name(text: str) -> str:
    """One path component that every file system takes: no separators, no leading dot or dash, at most 200 bytes."""
    clean = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)).strip(" .")
    clean = clean.lstrip("-") or "unnamed"
    if clean.split(".", 1)[0].lower() in _RESERVED:
        clean = f"_{clean}"
    while len(clean.encode()) > _MOST_BYTES:
        clean = clean[:-1]
    return clean.rstrip(" .")


def recording_stem(schedule: str, starts_at: datetime) -> str:
    """`<schedule>_<YYYY-MM-DD>_<HHMMSS>Z` in UTC; `adhoc` for what no schedule asked for."""
    return f"{slug(schedule, fallback='adhoc')}_{starts_at.astimezone(UTC):%Y-%m-%d_%H%M%S}Z"
