"""The pages that tell what can go wrong name their tests: each exists, and no row goes without."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/guide/what-can-go-wrong.md"
LEAST_ROWS = {PAGE: 60, ROOT / "docs/guide/what-can-go-wrong-with-delivery.md": 25}
PAGES = pytest.mark.parametrize("page", LEAST_ROWS, ids=lambda page: page.stem)
NAME = re.compile(r"`(test_\w+)`")
NOT_DONE = "not: "


def rows(page: Path = PAGE) -> list[list[str]]:
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[-1].strip(" |") != "tests"]


def existing() -> set[str]:
    trees = (ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@PAGES
def test_every_test_that_the_page_names_exists(page: Path) -> None:
    named = set(NAME.findall(page.read_text()))

    assert named
    assert named - existing() == set()


@PAGES
def test_every_row_is_seen_to_be_true_or_says_why_not(page: Path) -> None:
    found = rows(page)

    assert len(found) >= LEAST_ROWS[page]
    assert [row[0] for row in found if not NAME.search(row[-1]) and NOT_DONE not in " ".join(row)] == []


def test_every_known_defect_and_complaint_has_a_row() -> None:
    firsts = {row[0].split()[0] for row in rows()}

    assert {f"D{number}" for number in range(1, 21)} <= firsts
    assert {f"C{number}" for number in range(1, 12)} <= firsts
