"""How a body is vouched for at one destination: by the cheapest sum that its server was seen to check."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from nephos.sync.connections import base
from nephos.sync.connections.s3 import sums
from nephos.sync.connections.s3.signer import UNSIGNED

CRC = "x-amz-checksum-crc64nvme"
MD5 = "content-md5"
Vouched = tuple[str, dict[str, str]]  # what is signed as the body's sum, and headers

# MD5 costs more than reading back, but not more than a second request.
_MOST_MD5_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class Vouching:
    """Which sums the server checks. SHA-256 is in the signature, so it costs nothing where it is known anyway."""

    secure: bool
    crc: bool = False
    sha: bool = False
    md5: bool = False

    def checks(self, length: int) -> bool:
        """Whether the server's word is a proof for one body of a length."""
        return self.sha or self.crc or self.wants_md5(length)

    @property
    def checks_parts(self) -> bool:
        """And for the parts of a big file."""
        return self.sha or self.crc

    def wants_md5(self, length: int) -> bool:
        """Whether there is nothing better than MD5, and it is worth it."""
        return self.md5 and not self.sha and not self.crc and length <= _MOST_MD5_BYTES

    def body(self, known: sums.Sums) -> Vouched:
        """For one body whose sums are known, as far as this wants them."""
        if self.sha:
            return known.sha256, {}
        signed = UNSIGNED if self.secure else known.sha256 or UNSIGNED
        if self.crc and known.crc is not None:
            return signed, {CRC: sums.shown(known.crc)}
        if known.md5:
            return signed, {MD5: base64.b64encode(known.md5).decode()}
        return signed, {}

    def part(self, known: sums.Sums) -> Vouched:
        """For a part: by its CRC where that is checked, as its SHA-256 is mostly not known."""
        if self.sha and known.sha256:
            return known.sha256, {}
        if self.crc and known.crc is not None:
            return UNSIGNED, {CRC: sums.shown(known.crc)}
        return UNSIGNED, {}

    def small(self, body: bytes) -> tuple[sums.Sums, Vouched]:
        """For a body in memory: its sums, and how it goes."""
        sha256 = hashlib.sha256(body).hexdigest()
        if self.sha:
            return sums.Sums(sha256), (sha256, {})
        crc = sums.crc64nvme_of(body) if self.crc else None
        md5 = hashlib.md5(body, usedforsecurity=False).digest() if self.wants_md5(len(body)) else b""
        known = sums.Sums(sha256, crc, md5)
        return known, self.body(known)


def of(profile: base.Profile, *, secure: bool) -> Vouching:
    """What a probe found; one of before sums were named asked only for the usual one."""
    found = profile.sums.split()
    if not found and profile.checks_content:
        found = ["crc64nvme" if secure else "sha256"]
    return Vouching(secure, crc="crc64nvme" in found, sha="sha256" in found, md5="md5" in found)
