"""What vouches for a body, by what its server was seen to check."""

from __future__ import annotations

import pytest

from nephos.sync.connections import base
from nephos.sync.connections.s3 import exchange, probe, sums, vouching
from nephos.sync.connections.s3.signer import UNSIGNED

BODY = b"nephos probe"


class Server:
    """Takes or refuses as it was told to check; all that a probe needs of an endpoint."""

    def __init__(self, *checked: str, refuses_unsigned: bool = False) -> None:
        self.checked = checked
        self.refuses_unsigned = refuses_unsigned
        self.secure = False

    @property
    def endpoint(self) -> Server:
        return self

    def key(self, path: str) -> str:
        return path

    def put(self, key: str, body: bytes, **_: object) -> None:
        """A right one is always taken."""

    def delete(self, key: str, **_: object) -> None:
        """And removed."""

    def ask_raw(self, _method: str, _key: str, headers: dict[str, str], body: bytes, signed: str) -> exchange.Answer:
        _, right = vouching.Vouching(secure=False, crc=True).small(body)
        wrong = {
            "crc64nvme": headers.get(vouching.CRC, right[1][vouching.CRC]) != right[1][vouching.CRC],
            "sha256": signed not in {UNSIGNED, right[0]},
            "md5": headers.get(vouching.MD5, MD5) != MD5,
        }
        refused = (signed == UNSIGNED and self.refuses_unsigned) or any(wrong[name] for name in self.checked)
        return exchange.Answer(400 if refused else 200, {}, b"")


MD5 = vouching.Vouching(secure=False, md5=True).small(BODY)[1][1][vouching.MD5]


@pytest.mark.parametrize("checked", [(), ("md5",), ("sha256",), ("crc64nvme", "sha256", "md5")])
def test_a_probe_finds_what_a_server_checks(checked: tuple[str, ...]) -> None:
    profile = probe.probe(Server(*checked))  # type: ignore[arg-type] # it is all that a probe uses

    assert profile.sums.split() == list(checked)
    assert profile.checks_content == bool({"crc64nvme", "sha256"} & {*checked})


def test_a_server_that_wants_signed_bodies_is_not_taken_for_one_that_checks_a_crc() -> None:
    profile = probe.probe(Server("sha256", refuses_unsigned=True))  # type: ignore[arg-type]

    assert profile.sums == "sha256"


def test_the_cheapest_sum_that_is_checked_vouches() -> None:
    known, (signed, headers) = vouching.Vouching(secure=False, sha=True, crc=True, md5=True).small(b"body")
    assert (signed, headers) == (known.sha256, {})

    known, (signed, headers) = vouching.Vouching(secure=True, crc=True, md5=True).small(b"body")
    assert (signed, headers) == (UNSIGNED, {vouching.CRC: sums.shown(known.crc or 0)})

    known, (signed, headers) = vouching.Vouching(secure=False, md5=True).small(b"body")
    assert (signed, list(headers)) == (known.sha256, [vouching.MD5])


def test_md5_is_no_proof_for_what_is_cheaper_to_read_back() -> None:
    only_md5 = vouching.Vouching(secure=False, md5=True)

    assert only_md5.checks(100_000)
    assert not only_md5.checks(10 << 20)
    assert not only_md5.checks_parts


def test_a_profile_of_before_names_the_usual_sum() -> None:
    older = base.Profile(checks_content=True)

    assert vouching.of(older, secure=False) == vouching.Vouching(secure=False, sha=True)
    assert vouching.of(older, secure=True) == vouching.Vouching(secure=True, crc=True)
