"""YAML as a tree of plain texts with their line numbers; pure.

Texts stay as they were typed: YAML 1.1 would read `20:30` as the number 1230 and the mask `0111110` as an octal one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from nephos.importers import errors

MOST_CHARACTERS = 1_000_000
MOST_NODES = 100_000
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Node:
    """A text, a list or a table; exactly one of the three, told apart by `kind`."""

    line: int
    kind: str
    text: str = ""
    items: list[Node] = field(default_factory=list)
    table: dict[str, Node] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing was written there."""
        return not (self.text or self.items or self.table)


def read(text: str) -> Node:
    """The first document of a file. Raises NotReadable with the line."""
    if len(text) > MOST_CHARACTERS:
        raise errors.NotReadable(f"The file is longer than {MOST_CHARACTERS:,} characters.")
    try:
        _refuse_bombs(text)
        top = next(yaml.compose_all(text, Loader=yaml.SafeLoader), None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 1}" if mark else "The file"
        raise errors.NotReadable(f"{where} is no YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise errors.NotReadable(f"The file is no YAML: {str(error).splitlines()[0][:120]}.") from error
    if top is None:
        raise errors.NotReadable("The file is empty.")
    return _node(top)


def _refuse_bombs(text: str) -> None:
    """Depth and number are counted before anything recursive runs; an alias could repeat a part for ever."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise errors.NotReadable(
                f"Line {line} refers to another part of the file (an alias).", hint="Write it out."
            )
        nodes += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST or nodes > MOST_NODES:
            what = "is nested too deeply" if depth > DEEPEST else "is one entry too many"
            raise errors.NotReadable(f"Line {line} {what}.")


def _node(found: yaml.Node) -> Node:
    line = found.start_mark.line + 1
    if isinstance(found, yaml.MappingNode):
        return Node(line, "table", table=dict(_pairs(found)))
    if isinstance(found, yaml.SequenceNode):
        return Node(line, "list", items=[_node(item) for item in found.value])
    nothing = found.tag.endswith(":null")
    return Node(line, "text", text="" if nothing else str(found.value).strip())


def _pairs(found: yaml.MappingNode) -> Iterator[tuple[str, Node]]:
    seen: set[str] = set()
    for key, value in found.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise errors.NotReadable(f"Line {line} has a key that is no plain word.")
        name = str(key.value).strip()
        if name in seen:
            raise errors.NotReadable(f"Line {line} gives {name[:40]!r} a second time.")
        seen.add(name)
        yield name, _node(value)
