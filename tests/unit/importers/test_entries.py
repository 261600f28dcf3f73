"""Entries of the old files are read, mended or refused, each with its line."""

from __future__ import annotations

import pytest

from nephos.importers import entries, outline, settings
from nephos.importers.entries import Channel, Job, Refused, Share


def read(text: str) -> list[entries.Entry]:
    """Entries of a file."""
    return list(entries.read(outline.read(text)))


def job(**changes: str) -> entries.Entry:
    """A job's entry with some fields changed."""
    fields = {
        "name": "News",
        "channel_name": "tve1",
        "start_time": "20:30",
        "duration": "30",
        "repetition": "1111100",
        **changes,
    }
    (entry,) = read("0:\n" + "".join(f"  {key}: {value}\n" for key, value in fields.items()))
    return entry


def test_a_channel_whose_zone_is_a_language_is_taken_without_it() -> None:
    (entry,) = read(
        'channels:\n  0:\n    name: "tve1"\n    ip: "239.255.20.1:1234"\n    country_code: ES\n'
        '    lang: "spa eng"\n    timezone: "spa"\n'
    )

    assert isinstance(entry, Channel)
    assert (entry.line, entry.address, entry.country, entry.language, entry.zone) == (
        3,
        "udp://239.255.20.1:1234",
        "ES",
        "spa",
        "",
    )
    assert [line for line, _ in entry.notes] == [6, 7]
    assert "no time zone" in entry.notes[1][1]


def test_a_real_zone_is_kept() -> None:
    (entry,) = read("channels:\n- {name: a, ip: '239.1.1.1:1', timezone: Europe/Madrid}\n")

    assert isinstance(entry, Channel)
    assert entry.zone == "Europe/Madrid"
    assert entry.notes == []


def test_several_addresses_are_several_shares() -> None:
    found = read('sharing_entity:\n  0:\n    email: "a@x.org b@x.org"\n    tags: "tve1 spa"\n')

    assert found == [Share(3, "a@x.org", ["tve1", "spa"]), Share(3, "b@x.org", ["tve1", "spa"])]


def test_a_job_is_read_whether_its_values_are_quoted_or_not() -> None:
    plain, quoted = job(), job(start_time='"20:30"', repetition="'1111100'")

    assert plain == quoted == Job(2, "News", "tve1", "20:30", 30, "1111100")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_time", "99:99"),
        ("start_time", "20:30:00"),
        ("duration", "a"),
        ("duration", "0"),
        ("duration", "-5"),
        ("duration", "9" * 5000),
        ("duration", "\u0663\u0660"),
        ("repetition", "111110"),
        ("repetition", "0000000"),
        ("name", "''"),
        ("name", "{a: b}"),
        ("channel_name", "~"),
        ("volume", "11"),
    ],
)
def test_a_bad_field_refuses_its_job_alone(field: str, value: str) -> None:
    assert isinstance(job(**{field: value}), Refused)


def test_the_template_that_was_never_filled_in_is_refused_not_crashed_on() -> None:
    (entry,) = read(
        "0:\n  name: [NAME OF THE PROGRAMM]\n  channel_name: [NAME OF THE CHANNEL TO RECORD]\n"
        "  start_time: [TIME TO BEGIN RECORDING]\n  duration: [DURATION OF THE RECORDING]\n  repetition: [0000000]\n"
    )

    assert isinstance(entry, Refused)
    assert entry.name == "0"


@pytest.mark.parametrize("head", ["", "jobs:\n"])
def test_maintenance_settings_become_ours(head: str) -> None:
    text = (
        "disk_space_check:\n  enabled: True\n  type: disk_space_check\n  min_space: 20\n  interval: x\n"
        "update_data:\n  add_data: http://example.org/x\ndaily_report:\n  time: 23:59\n"
        "file_upload_check: {enabled: True}\n"
    )
    indented = "".join(f"  {line}\n" for line in text.splitlines()) if head else text
    top = outline.read(head + indented)

    found = settings.read(top)

    assert settings.looks_like(top)
    assert not entries.looks_like(top)
    values = {one.key: one.value for one in found if isinstance(one, settings.Setting)}
    assert values == {
        "maintenance.disk.enabled": True,
        "maintenance.disk.min_bytes": 20 * 1024**3,
        "maintenance.digest.time": "23:59",
    }
    assert [one.name for one in found if isinstance(one, Refused)] == ["disk_space_check.interval"]
    assert len([one for one in found if isinstance(one, settings.Dropped)]) == 3
