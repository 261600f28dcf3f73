"""Which names are left alone."""

from __future__ import annotations

import pytest

from nephos.config.errors import ConfigError
from nephos.sync.patterns import Patterns


def leaves(path: str, *lines: str) -> bool:
    """As a scan asks: each folder on the way, then the file."""
    raw = path.encode()
    patterns = Patterns(lines)
    return patterns.hides(raw.rpartition(b"/")[0]) or patterns.ignores(raw, folder=False)


@pytest.mark.parametrize(
    "path", ["a.part", "a.tmp", ".hidden", "x/.git/config", "~$report.doc", "notes~", "v.crdownload", "x.tmp/y.mp4"]
)
def test_unfinished_and_hidden_names_are_left_alone(path: str) -> None:
    assert leaves(path)


@pytest.mark.parametrize("path", ["a.mp4", "x/y z/ü.ts", "part", "a.part.mp4", "tmp/file"])
def test_ordinary_names_are_taken(path: str) -> None:
    assert not leaves(path)


@pytest.mark.parametrize(
    ("path", "lines", "left"),
    [
        ("raw/a.mov", ["*.mov"], True),
        ("raw/a.mov", ["/raw/"], True),
        ("cut/raw/a.mov", ["/raw/"], False),
        ("cut/raw/a.mov", ["raw/"], True),
        ("raw", ["raw/"], False),  # a file, not a folder
        ("a/b/c/x.mov", ["a/**/x.mov"], True),
        ("keep.mov", ["*.mov", "!keep.mov"], False),
        (".nfo", ["!.nfo"], False),  # what is left by default is taken back
        ("# a.mov", ["\\# a.mov"], True),
        ("a.mov", ["# a.mov", ""], False),
        ("[1].mov", ["\\[1\\].mov"], True),
    ],
)
def test_a_watch_says_more_in_the_syntax_of_gitignore(path: str, lines: list[str], left: bool) -> None:
    assert leaves(path, *lines) is left


def test_a_name_that_is_no_text_is_looked_at_too() -> None:
    assert Patterns(["*.mov"]).ignores(b"caf\xe9.mov", folder=False)
    assert not Patterns(["*.mov"]).ignores(b"caf\xe9.ts", folder=False)


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="pattern"):
        Patterns(["!"])
