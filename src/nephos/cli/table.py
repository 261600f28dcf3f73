"""The command table: what there is and what it is for. Modules are imported when a command is used, not before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the command line: the module below `cli.commands` and the help text."""

    module: str
    help: str
    group: str
    bare: bool = False  # hands its arguments on untouched: no options of ours after its name


STATION = "The station"
RECORDING = "Recording"
PROCESSING = "Processing"
DELIVERY = "Delivery"
PEOPLE = "People"
UPKEEP = "Upkeep"

TABLE: dict[str, Entry] = {
    "start": Entry("start", "Start the station and stay in front of it.", STATION),
    "stop": Entry("stop", "Stop the running station.", STATION),
    "status": Entry("status", "What is alive and what it is at.", STATION),
    "console": Entry("console", "Talk to the running station, line by line.", STATION),
    "open": Entry("open", "Open the page, signed in by a one-time link.", STATION),
    "init": Entry("init", "Make a home folder with commented settings.", STATION),
    "version": Entry("version", "Title, author, licence, version.", STATION),
    "channel": Entry("channel", "Named sources that can be received.", RECORDING),
    "schedule": Entry("schedule", "What is recorded when.", RECORDING),
    "booking": Entry("booking", "Planned and running airings of schedules.", RECORDING),
    "guide": Entry("guide", "Programme guides, for titles.", RECORDING),
    "record": Entry("record", "Record a channel now.", RECORDING),
    "recording": Entry("recording", "What came off the air.", RECORDING),
    "asset": Entry("asset", "Everything the station follows to its end.", RECORDING),
    "pipeline": Entry("pipeline", "What can be done with assets.", PROCESSING),
    "job": Entry("job", "Work of the farm.", PROCESSING),
    "worker": Entry("worker", "Machines that do the work.", PROCESSING),
    "connection": Entry("connection", "Kinds of storage the station can talk to.", DELIVERY),
    "destination": Entry("destination", "Places at a connection that take files.", DELIVERY),
    "watch": Entry("watch", "What is kept delivered.", DELIVERY),
    "transfer": Entry("transfer", "Deliveries of files, and their receipts.", DELIVERY),
    "plugin": Entry("plugin", "Your own rules, processes and connections.", DELIVERY),
    "share": Entry("share", "People and the filters that say what they get.", PEOPLE),
    "user": Entry("user", "Accounts.", PEOPLE),
    "token": Entry("token", "Keys for programs.", PEOPLE),
    "problem": Entry("problem", "What is wrong just now.", UPKEEP),
    "mail": Entry("mail", "Telling people: by mail and webhook.", UPKEEP),
    "maintenance": Entry("maintenance", "What the station looks at by itself.", UPKEEP),
    "retention": Entry("retention", "What may be freed on this machine.", UPKEEP),
    "event": Entry("event", "What happened, to what, when.", UPKEEP),
    "import": Entry("import_", "Take over a file of the old Nephos.", UPKEEP),
    "logs": Entry("logs", "What a role or a package said.", UPKEEP),
    "config": Entry("config", "Settings and where each came from.", UPKEEP),
    "doctor": Entry("doctor", "Check what the station needs from this machine.", UPKEEP),
    "completion": Entry("completion", "Completion script for a shell.", UPKEEP),
    "run": Entry("run", "One role in the foreground.", UPKEEP),
    "manage": Entry("manage", "Django's own commands.", UPKEEP, bare=True),
}

ALIASES = {"ls": "list", "rm": "remove"}
