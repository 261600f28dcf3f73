"""Far sides that tell their content and can be made to fail: a folder, S3 behind a proxy, OpenSSH behind a wire."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes import proxy as proxy_fake
from tests.fakes import s3, sftp, sync
from tests.fakes.proxy import Harm
from tests.fuzz import hooks, wire

_HARMS = (Harm.CUT, Harm.REFUSE, Harm.FAIL, Harm.LOSE_ANSWER, Harm.ERROR_IN_200, Harm.STALL, Harm.TRUNCATE)
KINDS = ("file", "s3", "sftp")

Connect = Callable[[sync.Station, str], None]


@dataclass
class Far:
    """One destination: `connect` names it in the settings, `hurt` makes it fail by chance, `tree` is what is there."""

    kind: str
    connect: Connect
    hurt: Callable[[float, str], None]  # how often, and with which error if its disk is full or broken
    place: Path

    def tree(self) -> dict[str, str]:
        return tree(self.place)


@dataclass
class Servers:
    """What the far sides of one round share."""

    root: Path
    cloud: s3.S3Server
    proxy: proxy_fake.Proxy
    host: sftp.SftpServer
    harms: dict[str, tuple[float, str]] = field(default_factory=dict)  # of S3, by the first folder of the key
    wires: list[wire.Wire] = field(default_factory=list)

    def far(self, kind: str, name: str, stack: contextlib.ExitStack) -> Far:
        """A new, empty one."""
        making = {"file": self._folder, "s3": self._bucket, "sftp": self._login}
        return making[kind](name, stack)

    def judge(self, method: str, target: str) -> Harm:
        """What the proxy does to a request."""
        often, trouble = self.harms.get(
            target.split("?")[0].split("/")[2:3].pop() if "/" in target[1:] else "", (0, "")
        )
        if trouble and method in {"PUT", "POST"}:
            return Harm.FULL
        return random.choice(_HARMS) if random.random() < often else Harm.NONE

    def repeated(self) -> list[str]:
        """Parts whose acknowledgement was passed on and which came again all the same."""
        heard = Counter(
            seen.target for seen in self.proxy.seen if seen.part and seen.status == 200 and seen.harm is Harm.NONE
        )
        return [target for target, times in heard.items() if times > 1]

    def parts(self) -> int:
        """How many parts were acknowledged."""
        return len(self.proxy.acknowledged())

    def _folder(self, name: str, stack: contextlib.ExitStack) -> Far:
        place = self.root / f"{hooks.FAR}{name}"
        note = place.with_name(place.name + ".trouble")

        def hurt(often: float, trouble: str) -> None:
            if often or trouble:
                note.write_text(trouble or "EIO")
            else:
                note.unlink(missing_ok=True)

        return Far("file", lambda station, to: station.connect(to, "file", str(place)), hurt, place)

    def _bucket(self, name: str, stack: contextlib.ExitStack) -> Far:
        options = self.cloud.options(endpoint=self.proxy.endpoint)

        def hurt(often: float, trouble: str) -> None:
            self.harms[name] = (often, trouble)

        return Far(
            "s3",
            lambda station, to: station.connect(to, "s3", f"{s3.BUCKET}/{name}", options),
            hurt,
            self.cloud.bucket / name,
        )

    def _login(self, name: str, stack: contextlib.ExitStack) -> Far:
        line = stack.enter_context(wire.through(self.host.port))
        self.wires.append(line)
        place = self.host.root / name

        def connect(station: sync.Station, to: str) -> None:
            self.host.trust(station.home.sync_database.parent, port=line.port)
            station.connect(to, "sftp", str(place), self.host.options(port=line.port))

        def hurt(often: float, trouble: str) -> None:
            line.harm = min(1.0, often * 3)

        return Far("sftp", connect, hurt, place)


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Servers]:
    """All servers, on free ports."""
    with (
        s3.serving(root / "cloud") as cloud,
        proxy_fake.proxying(cloud.port) as proxy,
        sftp.serving(root / "host") as host,
    ):
        servers = Servers(root, cloud, proxy, host)
        proxy.judge = servers.judge
        yield servers


def unfinished(root: Path) -> list[str]:
    """Hidden files of ours that nobody goes on with."""
    found = [place for place in root.rglob(".*.part") if ".nephos-removed" not in place.parts]
    return [str(place.relative_to(root)) for place in found]


def tree(root: Path) -> dict[str, str]:
    """Sum of each file by its name; what is not finished, ours or no file is left out."""
    found = {}
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if not name.startswith(".nephos-")]
        for name in names:
            place = Path(folder, name)
            if _counts(place):
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    found[str(place.relative_to(root))] = hashlib.sha256(place.read_bytes()).hexdigest()
    return found


def _counts(place: Path) -> bool:
    ours = place.name.startswith(".") or place.name.endswith((".tmp", ".part"))
    return not ours and place.is_file() and not place.is_symlink()
