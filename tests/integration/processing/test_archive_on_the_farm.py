"""The archive pipeline as a job of an asset: submitted, run by the farm's own workers, registered."""

from __future__ import annotations

from pathlib import Path

import pytest

from nephos.core import bootstrap
from nephos.farm import queries as farm_queries
from nephos.farm import states
from nephos.farm.models import Job
from nephos.lib import clock, files
from nephos.library import queries as library_queries
from nephos.library import services as library
from nephos.library.models import Asset
from nephos.library.states import Place
from nephos.processing import errors, queries, services
from tests.fakes import broadcast
from tests.support import farm, waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recording(request: pytest.FixtureRequest) -> Asset:
    """An asset that has just come off the air, with its manifest."""
    home = bootstrap.loaded().home
    mark = request.node.name.partition("[")[0]
    channel = library.add_channel(
        name=f"One {mark}"[:60], address=f"udp://239.1.1.1:5004?{mark}", country="es", language="spa"
    )
    starts_at = clock.parse("2026-11-22T19:16:20Z")
    asset = library.begin_recording(
        key=f"booking:{mark}",
        title="Evening; 'news'",
        channel=channel,
        stem="news_2026-11-22_191620Z",
        starts_at=starts_at,
        ends_at=starts_at,
    )
    folder = home.recordings / channel.slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{asset.stem}.ts").write_bytes(broadcast.part(0, 12))
    manifest = '{"recorded_from": "2026-11-22T19:16:20Z", "recorded_to": "2026-11-22T19:16:32Z", "gaps": []}'
    (folder / f"{asset.stem}.manifest.json").write_text(manifest)
    for kind, suffix in (("recording-manifest", "manifest.json"), ("recording", "ts")):
        add(asset, kind, folder / f"{asset.stem}.{suffix}")
    return asset


def add(asset: Asset, kind: str, path: Path) -> None:
    library.add_file(
        asset=asset,
        kind=kind,
        place=Place.RECORDINGS,
        path=str(path.relative_to(bootstrap.loaded().home.recordings)),
        size_bytes=path.stat().st_size,
        sha256=files.sha256(path),
    )


def over(job: Job) -> Job:
    def look() -> Job | None:
        job.refresh_from_db()
        return job if job.state in states.JOB_OVER else None

    return waiting.until(look, seconds=60, what="the end of the job")


def run(asset: Asset) -> Job:
    loaded = bootstrap.loaded()
    job = services.start(asset=asset, pipeline="archive", loaded=loaded)
    over(job)
    assert (job.state, job.reason) == ("done", ""), farm_queries.job_log(job.pk)
    services.register(job=job.pk, loaded=loaded)
    return job


def test_a_recording_gets_its_mp4_captions_and_pictures_as_files(recording: Asset) -> None:
    loaded = bootstrap.loaded()

    with farm.running():
        job = run(recording)
        services.register(job=job.pk, loaded=loaded)  # flow may come twice

    made = [file for file in library_queries.asset(recording.pk).files if file.place == Place.PROCESSED]
    assert sorted(file.kind for file in made) == [
        *["captions-redhen", "captions-redhen", "captions-srt", "captions-srt", "captions-vtt", "captions-vtt"],
        *["contact-sheet", "manifest", "probe", "thumbnail", "video"],
    ]
    for file in made:
        path = library_queries.locate(file, loaded.home)
        assert path.parent == loaded.home.processed / recording.folder
        assert (path.stat().st_size, files.sha256(path)) == (file.size_bytes, file.sha256)
    tracks = {(file.label, file.language) for file in made if file.kind == "captions-vtt"}
    assert tracks == {("CC1", "spa"), ("Teletext 888", "eng")}
    text = (loaded.home.processed / recording.folder / f"{recording.stem}.txt").read_text()
    assert "|CC1|GOOD EVENING FROM NEPHOS" in text
    assert "TTL|Evening; 'news'" in text


def test_the_same_run_is_one_job_and_the_next_run_another(recording: Asset) -> None:
    loaded = bootstrap.loaded()

    first = services.start(asset=recording, pipeline="archive", loaded=loaded)
    again = services.start(asset=recording, pipeline="archive", loaded=loaded)
    recording.runs = 1
    second = services.start(asset=recording, pipeline="archive", loaded=loaded)

    assert first.pk == again.pk != second.pk
    assert first.key == f"asset:{recording.pk}:archive:1"
    assert second.publish_to == f"{first.publish_to}/run-2"
    assert first.parameters["Source"].endswith(".ts")
    assert first.parameters["StartsAt"] == "2026-11-22T19:16:20.000Z"


def test_a_later_run_replaces_the_files_of_the_same_name(recording: Asset) -> None:
    with farm.running():
        run(recording)
        Asset.objects.filter(pk=recording.pk).update(runs=1)
        recording.refresh_from_db()
        run(recording)

    names = [file.name for file in library_queries.asset(recording.pk).files]
    assert len(names) == len(set(names)) == 13
    video = next(file for file in library_queries.asset(recording.pk).files if file.kind == "video")
    assert "/run-2/" in video.path


def test_an_asset_without_files_cannot_be_processed(recording: Asset) -> None:
    recording.files.all().delete()

    with pytest.raises(errors.NoSource):
        services.start(asset=recording, pipeline="archive", loaded=bootstrap.loaded())


def test_a_source_that_is_no_video_fails_with_one_sentence(recording: Asset) -> None:
    source = next(file for file in library_queries.asset(recording.pk).files if file.kind == "recording")
    path = library_queries.locate(source, bootstrap.loaded().home)
    path.write_text("this is no video\n" * 1000)

    job = services.start(asset=recording, pipeline="archive", loaded=bootstrap.loaded())
    with farm.running():
        over(job)

    assert job.state == "failed"
    assert "ffprobe cannot read this file" in job.reason


def test_pipelines_are_described() -> None:
    (archive,) = queries.pipelines(bootstrap.loaded())

    assert (archive.name, archive.origin, archive.problem) == ("archive", "built in", "")
    assert archive.steps == ("Probe", "Video", "Captions", "Thumbnails", "Manifest")
