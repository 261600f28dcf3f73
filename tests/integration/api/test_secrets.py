"""No answer of the API tells a key: it tells where the key is."""

from __future__ import annotations

import json

import pytest

from tests.support.callers import Caller

SECRET = "the-key-that-no-answer-tells"


def test_no_answer_tells_a_key(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEPHOS_TEST_SECRET", SECRET)
    options = {
        "endpoint": "http://127.0.0.1:9",
        "access_key": "env:NEPHOS_TEST_SECRET",
        "secret_key": "env:NEPHOS_TEST_SECRET",
    }
    assert owner("POST", "/connections", {"name": "cloud", "kind": "s3", "options": options}).status == 201
    assert owner("POST", "/destinations", {"name": "there", "connection": "cloud", "base": "bench"}).status == 201
    tried = owner("POST", "/connections/cloud/test")
    plain = [path for path, verbs in owner("GET", "/openapi.json").document["paths"].items() if "get" in verbs]

    answers = [tried.document]
    for path in plain:
        if "{" not in path and "stream" not in path and "follow" not in path:
            answers.append(owner("GET", path.removeprefix("/api/v1")).document)

    told = json.dumps(answers, default=str)
    assert len(answers) > 15
    assert "env:NEPHOS_TEST_SECRET" in told
    assert SECRET not in told
