"""Bad settings of connections, destinations and watches."""

from __future__ import annotations

from typing import Any

import pytest

from nephos.config import load
from nephos.config.errors import ConfigError
from nephos.sync import mappings

KEYS = {"access_key": "env:A", "secret_key": "env:B"}
GOOD = {"endpoint": "http://127.0.0.1:9000", **KEYS}


def settings(kind: str = "s3", options: Any = None, base: str = "bucket/x", **watch: Any) -> Any:
    return load.convert(
        {
            "connection": {"there": {"kind": kind, "options": GOOD if options is None else options}},
            "destination": {"there": {"connection": "there", "base": base}},
            "watch": {"inbox": {"destinations": ["there"], **(watch or {"folder": "/inbox"})}},
        },
        source="nephos.toml",
    )


def test_good_settings_pass() -> None:
    mappings.check(settings())
    mappings.check(settings(kind="file", options={}, base="/archive"))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"kind": "ftp", "options": {}}, ["there", "ftp", "file, s3"]),
        ({"options": KEYS}, ["there", "endpoint"]),
        ({"options": {**GOOD, "endpoint": 5}}, ["there", "endpoint"]),
        ({"options": {**GOOD, "endpoint": "127.0.0.1:9000"}}, ["there", "127.0.0.1:9000", "https://"]),
        ({"options": {**GOOD, "endpoint": "http://h:99999999"}}, ["there", "99999999"]),
        ({"options": {**GOOD, "endpoint": "ftp://h"}}, ["there", "ftp://h"]),
        ({"options": {**GOOD, "endpoint": "http://user:pw@h"}}, ["there", "endpoint"]),
        ({"options": {**GOOD, "colour": "red"}}, ["there", "colour", "endpoint"]),
        ({"options": {**GOOD, "path_style": "yes"}}, ["there", "path_style"]),
        ({"base": ""}, ["there", "bucket"]),
        ({"base": "no bucket!/x"}, ["there", "no bucket!"]),
        ({"kind": "file", "options": {}, "base": "relative"}, ["there", "relative"]),
        ({"kind": "file", "options": {"mode": 7}, "base": "/x"}, ["there", "mode"]),
        ({"kind": "file", "options": {}, "base": "/inbox/out"}, ["inbox", "/inbox/out"]),
        ({"folder": "relative/folder"}, ["inbox", "relative/folder"]),
    ],
)
def test_bad_settings_are_told_in_a_sentence_that_names_them(bad: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        mappings.check(settings(**bad))

    told = f"{caught.value.message} {caught.value.hint}"
    assert all(word in told for word in words), told


def test_the_identity_of_a_mapping_is_where_it_goes_not_how() -> None:
    def identity(found: Any) -> str:
        rules = mappings.watches(found)
        return mappings.identity(rules["inbox"], mappings.targets(found, rules)["there"])

    first = identity(settings())

    assert identity(settings(options={**GOOD, "region": "eu-west-1", "secret_key": "env:C"})) == first
    assert identity(settings(options={**GOOD, "endpoint": "http://127.0.0.1:9001"})) != first
    assert identity(settings(base="bucket/y")) != first
    assert identity(settings(folder="/other")) != first
