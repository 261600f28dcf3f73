"""The child in which people's code runs: `python -m nephos.plugins.host FOLDER`, a JSON line for a JSON line."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import IO, Any

from nephos.plugins import loader, registry

_objects: dict[str, Any] = {}
_MOST_PRINTED = 64 * 1024


class Printed(io.TextIOBase):
    """What plug-ins print goes to the log, but not for ever."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.left = _MOST_PRINTED

    def write(self, text: str) -> int:
        self._stream.write(text[: max(0, self.left)])
        self.left -= len(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def main() -> int:
    """Answer questions until nobody asks any more."""
    questions = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a plug-in prints must not be taken for an answer, and what it reads must be no question.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    printed = Printed(sys.stderr)
    sys.stdout = sys.stderr = printed
    us = os.getpid()
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
    for line in questions:
        printed.left = _MOST_PRINTED
        try:
            answer = {"answer": _answer(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        except SystemExit as error:
            answer = {"error": f"it ends the program ({error.code})"}
        if os.getpid() != us:
            os._exit(0)  # a plug-in made a second one of us, which must not answer too
        _say(answers, answer)
    return 0


def _say(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _answer(question: dict[str, Any]) -> object:
    verb, name = question["verb"], question["name"]
    if verb == "rule":
        said = _known(registry.RULES, name)(Path(question["path"]), **question["options"])
        if not isinstance(said, bool):
            raise TypeError(f"it answers with {type(said).__name__} instead of True or False")
        return said
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
    os._exit(main())  # threads that a plug-in left behind do not keep us
