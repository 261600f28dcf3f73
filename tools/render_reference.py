"""Write docs/reference/cli.md and api.md from the commands and the API: `python -m tools.render_reference`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nephos.cli import lazy, table

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

CLI_HEAD = """\
# The command line

`nephos NOUN VERB ...`; `ls` and `rm` are other words for `list` and `remove`. This page is made by
`python -m tools.render_reference`.

Every command takes, before or after its name: `--home FOLDER` (else `NEPHOS_HOME`, else `~/nephos`), `--server URL`
(else `NEPHOS_SERVER`; its token in `NEPHOS_TOKEN`), `--json` (data on stdout as JSON; people's text goes to stderr),
`--plain`, `--quiet`, `--verbose`, `--help`.

Commands call the API: of the running station over `run/api.sock`, of another one by `--server`; with the station
stopped they run the same application themselves. `init start stop run manage doctor config logs version completion`
work beneath it.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage or a value that cannot be used |
| 3 | partly done |
| 4 | not found |
| 5 | not possible in this state |
| 6 | station or database not reachable |
| 7 | not allowed |
| 8 | timed out |
| 130 | interrupted |

Read a code that is not listed as failure.
"""

API_HEAD = """\
# The API

Below `/api/v1`; the whole description is served as OpenAPI at `/api/v1/openapi.json`. This page is made by
`python -m tools.render_reference`.

- **Who**: `Authorization: Bearer nph_...` (made by `nephos token add`), a page's session with its CSRF token, or the
  Unix socket `run/api.sock`, which only the home's owner can open and which needs no token.
- **Scopes**: `admin` includes `operate`, which includes `read`. `worker` is for the attempt ledger alone.
- **Values**: JSON, `snake_case`; times as `2026-11-22T19:16:20.125Z`, lengths in `*_seconds`, sizes in bytes. Fields
  may be added; they are removed in a major version only.
- **References**: an id, a name or slug, or the unambiguous start of a name.
- **Refusals**: problem documents (RFC 9457, `application/problem+json`): `type`, `title`, `status`, `detail` (one
  sentence), `hint`; for 422 also `errors` with the places. 401 not signed in, 403 not allowed, 404 not found, 409 not
  possible in this state, 413 larger than 2 MiB, 422 a value that cannot be used, 503 not reachable, 504 timed out.
"""


def cli() -> str:
    """The page of the command line."""
    parts = [CLI_HEAD]
    for group in dict.fromkeys(entry.group for entry in table.TABLE.values()):
        parts.append(f"\n## {group}\n\n| command | what it does |\n|---|---|\n")
        for name, entry in table.TABLE.items():
            if entry.group == group:
                parts += _rows(name, lazy.load(name, entry))
    return "".join(parts)


def _rows(name: str, command: Any) -> Iterator[str]:
    verbs = getattr(command, "commands", None)
    if verbs is None:
        yield f"| `nephos {name}{_parameters(command)}` | {_cell(command.help)} |\n"
        return
    for verb, inner in verbs.items():
        yield f"| `nephos {name} {verb}{_parameters(inner)}` | {_cell(inner.help)} |\n"


def _parameters(command: Any) -> str:
    everywhere = {parameter.name for parameter in lazy.global_parameters()}
    words = []
    for parameter in command.params:
        if parameter.name in everywhere:
            continue
        if parameter.param_type_name == "argument":
            word = parameter.name.upper()
        else:
            long = max(parameter.opts, key=len)
            flag = parameter.is_flag and not parameter.secondary_opts
            word = long if flag else f"{long} {parameter.name.rstrip('_').upper()}"
        words.append(word if parameter.required else f"[{word}]")
    return "".join(f" {word}" for word in words)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def api() -> str:
    """The page of the API. Django must be configured."""
    from nephos.web.api import doors, root

    rows: dict[str, list[str]] = {}
    for router in root.api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                if not operation.include_in_schema:
                    continue
                (door,) = operation.auth_callbacks
                assert isinstance(door, doors.Door)
                noun = path.split("/")[1]
                line = f"| `{operation.methods[0]}` | `{path}` | {door.scope} | {_cell(operation.description)} |\n"
                rows.setdefault(noun, []).append(line)
    head = "\n| method | path | scope | what it does |\n|---|---|---|---|\n"
    return API_HEAD + head + "".join(line for lines in rows.values() for line in lines)


def pages() -> dict[Path, str]:
    """Both, by their place."""
    return {FOLDER / "cli.md": cli(), FOLDER / "api.md": api()}


def main() -> None:
    """Write the pages."""
    from nephos.config import load
    from nephos.core import bootstrap

    with tempfile.TemporaryDirectory() as folder:
        loaded = load.load(Path(folder), environment={})
        loaded.home.create()
        bootstrap.setup(loaded)
        for path, text in pages().items():
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
