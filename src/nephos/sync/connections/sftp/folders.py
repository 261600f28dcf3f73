"""Makes the folders that files need, each once."""

from __future__ import annotations

from nephos.sync.connections.sftp import packets
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Reply
from nephos.sync.connections.sftp.place import Place


class Folders:
    """Below one base, which itself is only made by a probe: a disk that is not mounted leaves a gap to be seen."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._made: set[tuple[int, str]] = set()

    def need(self, channel: Channel, path: str) -> None:
        """Ask for the folders above a path; servers work in order, so what follows finds them there."""
        if (id(channel), path.rpartition("/")[0]) in self._made:
            return
        parts = path.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            folder = "/".join(parts[:count])
            if (id(channel), folder) not in self._made:
                self._made.add((id(channel), folder))
                raw = self._place.path(folder)
                channel.ask(Kind.MKDIR, packets.text(raw) + packets.NO_ATTRIBUTES, _whatever)

    def forget(self, path: str) -> None:
        """One of them is gone: ask for them again the next time."""
        parts = path.split("/")[:-1]
        above = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
        self._made = {known for known in self._made if known[1] not in above}


def _whatever(reply: Reply) -> None:
    """That a folder is there already is no error, and a real one shows when the file is opened."""
