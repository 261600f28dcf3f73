"""Where people and programs find the page."""

from __future__ import annotations

import pytest

from nephos.config import addresses
from nephos.config.schema import Web


@pytest.mark.parametrize(
    ("web", "local", "people"),
    [
        (Web(), "http://127.0.0.1:8600", "http://127.0.0.1:8600"),
        (Web(host="::1"), "http://[::1]:8600", "http://[::1]:8600"),
        (Web(host="0.0.0.0"), "http://127.0.0.1:8600", "http://127.0.0.1:8600"),
        (Web(host="::"), "http://[::1]:8600", "http://[::1]:8600"),
        (Web(host="10.0.0.5", port=80), "http://10.0.0.5:80", "http://10.0.0.5:80"),
        (
            Web(host="0.0.0.0", allowed_hosts=["*", "hill.example.org"]),
            "http://127.0.0.1:8600",
            "http://hill.example.org:8600",
        ),
        (
            Web(allowed_hosts=["hill.example.org"], behind_tls=True),
            "http://127.0.0.1:8600",
            "https://hill.example.org",
        ),
        (Web(allowed_hosts=["hill.example.org"]), "http://127.0.0.1:8600", "http://127.0.0.1:8600"),
    ],
)
def test_the_page_has_an_address_for_programs_and_one_for_people(web: Web, local: str, people: str) -> None:
    assert (addresses.local(web), addresses.for_people(web)) == (local, people)
