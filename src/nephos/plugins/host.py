"""The child in which people's code runs: `python -m nephos.plugins.host FOLDER`, a JSON line for a JSON line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from nephos.plugins import loader, registry

_objects: dict[str, Any] = {}


def main() -> int:
    """Answer questions until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a plug-in prints must not be taken for an answer
    found = loader.load(Path(sys.argv[1]))
    _say(
        answers,
        {
            "rules": found.rules,
            "processes": found.processes,
            "connections": found.connections,
            "refused": found.refused,
        },
    )
    for line in sys.stdin:
        try:
            answer = {"answer": _answer(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        except SystemExit as error:
            answer = {"error": f"it ends the program ({error.code})"}
        _say(answers, answer)
    return 0


def _say(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _answer(question: dict[str, Any]) -> object:
    verb, name = question["verb"], question["name"]
    if verb == "rule":
        return bool(_known(registry.RULES, name)(Path(question["path"]), **question["options"]))
    if verb == "process":
        _known(registry.PROCESSES, name)(Path(question["path"]))
        return True
    made = _objects.get(question["key"])
    if made is None:
        made = _objects[question["key"]] = _known(loader.CLASSES, name)(**question["options"])
    getattr(made, {"send": "_send", "delete": "_delete", "move": "_move"}[verb])(*question["arguments"])
    return True


def _known(table: dict[str, Any], name: str) -> Any:
    if name not in table:
        raise LookupError(f"there is no {name}; there are {', '.join(sorted(table)) or 'none'}")
    return table[name]


if __name__ == "__main__":
    sys.exit(main())
