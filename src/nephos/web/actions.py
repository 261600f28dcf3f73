"""What pages and API do in more than one step."""

from __future__ import annotations

from nephos.core import errors as core_errors
from nephos.lib import errors
from nephos.library import services, states
from nephos.library.models import Asset
from nephos.processing import services as processing
from nephos.web import current


def process_again(*, asset: Asset, pipeline: str = "", actor: str = "") -> None:
    """Start a pipeline on an asset that has arrived. Raises ForbiddenMove, or Invalid where there is no pipeline."""
    loaded = current.loaded()
    name = pipeline or asset.pipeline or loaded.settings.recording.pipeline
    if not name:
        raise errors.Invalid("No pipeline is named.", hint="`nephos pipeline list` shows them.")
    if not states.ASSET.allows(asset.state, states.AssetState.PROCESSING):
        raise core_errors.ForbiddenMove(f"{asset.title} is {asset.state} and cannot be processed now.")
    processing.start(asset=asset, pipeline=name, loaded=loaded)
    services.start_processing(asset=asset, pipeline=name, actor=actor)
