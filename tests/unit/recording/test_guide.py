"""XMLTV in and iCalendar out, checked by parsers that are not ours; and hostile files."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nephos.recording.guide import ics, matching, xmltv

NOW = datetime(2026, 11, 22, 19, tzinfo=UTC)
GUIDE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tv SYSTEM "xmltv.dtd">
<tv generator-info-name="test">
  <channel id="la1.es"><display-name lang="es">La 1</display-name><display-name>TVE 1</display-name></channel>
  <channel id="other"><display-name>Other &amp; more</display-name></channel>
  <programme start="20261122210000 +0100" stop="20261122213000 +0100" channel="la1.es">
    <title lang="es">Telediario  &amp;
       tiempo</title><title lang="en">News</title><sub-title>Segunda edición</sub-title><desc>No.</desc>
  </programme>
  <programme start="20261122203000" channel="la1.es"><title>Film</title></programme>
  <programme start="202611222200 +0000" channel="la1.es"><title>Late</title></programme>
  <programme start="nonsense" channel="la1.es"><title>Never</title></programme>
  <programme start="20261122100000 +0000" stop="20261122110000 +0000" channel="other"><title>Morning</title></programme>
</tv>
"""
DTD = """
<!ELEMENT tv (channel*, programme*)>
<!ATTLIST tv generator-info-name CDATA #IMPLIED>
<!ELEMENT channel (display-name+)> <!ATTLIST channel id CDATA #REQUIRED>
<!ELEMENT display-name (#PCDATA)> <!ATTLIST display-name lang CDATA #IMPLIED>
<!ELEMENT programme (title+, sub-title*, desc*)>
<!ATTLIST programme start CDATA #REQUIRED stop CDATA #IMPLIED channel CDATA #REQUIRED>
<!ELEMENT title (#PCDATA)> <!ATTLIST title lang CDATA #IMPLIED>
<!ELEMENT sub-title (#PCDATA)> <!ELEMENT desc (#PCDATA)>
"""


def read(text: str) -> xmltv.Guide:
    return xmltv.read(io.BytesIO(text.encode()))


def test_a_guide_of_the_standard_is_read_as_an_independent_parser_reads_it() -> None:
    tree = etree.fromstring(GUIDE.encode(), etree.XMLParser(load_dtd=False, no_network=True))
    assert etree.DTD(io.StringIO(DTD)).validate(tree)

    found = read(GUIDE)

    assert found.names == {"la1.es": ["La 1", "TVE 1"], "other": ["Other & more"]}
    theirs = {(one.get("channel"), " ".join((one.findtext("title") or "").split())) for one in tree.iter("programme")}
    assert {(one.channel, one.title) for one in found.programmes} == theirs - {("la1.es", "Never"), ("la1.es", "Late")}
    news = next(one for one in found.programmes if one.subtitle)
    assert (news.start, news.end) == (
        datetime(2026, 11, 22, 20, tzinfo=UTC),
        datetime(2026, 11, 22, 20, 30, tzinfo=UTC),
    )
    assert (news.title, news.subtitle) == ("Telediario & tiempo", "Segunda edición")
    film = next(one for one in found.programmes if one.title == "Film")
    assert film.end == datetime(2026, 11, 22, 22, tzinfo=UTC)  # where the next one starts
    assert found.skipped == 2  # the nonsense, and the last one, whose end nobody knows


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><!DOCTYPE tv [<!ENTITY a "b">]><tv>&a;</tv>',
        '<!DOCTYPE tv [<!ENTITY x SYSTEM "file:///etc/passwd">]><tv><channel id="&x;"/></tv>',
        '<!DOCTYPE tv [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><tv>&b;</tv>',
        "<tv>&undefined;</tv>",
        "<tv><programme></tv>",
        '<?xml version="1.0" encoding="nonsense"?><tv></tv>',
        '<?xml version="1.0" encoding="big5"?><tv></tv>',
        "<html></html>",
        "not xml",
        "",
        "<tv>" + "<x>" * 40 + "</x>" * 40 + "</tv>",
    ],
)
def test_bombs_and_what_is_no_guide_are_refused(text: str) -> None:
    with pytest.raises(xmltv.BadGuide):
        read(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(GUIDE)), st.booleans())
def test_a_mangled_guide_is_read_or_refused(noise: bytes, place: int, replaces: bool) -> None:
    raw = GUIDE.encode()
    mangled = raw[:place] + noise + raw[place + len(noise) * replaces :]

    try:
        found = xmltv.read(io.BytesIO(mangled))
    except xmltv.BadGuide:
        return

    assert all(one.start < one.end and one.title for one in found.programmes)


def test_long_texts_are_cut() -> None:
    found = read(
        f'<tv><programme start="20261122210000" stop="20261122220000" channel="x"><title>{"a" * 99999}</title>'
        "</programme></tv>"
    )

    assert len(found.programmes[0].title) == 500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261122210000 +0100", datetime(2026, 11, 22, 20, tzinfo=UTC)),
        ("20261122210000 -0330", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)),
        ("202611222100", datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ("20261122", datetime(2026, 11, 22, tzinfo=UTC)),
        ("20261122210000 UTC", datetime(2026, 11, 22, 21, tzinfo=UTC)),
    ],
)
def test_times_of_the_standard_are_read(text: str, expected: datetime) -> None:
    assert xmltv.moment(text) == expected


def test_channels_are_known_by_id_or_name_and_a_choice_wins() -> None:
    names = {"la1.es": ["Uno"], "x": ["La-Dos!"], "y": ["Nobody"]}

    assert matching.channels(names, ["La1", "La Dos", "Tres"]) == {"la1.es": "La1", "x": "La Dos"}
    assert matching.channels(names, ["La1"], {"y": "Tres"}) == {"la1.es": "La1", "y": "Tres"}


def test_a_programme_names_an_airing_that_it_fills_by_half() -> None:
    def slot(start: int, end: int, title: str) -> matching.Slot:
        return matching.Slot(NOW + timedelta(minutes=start), NOW + timedelta(minutes=end), title)

    slots = [slot(-30, 2, "Before"), slot(2, 33, "News"), slot(33, 120, "Film")]

    assert matching.title(slots, NOW, NOW + timedelta(minutes=30)) == "News"
    assert matching.title(slots, NOW - timedelta(minutes=30), NOW + timedelta(minutes=120)) == "Film"
    assert matching.title(slots, NOW, NOW + timedelta(hours=8)) is None
    assert matching.title([], NOW, NOW + timedelta(hours=1)) is None


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@settings(max_examples=150, deadline=None)
@given(summary=text, location=text, description=text)
def test_an_independent_parser_reads_the_calendar_back(summary: str, location: str, description: str) -> None:
    event = ics.Event(
        uid="7-20261122T190000Z@station",
        start=NOW,
        end=NOW + timedelta(minutes=30),
        summary=summary,
        location=location,
        description=description,
    )

    written = ics.calendar([event, event], name="Nephos home", now=NOW)

    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))
    assert "\n" not in written.replace("\r\n", "")
    calendar = icalendar.Calendar.from_ical(written)
    [first, _] = calendar.walk("VEVENT")
    clean = "".join(char for char in summary.replace("\r\n", "\n") if char == "\n" or char.isprintable())
    assert str(first["SUMMARY"]) == clean
    assert (first.decoded("DTSTART"), first.decoded("DTEND")) == (NOW, NOW + timedelta(minutes=30))
    assert str(calendar["NAME"]) == "Nephos home"
    assert first.errors == []
