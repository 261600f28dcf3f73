"""Templates and bodies for the farm's tests, and a look at which of their processes live."""

from __future__ import annotations

import os
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from django.db import connections

from nephos.core import bootstrap, loops
from nephos.farm import dispatcher
from nephos.farm.engines import local
from nephos.farm.local_ledger import LocalLedger
from nephos.lib.heartbeats import Heartbeat

_MAKE = """
    import hashlib, json, pathlib
    def make(name, text):
        pathlib.Path(name).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return {"kind": "text", "path": name, "bytes": len(text.encode()), "sha256": digest}
    def done(*outputs):
        pathlib.Path("outputs.json").write_text(json.dumps(outputs))
"""


def body(code: str) -> dict[str, Any]:
    """A step's script that runs Python, with `make` and `done` at hand."""
    whole = textwrap.dedent(_MAKE) + textwrap.dedent(code)
    return {"actions": {"onRun": {"command": "python", "args": ["-c", whole]}}}


def template(steps: dict[str, str], *, depends: dict[str, list[str]] | None = None, **more: Any) -> str:
    """A job template whose steps run the given Python; braces are OpenJD's, so double ones are placeholders."""
    listed = [
        {
            "name": name,
            "script": body(code),
            **(
                {"dependencies": [{"dependsOn": needed} for needed in (depends or {})[name]]}
                if name in (depends or {})
                else {}
            ),
            **more.get(name, {}),
        }
        for name, code in steps.items()
    ]
    parameters = [{"name": "Folder", "type": "STRING", "default": ""}]
    document = {
        "specificationVersion": "jobtemplate-2023-09",
        "name": "test",
        "parameterDefinitions": parameters,
        "steps": listed,
    }
    return yaml.safe_dump(document)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def pids(folder: Path) -> list[int]:
    """Process ids that bodies wrote into files of a folder."""
    return [int(path.read_text()) for path in folder.glob("*.pid") if path.read_text().strip()]


# A body that leaves its own pid and that of a grandchild in a session of its own, then takes its time.
STUBBORN = """
    import os, subprocess, sys, time
    folder = pathlib.Path("{{Param.Folder}}")
    with (folder / "starts").open("a") as stream: stream.write(str(os.getpid()) + chr(10))
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    (folder / (str(child.pid) + ".pid")).write_text(str(child.pid))
    (folder / (str(os.getpid()) + ".pid")).write_text(str(os.getpid()))
    for _ in range(3000):
        if (folder / "go").exists(): break
        time.sleep(0.1)
    child.kill()
    done(make("made.txt", "by one"))
"""


@contextmanager
def running(*, slots: int = 2, engine: Any = None) -> Iterator[Any]:
    """The loops of the farm role in threads of this process, on the tests' database."""
    loaded = bootstrap.loaded()
    engine = engine or local.Local(
        LocalLedger(), name="here", slots=slots, mark=f"test-{os.getpid()}", after=connections.close_all
    )
    made = [
        dispatcher.Dispatch(engine, type(engine).__name__.lower()),
        dispatcher.Expire(engine),
        dispatcher.Publish(),
        dispatcher.Sweep(loaded),
    ]
    stop = threading.Event()
    thread = threading.Thread(
        target=loops.run, args=(made,), kwargs={"stop": stop, "heartbeat": Heartbeat(loaded.home.run, "farm")}
    )
    thread.start()
    try:
        yield engine
    finally:
        stop.set()
        thread.join(timeout=15)
