"""Files of others: exactly what was published, and no registry's address in the repository."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENDOR = ROOT / "src/nephos/web/static/vendor"


def test_vendored_files_are_unchanged_licensed_and_complete() -> None:
    table = tomllib.loads((VENDOR / "VENDORED.toml").read_text())
    listed = set()

    for asset in table["asset"]:
        folder = VENDOR / asset["folder"]
        assert (folder / "LICENSE").read_text()
        for name, digest in asset["sha256"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        listed |= {folder / name for name in [*asset["sha256"], "LICENSE"]}

    assert listed == {path for path in VENDOR.rglob("*") if path.is_file() and path.name != "VENDORED.toml"}


def test_package_lock_and_vendored_versions_agree() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    table = tomllib.loads((VENDOR / "VENDORED.toml").read_text())

    assert {one["package"]: one["version"] for one in table["asset"]} == wanted
    for package, version in wanted.items():
        assert locked[f"node_modules/{package}"]["version"] == version
        assert "integrity" in locked[f"node_modules/{package}"]


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "package-lock.json").read_text()


def test_templates_hold_no_inline_code_or_style() -> None:
    for template in (ROOT / "src/nephos/web/templates").rglob("*.html"):
        text = template.read_text()
        assert " style=" not in text, template
        assert "<style" not in text, template
        assert " onclick=" not in text, template
        assert "javascript:" not in text, template
        assert "|safe" not in text, template
        for script in text.split("<script")[1:]:
            assert script.lstrip().startswith("src="), template
