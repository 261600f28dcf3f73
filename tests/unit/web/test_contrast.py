"""Text can be read on its ground, in light and in dark: WCAG AA asks for 4.5 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[3] / "src/nephos/web/static/css/tokens.css"
PAIRS = [
    *[(ink, ground) for ink in ("ink", "faint", "accent") for ground in ("ground", "surface", "raised")],
    ("accent-ink", "accent"),
    ("accent", "accent-soft"),
    *[(tone, f"{tone}-soft") for tone in ("calm", "busy", "good", "warn", "bad")],
    *[(tone, "surface") for tone in ("busy", "good", "warn", "bad")],
]


def themes() -> dict[str, dict[str, str]]:
    text = TOKENS.read_text()
    blocks = {
        "light": text[text.index(":root {") : text.index("@media")],
        "dark by the system": text[text.index("@media") : text.index(':root[data-theme="dark"]')],
        "dark by choice": text[text.index(':root[data-theme="dark"]') : text.index("/* Pico's own names")],
    }
    return {name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for name, block in blocks.items()}


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark by the system", "dark by choice"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(theme: str, ink: str, ground: str) -> None:
    colours = themes()[theme]

    brighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)

    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def test_both_ways_to_dark_are_the_same() -> None:
    assert themes()["dark by the system"] == themes()["dark by choice"]
