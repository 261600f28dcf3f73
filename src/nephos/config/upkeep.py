"""Settings of monitoring and maintenance: who is told, what is looked at, how often. All are taken up while it runs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Address = Annotated[
    str,
    Meta(pattern=r"\A[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+\Z", max_length=254, description="a mail address"),
]
Reference = Annotated[str, Meta(pattern=r"\A((env|file|keyring):.+)?\Z", description="where a secret is kept")]
Interval = Annotated[float, Meta(ge=0.2, le=31_536_000)]
Patience = Annotated[float, Meta(ge=0.1, le=600)]
Bytes = Annotated[int, Meta(ge=0)]
WallTime = Annotated[str, Meta(pattern=r"\A([01]\d|2[0-3]):[0-5]\d\Z", description="a time of the day, HH:MM")]
WatchName = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z")]
Kinds = list[Annotated[str, Meta(min_length=1, max_length=64)]]

ALARMS = ("problem.", "bookings.missed", "asset.failed", "asset.empty", "update.")


class _Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Monitoring(_Part, frozen=True):
    """Which events people are told of: kinds, or how they begin."""

    enabled: bool = True
    interval_seconds: Interval = 1
    critical: Kinds = field(default_factory=lambda: list(ALARMS))
    report: Kinds = field(default_factory=lambda: ["digest.made"])
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 90  # what was told longer ago is forgotten


class Mail(_Part, frozen=True):
    """The server that takes our mail. Without a host there is none."""

    enabled: bool = True
    interval_seconds: Interval = 1
    host: str = ""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0  # 0: 587 for starttls, 465 for tls, 25 for none
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""  # certificates to trust instead of the system's
    username: str = ""
    password: Reference = ""  # env:NAME, file:/path or keyring:service/name
    sender: str = ""  # empty: nephos@ this machine's name
    critical: list[Address] = field(default_factory=list)  # told at once
    report: list[Address] = field(default_factory=list)  # the daily digest; empty: the critical ones
    timeout_seconds: Patience = 20
    alone: Annotated[int, Meta(ge=1, le=1000)] = 6  # so many letters to one address go one by one ...
    gather_seconds: Interval = 600  # ... within so long; more are gathered into one


class Webhook(_Part, frozen=True):
    """An address that gets a JSON document by POST for each event that begins with one of `events`."""

    url: Annotated[str, Meta(pattern=r"\Ahttps?://[^\s]+\Z", max_length=2000)]
    enabled: bool = True
    secret: Reference = ""  # signs the body, HMAC-SHA256
    events: Kinds = field(default_factory=lambda: list(ALARMS))
    timeout_seconds: Patience = 10


class DiskCheck(_Part, frozen=True):
    """Is there space, and until when? Low is less than either."""

    enabled: bool = True
    interval_seconds: Interval = 60
    min_bytes: Bytes = 10 * 1024**3
    min_percent: Annotated[float, Meta(ge=0, le=100)] = 5
    warn_hours: Annotated[float, Meta(ge=0, le=8760)] = 24  # also when it will be full by then; 0: never


class ChannelCheck(_Part, frozen=True):
    """Listens to each channel for a moment. Never keeps a booking from being tried."""

    enabled: bool = True
    interval_seconds: Interval = 600
    timeout_seconds: Annotated[float, Meta(ge=0.5, le=30)] = 2
    misses: Annotated[int, Meta(ge=1, le=100)] = 2  # so many in a row before it is down
    recheck_seconds: Interval = 15  # after a miss, sooner than the interval
    threads: Annotated[int, Meta(ge=1, le=32)] = 4
    fetched: bool = True  # also HTTP, HLS, RTSP, SRT, RIST and files
    fetch_seconds: Annotated[float, Meta(ge=1, le=30)] = 15  # for those: a program starts and connects first


class SignalCheck(_Part, frozen=True):
    """Watches what the recorder hears while a booking runs."""

    enabled: bool = True
    interval_seconds: Interval = 1
    silent_seconds: Interval = 20


class MissedCheck(_Part, frozen=True):
    """Tells of bookings whose time passed while nobody listened, several of them together."""

    enabled: bool = True
    interval_seconds: Interval = 5


class RolesCheck(_Part, frozen=True):
    """Is a role late, gone, or ending again and again?"""

    enabled: bool = True
    interval_seconds: Interval = 5
    late_seconds: Interval = 30
    restarts: Annotated[int, Meta(ge=2, le=1000)] = 3  # so many ...
    window_seconds: Interval = 600  # ... in so long are a crash loop


class DeliveriesCheck(_Part, frozen=True):
    """Are files held back that wait for a person, or does a destination take nothing?"""

    enabled: bool = True
    interval_seconds: Interval = 15
    waiting_seconds: Interval = 600  # so long a destination, a file or a folder may be waited for in silence


class ProgramsCheck(_Part, frozen=True):
    """Are the programs there without which recordings are not received or not processed?"""

    enabled: bool = True
    interval_seconds: Interval = 300  # each is run for a moment
    misses: Annotated[int, Meta(ge=1, le=100)] = 2  # so many looks in a row: an upgrade takes a program away, too


class CriticalCheck(_Part, frozen=True):
    """Turns critical log records of any role into problems."""

    enabled: bool = True
    interval_seconds: Interval = 1
    quiet_hours: Annotated[float, Meta(gt=0, le=8760)] = 24  # closed when none came for so long


class SettingsCheck(_Part, frozen=True):
    """Is what the settings file says in force?"""

    enabled: bool = True
    interval_seconds: Interval = 2


class Digest(_Part, frozen=True):
    """What happened, once a day, at a wall-clock time in the station's zone."""

    enabled: bool = True
    interval_seconds: Interval = 20
    time: WallTime = "23:59"


class Keep(_Part, frozen=True):
    """How long assets stay on this machine after they were delivered and proven. 0: that rule does not apply."""

    keep_days: Annotated[float, Meta(ge=0, le=36_500)] = 0
    keep_count: Annotated[int, Meta(ge=0, le=100_000_000)] = 0  # newest so many of each channel (or watch) stay


class Retention(_Part, frozen=True):
    """Frees what was delivered and proven, and nothing else. Off until a person wants it."""

    enabled: bool = False
    interval_seconds: Interval = 3600
    keep_days: Annotated[float, Meta(ge=0, le=36_500)] = 0
    keep_count: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    free_bytes: Bytes = 0  # the oldest are freed until so much is free on the volume
    least_hours: Annotated[float, Meta(ge=0, le=87_600)] = 1  # nothing younger than so long after its delivery goes
    watch: dict[WatchName, Keep] = field(default_factory=dict)  # for what that watch delivers, instead of the above


class UpdateCheck(_Part, frozen=True):
    """Channels, shares and schedules from a file or URL that a person names here; what is not in it stays."""

    enabled: bool = True
    interval_seconds: Interval = 600
    sources: list[str] = field(default_factory=list)  # paths (below the home if not absolute), or http(s)://...
    timeout_seconds: Patience = 20


class Maintenance(_Part, frozen=True):
    """Everything the keeper looks at by itself."""

    disk: DiskCheck = DiskCheck()
    channels: ChannelCheck = ChannelCheck()
    signal: SignalCheck = SignalCheck()
    missed: MissedCheck = MissedCheck()
    roles: RolesCheck = RolesCheck()
    deliveries: DeliveriesCheck = DeliveriesCheck()
    programs: ProgramsCheck = ProgramsCheck()
    critical: CriticalCheck = CriticalCheck()
    settings: SettingsCheck = SettingsCheck()
    digest: Digest = Digest()
    retention: Retention = Retention()
    update: UpdateCheck = UpdateCheck()
