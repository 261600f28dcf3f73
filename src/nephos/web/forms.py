"""Forms: each field is read by the same function that the API and the commands use, so all refuse the same things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

from nephos.lib import errors
from nephos.library import naming, queries
from nephos.library import services as library
from nephos.recording import fields, recurrence
from nephos.recording.sources import address

DAYS = (("mon", "Mon"), ("tue", "Tue"), ("wed", "Wed"), ("thu", "Thu"), ("fri", "Fri"), ("sat", "Sat"), ("sun", "Sun"))


class ReadField(forms.CharField):
    """A text that one of our readers takes; its sentence and hint are shown under the field."""

    def __init__(self, read: Callable[[str], Any], *, example: str = "", **options: Any) -> None:
        super().__init__(**options)
        self._read = read
        self.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if example:
            self.widget.attrs["placeholder"] = example

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return text
        try:
            self._read(text)
        except errors.NephosError as error:
            raise ValidationError(f"{error.message} {error.hint}".strip()) from error
        return text


def _name(what: str) -> Callable[[str], str]:
    return lambda text: naming.title(text, what=what)


def _zone_field(help_text: str) -> ReadField:
    return ReadField(
        library.zone,
        required=False,
        label="Time zone",
        help_text=help_text,
        example="Europe/Madrid",
        widget=forms.TextInput(attrs={"list": "zones"}),
    )


def zones() -> list[str]:
    """What the zone fields offer."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))


class ChannelForm(forms.Form):
    """A new channel."""

    name = ReadField(_name("channel name"), max_length=120)
    address = ReadField(
        address.parse,
        max_length=500,
        example="udp://239.1.2.3:5004",
        help_text="udp, rtp, http, rtsp, srt, rist, pipe:NAME",
    )
    country = forms.CharField(required=False, max_length=2, min_length=2, help_text="two letters, like ES")
    language = forms.CharField(required=False, max_length=3, min_length=2, help_text="like es or spa")
    zone = _zone_field("for schedules that name none")


class RecordForm(forms.Form):
    """Record a channel now."""

    duration = ReadField(fields.read_duration, example="30m")
    starts_at = forms.CharField(required=False, max_length=40, label="From", help_text="20:00 or -30m; empty: now")
    title = ReadField(_name("title"), required=False, max_length=120)


class ScheduleForm(forms.Form):
    """A new rule."""

    name = ReadField(_name("schedule name"), max_length=120, example="Evening news")
    channel = forms.ChoiceField()
    start = ReadField(fields.read_time, example="20:30", help_text="wall-clock time")
    duration = ReadField(fields.read_duration, example="30m", help_text="like 30m or 1h15m")
    weekdays = forms.MultipleChoiceField(
        choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple, help_text="none: once, on the date"
    )
    date = forms.CharField(required=False, label="Date, or first day", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.CharField(required=False, label="Last day", widget=forms.DateInput(attrs={"type": "date"}))
    every = ReadField(
        fields.read_every, required=False, example="2 weeks", label="Every so many", help_text="like 3 days or 2 weeks"
    )
    rule = ReadField(
        recurrence.read,
        required=False,
        max_length=400,
        label="Recurrence rule",
        example="FREQ=MONTHLY;BYDAY=1MO",
        help_text="RFC 5545, instead of days",
    )
    not_on = ReadField(fields.read_days, required=False, label="Not on", example="2026-12-25, 2027-01-01")
    also_on = ReadField(fields.read_days, required=False, label="Also on", example="2026-12-26")
    zone = _zone_field("empty: the channel's")
    padding_before = ReadField(fields.read_padding, required=False, example="0s", label="Begin earlier by")
    padding_after = ReadField(fields.read_padding, required=False, example="0s", label="End later by")
    pipeline = ReadField(fields.read_pipeline, required=False, help_text="empty: the station's")
    priority = forms.IntegerField(required=False, min_value=-100, max_value=100, help_text="more goes first")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ChoiceField)  # noqa: S101 - declared above
        channel.choices = [("", "Choose a channel"), *((str(one.id), one.name) for one in queries.channels())]

    def given(self) -> fields.ScheduleFields:
        """What `recording.services` takes; empty fields are left out."""
        chosen = {key: value for key, value in self.cleaned_data.items() if key not in ("name", "channel") and value}
        return cast("fields.ScheduleFields", chosen)


def refuse(form: forms.Form, error: errors.NephosError) -> None:
    """Show an error of a service above the fields."""
    form.add_error(None, f"{error.message} {error.hint}".strip())
