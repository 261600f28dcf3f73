"""The console of a real station: its prompt, and `nephos console` beside it."""

from __future__ import annotations

import socket
import subprocess

import pytest

from nephos.lib import locks
from tests.support.station import NEPHOS, Station, free_port
from tests.support.terminal import Terminal

# Every old short name, as people typed them: a form where it asks, the answers below it.
OLD_WORDS = (
    *("adch", "Third", "239.1.1.1:5000", "", "", ""),
    *("adjb", "Morning", "La Uno", "07:00", "30", "1111100"),
    *("adsh", "a@example.org", "tag"),
    *("lsch", "lsjb", "lssh", "lstk", "no-such-word"),
    *("rmjb Morning", "rmch", "Third", "rmsh a@example.org"),
    *("help", "version", "clients list", "quit", ""),
)


def test_a_station_is_run_and_ended_from_its_prompt(station: Station) -> None:
    terminal = Terminal([*NEPHOS, "start"], environment=station.environment)
    try:
        terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt", seconds=60)
        for answer in ("adch", "La Uno", "239.1.2.3:1234", "", "spa", ""):
            terminal.type(f"{answer}\r")
            terminal.feed(0.5)
        terminal.until(lambda lines: any("Channel La Uno is there" in text for text in lines), what="the channel")
        terminal.type("lsch\r")
        terminal.until(lambda lines: any("udp://239.1.2.3:1234" in text for text in lines), what="the list")

        recorder = station.kill_role("recorder")
        shown = terminal.until(
            lambda lines: any("A role ended" in text and "recorder" in text for text in lines), what="a log line"
        )

        attached = subprocess.run(
            [*NEPHOS, "console"],
            env=station.environment,
            input="\n".join(OLD_WORDS),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        terminal.type("quit\r")
        code = terminal.end(60)
    finally:
        terminal.process.kill()
        terminal.process.wait()

    assert code == 0
    assert recorder
    assert any(text.startswith("nephos>") for text in shown)
    assert "udp://239.1.2.3:1234" in attached.stdout
    assert "a@example.org" in attached.stdout
    assert "Morning" in attached.stdout
    assert "licence" in attached.stdout
    for words in ("Schedule Morning is added", "Schedule Morning is removed", "The share a@example.org is removed"):
        assert words in attached.stderr
    assert "Channel Third is removed" in attached.stderr
    assert "rmch rmjb rmsh" in attached.stdout + attached.stderr
    assert "no command 'no-such-word'" in attached.stderr
    assert not locks.FileLock(station.root / "run/nephos.lock").is_held()
    assert any(text == "Stopped." for text in terminal.lines())


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_ctrl_c_ends_the_station_and_ctrl_d_only_the_prompt(station: Station, key: str) -> None:
    terminal = Terminal([*NEPHOS, "start", "--only", "recorder"], environment=station.environment)
    try:
        terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt", seconds=60)

        terminal.type(key)
        if key == "\x04":
            terminal.until(lambda lines: any("The prompt is closed" in text for text in lines), what="the word of it")
            assert station.pid_of("recorder")
            terminal.type("\x03")
        assert terminal.end(60) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()


class Visitor:
    """Somebody at the telnet door."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._seen = ""

    def leave(self) -> None:
        self._socket.close()

    def say(self, line: str) -> None:
        self._socket.sendall(b"\xff\xfd\x01" + line.encode() + b"\r\n")

    def until(self, word: str) -> str:
        """What was said up to a word; fails if the door closes before."""
        while word not in self._seen:
            block = self._socket.recv(65536)
            assert block, f"{word!r} never came: {self._seen}"
            self._seen += block.decode("utf-8", "replace")
        before, _, self._seen = self._seen.partition(word)
        return before


def test_telnet_asks_for_a_token_and_obeys_its_scopes(station: Station) -> None:
    port = free_port()
    station.environment |= {"NEPHOS_CONSOLE_ENABLED": "true", "NEPHOS_CONSOLE_PORT": str(port)}
    station.start()
    reader = station.json("token", "add", "reader", "--scope", "read")["secret"]
    admin = station.json("token", "add", "boss", "--scope", "admin")["secret"]

    visitor = Visitor(port)
    visitor.until("Token: ")
    visitor.say("wrong")
    visitor.until("Token: ")
    visitor.say(reader)
    visitor.until("nephos> ")
    visitor.say("lsch")
    listed = visitor.until("nephos> ")
    visitor.say("adch x udp://239.1.2.3:1")
    refused = visitor.until("nephos> ")
    visitor.say("logs web")
    beneath = visitor.until("nephos> ")
    visitor.say("shutdown")
    shut = visitor.until("nephos> ")
    visitor.say("quit")
    visitor.until("Good-bye.")
    visitor.leave()
    boss = Visitor(port)
    boss.until("Token: ")
    boss.say(admin)
    boss.until("nephos> ")
    boss.say("adch x udp://239.1.2.3:1")
    added = boss.until("nephos> ")
    boss.say("shutdown --now")
    boss.until("The station stops.")
    boss.leave()

    assert "no channels" in listed
    assert "may not" in refused
    assert "not done through telnet" in beneath
    assert "may not" in shut
    assert "Channel x is there" in added
    assert station.process is not None
    assert station.process.wait(60) == 0
