"""`nephos init`: a home folder with commented settings."""

from __future__ import annotations

import dataclasses

from nephos.cli import lazy, options, output
from nephos.config import load, sample

app = lazy.single()


@app.command()
def init() -> None:
    """Make the home folder and commented settings; what is there already stays as it is."""
    loaded = load.load(options.here())
    loaded.home.create()
    fresh = sample.write_if_none(loaded.home)
    places = {field.name: str(getattr(loaded.home, field.name)) for field in dataclasses.fields(loaded.home)}
    what = "is ready" if fresh else "was ready"
    output.done(
        {**places, "config": str(loaded.home.config_file), "fresh": fresh},
        f"{loaded.home.root} {what}; its settings are in {loaded.home.config_file}. `nephos start` starts the station.",
    )
