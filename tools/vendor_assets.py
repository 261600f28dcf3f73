"""Copy the files of others that the pages use into the package, with their licences and hashes.

Run it after changing a version in package.json: `python tools/vendor_assets.py`. It needs npm; using Nephos does not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/nephos/web/static/vendor"


@dataclass(frozen=True, slots=True)
class Asset:
    """One package: its short name, its licence file and the files that are taken."""

    package: str
    name: str
    licence_file: str
    files: tuple[str, ...]


ASSETS = (
    Asset("@picocss/pico", "pico", "LICENSE.md", ("css/pico.min.css",)),
    Asset("htmx.org", "htmx", "LICENSE", ("dist/htmx.min.js",)),
)


def main() -> int:
    """Install what the lock names into a temporary folder and copy from there."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, work / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=work, check=True)
        shutil.rmtree(TARGET, ignore_errors=True)
        tables = [_copy(asset, work / "node_modules" / asset.package) for asset in ASSETS]
    head = "# Made by tools/vendor_assets.py; a test checks the hashes.\n"
    (TARGET / "VENDORED.toml").write_text(head + "".join(tables), encoding="utf-8")
    return 0


def _copy(asset: Asset, source: Path) -> str:
    about = json.loads((source / "package.json").read_text(encoding="utf-8"))
    folder = TARGET / f"{asset.name}-{about['version']}"
    folder.mkdir(parents=True)
    shutil.copy(source / asset.licence_file, folder / "LICENSE")
    rows = ["", "[[asset]]", f'package = "{asset.package}"', f'version = "{about["version"]}"']
    rows += [f'licence = "{about["license"]}"', f'folder = "{folder.name}"', "", "[asset.sha256]"]
    for name in asset.files:
        copied = folder / Path(name).name
        shutil.copy(source / name, copied)
        rows.append(f'"{copied.name}" = "{hashlib.sha256(copied.read_bytes()).hexdigest()}"')
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
