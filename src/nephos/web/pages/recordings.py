"""Recordings: every asset of the station, newest first, with filters in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from nephos.lib import errors
from nephos.library import grades, queries, states
from nephos.web import rendering

PATH = "/recordings"
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter and the address that sets it."""

    word: str
    address: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; nonsense asks for nothing."""

    door: str = ""
    state: str = ""
    channel: int | None = None
    search: str = ""
    grade: str = ""
    page: int = 1

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """From the address."""
        given = request.GET
        return cls(
            door=given.get("door", "") if given.get("door") in set(states.Door) else "",
            state=given.get("state", "") if given.get("state") in set(states.AssetState) else "",
            channel=_number(given.get("channel", ""), most=10**12),
            search=given.get("search", "").replace("\x00", "")[:120].strip(),
            grade=_grades(given.get("grade", "")),
            page=_number(given.get("page", ""), most=100_000) or 1,
        )

    def address(self, **changes: object) -> str:
        """The page's address with these filters; another filter begins at its first page."""
        wanted: dict[str, object] = {
            "door": self.door,
            "state": self.state,
            "channel": self.channel,
            "search": self.search,
        }
        wanted |= {"grade": self.grade, **changes}
        query = urlencode({key: value for key, value in wanted.items() if value and (key, value) != ("page", 1)})
        return f"{PATH}?{query}" if query else PATH

    @property
    def is_set(self) -> bool:
        return bool(self.door or self.state or self.channel or self.search or self.grade)


def _number(text: str, *, most: int) -> int | None:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _grades(text: str) -> str:
    try:
        return ",".join(sorted(grades.read(text)))
    except errors.NephosError:
        return ""


def _chips(filters: Filters) -> list[Chip]:
    doors = [("Recordings", states.Door.RECORDING), ("File sets", states.Door.FILE_SET)]
    shown = (states.AssetState.ARRIVING, states.AssetState.PROCESSING, states.AssetState.FAILED)
    ended = (states.AssetState.DELIVERED, states.AssetState.EMPTY)
    chips = [
        Chip(
            "All",
            filters.address(door="", state="", channel=None, grade=""),
            not (filters.door or filters.state or filters.grade),
        )
    ]
    for word, door in doors:
        is_set = filters.door == door
        chips.append(Chip(word, filters.address(door="" if is_set else door), is_set))
    for state in (*shown, *ended):
        is_set = filters.state == state
        chips.append(Chip(state.capitalize(), filters.address(state="" if is_set else state), is_set))
    for word, wanted in (("Grade A, B", "A,B"), ("Grade C to F", "C,D,E,F")):
        is_set = filters.grade == wanted
        chips.append(Chip(word, filters.address(grade="" if is_set else wanted), is_set))
    return chips


def _list(request: HttpRequest) -> Mapping[str, Any]:
    filters = Filters.of(request)
    rows = queries.assets(
        door=filters.door,
        state=filters.state,
        channel=filters.channel,
        search=filters.search,
        grade=grades.read(filters.grade),
        limit=PAGE_SIZE + 1,
        offset=(filters.page - 1) * PAGE_SIZE,
    )
    more = len(rows) > PAGE_SIZE
    return {
        "rows": rows[:PAGE_SIZE],
        "filters": filters,
        "newer": filters.address(page=filters.page - 1) if filters.page > 1 else "",
        "older": filters.address(page=filters.page + 1) if more else "",
    }


PARTS = {"list": rendering.Part("Recordings", "web/recordings/list.html", "asset booking", _list)}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The list with its filters."""
    filters = Filters.of(request)
    parts = rendering.parts(request, PARTS, base=PATH)
    return rendering.page(request, "web/recordings/page.html", parts=parts, filters=filters, chips=_chips(filters))


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, PARTS, name)
