"""Where an S3 server is and how keys become paths in a request."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from nephos.config.errors import ConfigError

_MOST_BUCKET = 63
_UNSAFE = re.compile(r"[^A-Za-z0-9/_.~-]+")  # `quote` looks at every character, and most are safe


@dataclass(frozen=True, slots=True)
class S3Options:
    """The keys are references to secrets (`env:NAME`, `file:/path`), never the secrets themselves."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    path_style: bool = True
    ca_file: str = ""  # a certificate authority of your own


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, a bucket on it and a prefix in the bucket."""

    secure: bool
    host: str
    port: int
    folder: str  # in front of the bucket, if the URL has a path
    bucket: str
    prefix: str
    path_style: bool
    ca_file: str

    @property
    def authority(self) -> str:
        """The Host header: the port only if it is not the usual one."""
        name = self.host if self.path_style else f"{self.bucket}.{self.host}"
        shown = f"[{name}]" if ":" in name else name
        return shown if self.port == (443 if self.secure else 80) else f"{shown}:{self.port}"

    @property
    def server(self) -> str:
        """Name to connect to."""
        return self.host if self.path_style else f"{self.bucket}.{self.host}"

    def key(self, path: str) -> str:
        """The object's key for a path below the base."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def path(self, key: str) -> str:
        """The path of a key below the base."""
        return key.removeprefix(f"{self.prefix}/") if self.prefix else key

    def target(self, key: str) -> str:
        """The encoded path of a request; an empty key means the bucket."""
        parts = [part for part in (self.folder, self.bucket if self.path_style else "") if part]
        plain = "/" + "/".join([*parts, key] if key else parts)
        return _UNSAFE.sub(_quoted, plain)

    def tls(self) -> ssl.SSLContext | None:
        """Certificates are always verified. Raises ConfigError for a certificate file that cannot be used."""
        if not self.secure:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"The certificate file {self.ca_file} cannot be used: {error}.") from error


def _quoted(unsafe: re.Match[str]) -> str:
    return "%20" if unsafe[0] == " " else quote(unsafe[0], safe="")


def parse(options: S3Options, base: str, *, name: str) -> Endpoint:
    """Raises ConfigError that names the connection and what is wrong."""
    try:
        url = urlsplit(options.endpoint)
        port = url.port
    except ValueError as error:
        raise ConfigError(f"Connection {name}: {options.endpoint!r} is no URL: {error}.", hint=_HINT) from error
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
        raise ConfigError(f"Connection {name}: {options.endpoint!r} is no endpoint of an S3 server.", hint=_HINT)
    bucket, _, prefix = base.strip("/").partition("/")
    if not _is_bucket(bucket):
        raise ConfigError(
            f"A destination on connection {name} needs a base that begins with a bucket, not {base!r}.",
            hint='base = "bucket/folder"',
        )
    if options.ca_file and not Path(options.ca_file).is_file():
        raise ConfigError(f"Connection {name}: there is no certificate file {options.ca_file}.")
    return Endpoint(
        secure=url.scheme == "https",
        host=url.hostname,
        port=port or (443 if url.scheme == "https" else 80),
        folder=url.path.strip("/"),
        bucket=bucket,
        prefix=prefix.strip("/"),
        path_style=options.path_style,
        ca_file=options.ca_file,
    )


def _is_bucket(name: str) -> bool:
    allowed = name.replace("-", "").replace(".", "").replace("_", "")
    return 0 < len(name) <= _MOST_BUCKET and allowed.isascii() and allowed.isalnum()


_HINT = 'endpoint = "https://s3.example.org"'
