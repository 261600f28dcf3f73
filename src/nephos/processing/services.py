"""Verbs that write: give an asset to a pipeline, take over what the farm made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction

from nephos.config.load import Loaded
from nephos.farm import queries as farm_queries
from nephos.farm import services as farm
from nephos.farm import templates
from nephos.farm.models import Job
from nephos.lib import clock, files
from nephos.library import queries as library_queries
from nephos.library import services as library
from nephos.library.models import Asset, MediaFile
from nephos.library.states import Place
from nephos.processing import errors, pipelines


def start(*, asset: Asset, pipeline: str, loaded: Loaded, actor: str = "") -> Job:
    """Submit the job of an asset's next run; asked again for the same run, it returns the same job.

    Raises UnknownPipeline, BadTemplate or BadParameters (all Invalid), or NoSource.
    """
    found = pipelines.find(pipeline, settings=loaded.settings, home=loaded.home)
    run = asset.runs + 1
    folder = _folder(asset, run)
    values = {**_facts(asset, loaded), "Folder": str(loaded.home.processed / folder), **found.parameters}
    return farm.submit(
        name=f"{asset.title} ({pipeline})",
        template=found.template,
        parameters=_known_to(found.template, values),
        key=f"{library.subject(asset)}:{pipeline}:{run}",
        subject=library.subject(asset),
        publish_to=folder,
        actor=actor,
    )


def register(*, job: str, loaded: Loaded) -> list[MediaFile]:
    """Make what a job published files of its asset; an earlier run's file of the same name no longer counts."""
    row = farm_queries.get_job(job)
    asset = library_queries.get_asset(row.subject.partition(":")[2])
    registered = []
    with transaction.atomic():
        for made in farm_queries.made(job):
            path = Path(made.path)
            registered.append(
                library.add_file(
                    asset=asset,
                    kind=made.kind[:32],
                    place=Place.PROCESSED,
                    path=str(path.relative_to(loaded.home.processed)),
                    size_bytes=made.bytes,
                    sha256=made.sha256 or files.sha256(path),
                    label=str(made.more.get("label", ""))[:64],
                    language=str(made.more.get("language", ""))[:8],
                )
            )
        _forget_older(asset, registered)
    return registered


def _forget_older(asset: Asset, registered: list[MediaFile]) -> None:
    names = {Path(file.path).name for file in registered}
    for file in asset.files.filter(place=Place.PROCESSED).exclude(pk__in=[file.pk for file in registered]):
        if Path(file.path).name in names:
            file.delete()


def _folder(asset: Asset, run: int) -> str:
    """Where a run is published: no two share a folder, so no step can mistake another's files for its own."""
    taken = Asset.objects.filter(folder=asset.folder, pk__lt=asset.pk).exists()
    folder = f"{asset.folder}-{asset.pk}" if taken else asset.folder
    return folder if run == 1 else f"{folder}/run-{run}"


def _facts(asset: Asset, loaded: Loaded) -> dict[str, str]:
    """Values for the parameters that our templates know."""
    source, manifest = _source(asset)
    channel, recording = asset.channel, getattr(asset, "recording", None)
    starts_at = (recording.recorded_from or recording.starts_at) if recording else None
    return {
        "Source": str(library_queries.locate(source, loaded.home)),
        "Manifest": str(library_queries.locate(manifest, loaded.home)) if manifest else "",
        "Stem": asset.stem,
        "Title": asset.title,
        "Channel": channel.name if channel else "",
        "Country": channel.country if channel else "",
        "Language": channel.language if channel else "",
        "Zone": (channel.zone if channel else "") or loaded.settings.station.zone,
        "StartsAt": clock.stamp(starts_at) if starts_at else "",
    }


def _source(asset: Asset) -> tuple[MediaFile, MediaFile | None]:
    """The file to process, which is the largest that came in, and the recording's manifest if there is one."""
    arrived = list(asset.files.exclude(place=Place.PROCESSED))
    manifest = next((file for file in arrived if file.path.endswith(".manifest.json")), None)
    others = [file for file in arrived if file is not manifest]
    if not others:
        raise errors.NoSource(f"{asset.title} has no file that could be processed.")
    return max(others, key=lambda file: file.size_bytes), manifest


def _known_to(template: str, values: dict[str, Any]) -> dict[str, Any]:
    """A template of somebody else need not ask for all that we could tell it."""
    definitions = templates.decode(template).parameterDefinitions or ()
    wanted = {str(definition.name) for definition in definitions}
    return {name: value for name, value in values.items() if name in wanted}
