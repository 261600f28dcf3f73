"""What a server's refusals mean, in our words."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from nephos.sync import errors
from nephos.sync.connections.sftp.packets import Reply, Status


class LoginRefused(errors.NotWelcome):
    """The server does not let us log in."""

    everywhere: ClassVar[bool] = True
    retry_after = timedelta(minutes=1)


class HostKeyUnknown(LoginRefused):
    """The server's key is not known yet, so nothing is sent to it."""


class HostKeyChanged(LoginRefused):
    """The server shows another key than before, so nothing is sent to it: it is new, or somebody is in between."""


class OutOfSpace(errors.RemoteFull):
    """The server took no more of the file: no space, over quota, or a broken disk."""


def of(reply: Reply, what: str) -> errors.SyncError:
    """What it means that a request failed; `what` is what was tried."""
    said = f"{what}: {reply.message or _plain(reply.status)}"
    match reply.status:
        case Status.DENIED:
            return errors.NotWelcome(f"The server does not allow to {said}.")
        case Status.NO_SUCH_FILE:
            return errors.Offline(f"The server cannot {said}.", hint="Is the folder of the destination there?")
        case Status.NO_CONNECTION | Status.CONNECTION_LOST:
            return errors.Offline(f"The server lost its storage: {said}.")
        case _:
            return errors.Refused(f"The server could not {said}.")


def of_write(reply: Reply) -> errors.SyncError:
    """A write to an open file fails for want of space, of quota, or for a broken disk; SFTP tells them not apart."""
    if reply.status == Status.DENIED:
        return of(reply, "write")
    return OutOfSpace(f"The server took no more data: {reply.message or _plain(reply.status)}.")


# A line that ssh prints, and what it means; the first that fits counts.
_SSH = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", HostKeyChanged),
    ("host key is known", HostKeyUnknown),
    ("Host key verification failed", HostKeyUnknown),
    ("revoked", HostKeyChanged),
    ("Permission denied", LoginRefused),
    ("Too many authentication failures", LoginRefused),
    ("subsystem request failed", LoginRefused),
    ("no matching", LoginRefused),
)


def of_ssh(complaints: str, where: str) -> errors.SyncError:
    """What it means that `ssh` ended with these words."""
    for sign, kind in _SSH:
        if sign in complaints:
            if issubclass(kind, HostKeyUnknown | HostKeyChanged):
                return kind(hint="`nephos connection test NAME` shows its fingerprint and how to accept it.")
            return kind(f"{where} does not let us in: {_last(complaints)}.")
    return errors.Offline(f"{where} cannot be reached: {_last(complaints) or 'the connection ended'}.")


def _last(complaints: str) -> str:
    lines = [line.strip().rstrip(".") for line in complaints.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _plain(status: int) -> str:
    return Status(status).name.replace("_", " ").lower() if status in set(Status) else f"status {status}"
