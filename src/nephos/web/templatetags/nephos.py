"""How values are written in pages: states, times, sizes, rates."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from nephos.lib import clock, text
from nephos.library.queries import FileView
from nephos.web import looks

register = template.Library()

_DAY = timedelta(days=1)
_MOMENT = timedelta(seconds=5)


@register.simple_tag
def badge(state: str, word: str = "") -> SafeString:
    """Glyph, word and tone of a state."""
    look = looks.of(state)
    return format_html(
        '<span class="badge {}"><span class="glyph" aria-hidden="true">{}</span>{}</span>',
        look.tone,
        look.glyph,
        word or looks.word(state),
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of our own sprite; decoration only."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@register.filter
def with_commands(value: str) -> SafeString:
    """A sentence in which `commands` stand out."""
    parts = str(value).split("`")
    if len(parts) % 2 == 0:  # a mark without its twin means something else
        return format_html("{}", value)
    shown = (format_html("<code>{}</code>" if number % 2 else "{}", part) for number, part in enumerate(parts))
    return format_html_join("", "{}", ((part,) for part in shown))


@register.filter
def moment(value: datetime | str | None) -> str:
    """Absolute time in the viewer's zone, relative beside it when it is under a day away, else in the title."""
    if not isinstance(value, datetime):  # templates make an empty text of what is not there
        return ""
    apart = value - clock.now()
    near = abs(apart) < _DAY
    relative = relative_words(apart)
    return format_html(
        '<time datetime="{}" title="{}">{}{}</time>',
        clock.stamp(value),
        f"{relative}, {clock.stamp(value)}",
        absolute_words(value),
        format_html(' <span class="ago" data-since="{}">{}</span>', clock.stamp(value), relative) if near else "",
    )


@register.filter
def clock_time(value: datetime | str | None) -> str:
    """Absolute time alone, relative in the title."""
    if not isinstance(value, datetime):
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        clock.stamp(value),
        relative_words(value - clock.now()),
        absolute_words(value),
    )


@register.filter
def wall(value: datetime) -> str:
    """A time as it stands on the clock of its own zone: `Sun 22 Nov 2026 20:30:00`."""
    return f"{value:%a} {value.day} {value:%b %Y %H:%M:%S}"


@register.filter
def wall_time(value: datetime) -> str:
    """Only the time of day, in its own zone."""
    return f"{value:%H:%M:%S}"


def absolute_words(value: datetime) -> str:
    """`19:16:20` today, `22 Nov 19:16:20` this year, with the zone's name only while the viewer's is unknown."""
    local, today = timezone.localtime(value), timezone.localtime(clock.now())
    mark = "" if timezone.get_current_timezone_name() != "UTC" else " UTC"
    if local.date() == today.date():
        return f"{local:%H:%M:%S}{mark}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}{mark}"


def relative_words(apart: timedelta) -> str:
    """`in 5m 20s`, `3h 2m ago`, `now`."""
    if abs(apart) < _MOMENT:
        return "now"
    length = text.duration(timedelta(seconds=round(abs(apart).total_seconds())))
    return f"in {length}" if apart > timedelta(0) else f"{length} ago"


@register.filter
def size(value: int | None) -> str:
    """Binary units."""
    return "" if value is None else text.size(value)


@register.filter
def rate(bytes_per_second: float | None) -> str:
    """Bits a second, as broadcasters count."""
    return "" if bytes_per_second is None else text.bit_rate(bytes_per_second * 8)


@register.filter
def span(value: timedelta | float | None) -> str:
    """A length of time."""
    if value is None:
        return ""
    return text.duration(value if isinstance(value, timedelta) else timedelta(seconds=value))


@register.simple_tag
def seconds_between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """How long something lasted; nothing while an end is open."""
    return end - start if start and end else None


@register.filter
def words(state: str) -> str:
    """A state as people read it."""
    return looks.word(state)


@register.filter
def percent(part: float) -> int:
    """A share between 0 and 1."""
    return round(100 * min(1.0, max(0.0, part)))


@register.filter
def unlocalized(value: float) -> str:
    """A number as SVG wants it, whatever language is spoken."""
    return f"{value:g}"


@register.simple_tag
def media(file: FileView) -> str:
    """The address of a file's content."""
    return f"/media/{file.id}/{quote(file.name, safe='')}"


@register.filter
def short(digest: str) -> str:
    """The beginning of a checksum; the whole stands in the title."""
    return digest[:12]
