"""How values travel: times as stamps, lengths as seconds; bodies without bytes that no database takes."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from nephos.lib import clock, errors


class Encoder(NinjaJSONEncoder):
    """`2026-11-22T19:16:20.125Z`, and 1800.0 for half an hour."""

    def default(self, o: Any) -> Any:
        match o:
            case datetime():
                return clock.stamp(o)
            case date() | time():
                return o.isoformat()
            case timedelta():
                return o.total_seconds()
            case _:
                return super().default(o)


class Renderer(JSONRenderer):
    """JSON as above."""

    encoder_class = Encoder


def _is_text(found: Any) -> bool:
    """Whether all of it can be written down: JSON may hold one half of a surrogate pair, UTF-8 may not."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class Reader(Parser):
    """JSON bodies and queries."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises ValueError for what is no JSON, Invalid for a NUL (PostgreSQL keeps none) or half a character."""
        raw = request.body.decode("ascii", "replace").lower()
        if "\\u0000" in raw:
            raise errors.Invalid("A text in the request holds a NUL character.")
        found = super().parse_body(request)
        if "\\ud" in raw and not _is_text(found):
            raise errors.Invalid("A text in the request holds half a character.")
        return found

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> Any:
        """Raises Invalid for a NUL."""
        if any("\x00" in value for values in data.lists() for value in (values[0], *values[1])):
            raise errors.Invalid("The query holds a NUL character.")
        return super().parse_querydict(data, list_fields, request)
