"""The rules that are always there."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from nephos.lib import clock
from nephos.plugins.registry import register_rule


@register_rule
def rule_type(path: Path, *, types: list[str]) -> bool:
    """Whether the name ends in one of these, as in `types = ["mp4", "srt"]`."""
    wanted = tuple("." + kind.lower().lstrip(".") for kind in types)
    return path.name.lower().endswith(wanted)


@register_rule
def rule_size(path: Path, *, least_bytes: int = 0, most_bytes: int = 0) -> bool:
    """Whether the size is in a range; 0 as the upper end is no end."""
    size = path.stat().st_size
    return size >= least_bytes and (not most_bytes or size <= most_bytes)


@register_rule
def rule_age(path: Path, *, least_seconds: float = 0, most_seconds: float = 0) -> bool:
    """Whether the last change is so long ago; 0 as the upper end is no end."""
    age = clock.unix() - path.stat().st_mtime
    return age >= least_seconds and (not most_seconds or age <= most_seconds)


@register_rule
def rule_name(path: Path, *, pattern: str) -> bool:
    """Whether the name is like a pattern with * and ?."""
    return fnmatch.fnmatchcase(path.name, pattern)


BUILT_IN = frozenset({"rule_type", "rule_size", "rule_age", "rule_name"})
"""Known to be quick and to come to an end: they need no process of their own."""
