"""Every setting, its type and its default. Unknown keys and wrong types are refused with the key's name."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from nephos.config import upkeep

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", description="a short name")]
Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]
LogLevel = Literal["debug", "info", "warning", "error"]


class _Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Station(_Section, frozen=True):
    name: Name = "nephos"
    zone: str = ""  # IANA; empty: the system's


class Paths(_Section, frozen=True):
    databases: str = "databases"
    logs: str = "logs"
    recordings: str = "recordings"
    processed: str = "processed"


class Database(_Section, frozen=True):
    url: str = ""  # empty: SQLite in the home folder; postgresql://user@host/name


class Web(_Section, frozen=True):
    host: str = "127.0.0.1"
    port: Port = 8600
    allowed_hosts: list[str] = field(default_factory=list)
    behind_tls: bool = False  # set when a proxy in front speaks https: cookies become secure-only


class Recording(_Section, frozen=True):
    interface: str = ""  # name or address of the network interface for channels that name none
    segment_seconds: Annotated[int, Meta(ge=2, le=3600)] = 10  # of those that begin after a change
    pre_roll_seconds: Seconds = 3
    receive_buffer_bytes: Annotated[int, Meta(ge=65536)] = 8 * 1024 * 1024  # asked for when a channel is joined
    engine: Literal["socket", "multicat"] = "socket"  # what receives udp:// and rtp://, unless the address says it
    pipeline: str = "archive"  # for schedules that name none; empty: recordings are not processed
    soft_floor_bytes: Annotated[int, Meta(ge=0)] = 2 * 1024**3  # below: warn, take no new work
    hard_floor_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024**2  # below: stop cleanly, the least important first
    network_bits_per_second: Annotated[int, Meta(ge=0)] = 0  # what the network carries, for forecasts; 0: no limit
    assumed_bits_per_second: Annotated[int, Meta(ge=1)] = 10_000_000  # of a channel that was never measured


class Farm(_Section, frozen=True):
    engine: Literal["local", "dask"] = "local"
    slots: Annotated[int, Meta(ge=0, le=1024)] = 0  # 0: half of the cores, at least one
    lease_seconds: Annotated[float, Meta(ge=2, le=3600)] = 30
    max_tries: Annotated[int, Meta(ge=1, le=100)] = 3
    host: str = "127.0.0.1"
    port: Port = 8610


class Sync(_Section, frozen=True):
    settle_seconds: Seconds = 2
    rescan_seconds: Seconds = 3600
    single_put_bytes: Annotated[int, Meta(ge=1)] = 16 * 1024 * 1024
    part_bytes: Annotated[int, Meta(ge=0)] = 0  # 0: from the file's size; never under 5 MiB on s3
    part_threads: Annotated[int, Meta(ge=1, le=64)] = 4
    audit_percent: Annotated[float, Meta(ge=0, le=100)] = 1  # of what was delivered is read again each day


class Logging(_Section, frozen=True):
    level: LogLevel = "info"
    format: Literal["lines", "json"] = "lines"
    modules: dict[str, LogLevel] = field(default_factory=dict)  # recording = "debug", "sync.connections" = "warning"
    debug_files: bool = True  # everything a package says, in logs/debug/<package>.<role>.log
    file_bytes: Annotated[int, Meta(ge=65536)] = 10 * 1024 * 1024
    file_count: Annotated[int, Meta(ge=1, le=100)] = 5


class Source(_Section, frozen=True):
    """A command that writes a transport stream to its standard output; a channel names it by `pipe:NAME`."""

    command: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]  # never through a shell


class Console(_Section, frozen=True):
    """The telnet door of the console. The prompt of `nephos start` and `nephos console` need no door."""

    enabled: bool = False  # who comes in this way needs a token
    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"  # telnet hides nothing, so it never leaves the machine
    port: Port = 6000
    sessions: Annotated[int, Meta(ge=1, le=64)] = 4


class Connection(_Section, frozen=True):
    """Code that talks to one kind of storage; its options are checked by that kind."""

    kind: Name
    options: dict[str, str | int | float | bool] = field(default_factory=dict)


class Destination(_Section, frozen=True):
    """A connection and the base path below it (s3: `bucket/prefix`; file: a folder)."""

    connection: Name
    base: str = ""
    verify: Literal["auto", "read-back", "none"] = "auto"
    bytes_per_second: Annotated[int, Meta(ge=0)] = 0  # 0: as fast as it goes
    timetable: list[str] = field(
        default_factory=list
    )  # "mon-fri 08:00-18:00 2000000"; "off" instead of a rate: nothing
    files_at_once: Annotated[int, Meta(ge=1, le=64)] = 8


class Watch(_Section, frozen=True):
    """What is kept delivered. Exactly one source: a folder, or the sets that the station hands over."""

    destinations: Annotated[list[Name], Meta(min_length=1)]
    folder: str = ""
    sets: bool = False
    pipeline: str = ""
    settle_seconds: Seconds | None = None
    ignore: list[str] = field(default_factory=list)  # patterns as in .gitignore
    mode: Literal["keep", "mirror"] = "keep"  # mirror: deletions travel, last
    most_deletions: Annotated[int, Meta(ge=0)] = 100  # more at once are held until a person lets them go
    most_deletions_percent: Annotated[float, Meta(ge=0, le=100)] = 50
    grace_seconds: Seconds = 300  # how long a deletion waits before it travels
    undo_days: Annotated[float, Meta(ge=0, le=3650)] = 7  # how long what was removed there can be brought back; 0: not
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0  # higher goes first
    rules: list[dict[str, str | int | float | bool | list[str]]] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    grow: bool = False  # files are only appended to, and go up while they are still being written
    enabled: bool = True


class Pipeline(_Section, frozen=True):
    """A named job template: one of ours by name, or a file below `config/`."""

    template: str
    parameters: dict[str, str | int | float] = field(default_factory=dict)


class Settings(_Section, frozen=True):
    """The whole file."""

    station: Station = Station()
    paths: Paths = Paths()
    database: Database = Database()
    web: Web = Web()
    recording: Recording = Recording()
    farm: Farm = Farm()
    sync: Sync = Sync()
    logging: Logging = Logging()
    console: Console = Console()
    monitoring: upkeep.Monitoring = upkeep.Monitoring()
    mail: upkeep.Mail = upkeep.Mail()
    maintenance: upkeep.Maintenance = upkeep.Maintenance()
    webhook: dict[Name, upkeep.Webhook] = field(default_factory=dict)
    source: dict[Name, Source] = field(default_factory=dict)
    connection: dict[Name, Connection] = field(default_factory=dict)
    destination: dict[Name, Destination] = field(default_factory=dict)
    watch: dict[Name, Watch] = field(default_factory=dict)
    pipeline: dict[Name, Pipeline] = field(default_factory=dict)


def sections() -> dict[str, type[Struct]]:
    """Names of the fixed tables and their types, for help and checks."""
    return {f.name: f.type for f in msgspec.structs.fields(Settings) if isinstance(f.type, type)}
