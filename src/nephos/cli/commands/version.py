"""`nephos version`: what this program is, from its package's metadata."""

from __future__ import annotations

from importlib import metadata

from nephos.cli import lazy, output

DISTRIBUTION = "nephos-station"

app = lazy.single()


@app.command()
def version() -> None:
    """Title, description, author, licence, version."""
    output.one(
        about(),
        [(key, key) for key in ("title", "description", "author", "author_mail", "licence", "version", "release")],
    )


def about() -> dict[str, str]:
    """The facts; `version` is the first two numbers of `release`."""
    found = metadata.metadata(DISTRIBUTION).json
    contact, release = str(found.get("author_email", "")), metadata.version(DISTRIBUTION)
    author, _, rest = contact.partition(" <")
    return {
        "title": "Nephos",
        "description": str(found.get("summary", "")),
        "author": author.strip('"'),
        "author_mail": rest.rstrip(">"),
        "licence": str(found.get("license_expression") or found.get("license") or ""),
        "version": ".".join(release.split(".")[:2]),
        "release": release,
    }
