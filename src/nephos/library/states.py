"""States of an asset on its journey; pure."""

from enum import StrEnum

from nephos.core.states import Table


class AssetState(StrEnum):
    """Where an asset is between the air and the archive."""

    ARRIVING = "arriving"  # still growing
    EMPTY = "empty"  # it ended and there was nothing
    ARRIVED = "arrived"
    PROCESSING = "processing"
    FAILED = "failed"  # processing gave up; the source is kept and can be tried again
    PROCESSED = "processed"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FREED = "freed"  # retention removed its files here; what was delivered stays where it is


ASSET = Table(
    first=AssetState.ARRIVING,
    moves={
        AssetState.ARRIVING: frozenset({AssetState.ARRIVED, AssetState.EMPTY}),
        AssetState.ARRIVED: frozenset({AssetState.PROCESSING, AssetState.PROCESSED}),
        AssetState.PROCESSING: frozenset({AssetState.PROCESSED, AssetState.FAILED}),
        AssetState.FAILED: frozenset({AssetState.PROCESSING}),
        AssetState.PROCESSED: frozenset({AssetState.PROCESSING, AssetState.DELIVERING}),
        AssetState.DELIVERING: frozenset({AssetState.DELIVERED, AssetState.PROCESSED}),
        AssetState.DELIVERED: frozenset({AssetState.PROCESSING, AssetState.FREED}),
    },
)


class ChannelStatus(StrEnum):
    """What the last check of a channel said."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Verdict(StrEnum):
    """How a recording ended, judged by its content."""

    COMPLETE = "complete"
    COMPLETE_WITH_GAPS = "complete_with_gaps"
    DAMAGED = "damaged"
    EMPTY = "empty"
    MISSED = "missed"
    ABORTED = "aborted"
    NO_SPACE = "no_space"


class Door(StrEnum):
    """Through which door an asset came."""

    RECORDING = "recording"
    FILE_SET = "file_set"
    OUTPUT = "output"


class Place(StrEnum):
    """Below which folder a file's path begins."""

    RECORDINGS = "recordings"
    PROCESSED = "processed"
    ELSEWHERE = "elsewhere"  # an absolute path: a file in a watched folder
