"""Segments on disk: names, journal, what a kill leaves behind, a full disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.recording import batch, segments, timeline, track, writer
from nephos.recording.sources import base, datagrams
from tests.fakes import transport

T0 = datetime(2026, 11, 22, 19, 16, 20, tzinfo=UTC)
SECOND = int(T0.timestamp())
STREAM = transport.stream(700)


@pytest.fixture
def closer() -> Iterator[writer.Closer]:
    made = writer.Closer()
    yield made
    assert made.end(within=5)


@pytest.fixture
def out(tmp_path: Path, closer: writer.Closer) -> writer.Writer:
    return writer.Writer(tmp_path / "one" / ".segments", segment_seconds=10, closer=closer)


def begin(out: writer.Writer, second: int = SECOND) -> None:
    out.begin(second, at=timeline.moment(second + 0.5))


class Plain:
    """Decodes like the real thing."""

    def __init__(self) -> None:
        self._unpacker = datagrams.Unpacker()

    def decode(self, load: base.Load) -> base.Chunk:
        return self._unpacker.unpack(load)


def a_batch(second: int, payload: bytes = b"", *, ends: bool = True, closes: bool = False) -> batch.Batch:
    load = base.Load(payload, [len(payload)]) if payload else None
    arrivals = batch.Arrivals(first=0.1, last=0.9) if payload else batch.Arrivals()
    return batch.Batch(
        second=second,
        mono=float(second - SECOND),
        at=second + 0.9,
        load=load,
        ends=arrivals if ends else None,
        closes=closes,
    )


class TestNames:
    def test_a_segment_is_named_by_the_slot_it_belongs_to(self) -> None:
        assert segments.name(segments.slot(SECOND + 9, 10)) == "20261122T191620Z.ts"
        assert segments.name(segments.slot(SECOND + 10, 10)) == "20261122T191630Z.ts"

    @pytest.mark.parametrize(
        "name", ["x.ts", "20261122T191620Z.jsonl", "20261322T191620Z.ts", "20261122T191620.ts", ".ts"]
    )
    def test_foreign_names_are_no_segments(self, name: str) -> None:
        assert segments.start_of(Path(name)) is None

    @given(st.integers(0, 4_000_000_000), st.integers(2, 3600))
    def test_a_name_tells_the_start(self, second: int, length: int) -> None:
        start = segments.slot(second, length)

        assert start <= second < start + length
        assert segments.start_of(Path(segments.name(start))) == datetime.fromtimestamp(start, UTC)


class TestJournal:
    def test_seconds_and_resumes_are_read_as_they_were_written(self, tmp_path: Path) -> None:
        second = segments.Second(utc=T0, mono=1.5, offset=188, bytes=376, cc=2, first=0.1, last=0.95, pcr=27)
        silent = segments.Second(utc=T0 + timedelta(seconds=1), mono=2.5, offset=564)
        resume = segments.Resume(at=T0, offset=564, last_write=T0 - timedelta(milliseconds=125))
        path = tmp_path / "x.jsonl"
        path.write_bytes(segments.resume_line(resume) + segments.second_line(second) + segments.second_line(silent))

        assert segments.read_journal(path) == segments.Journal(seconds=(second, silent), resumes=(resume,))

    def test_a_torn_last_line_is_passed_over(self, tmp_path: Path) -> None:
        line = segments.second_line(segments.Second(utc=T0, mono=1.5, offset=0))
        path = tmp_path / "x.jsonl"
        path.write_bytes(line + line[:40])

        journal = segments.read_journal(path)

        assert (len(journal.seconds), journal.torn_lines) == (1, 1)

    def test_no_journal_is_an_empty_one(self, tmp_path: Path) -> None:
        assert segments.read_journal(tmp_path / "x.jsonl") == segments.Journal()

    @given(st.lists(st.binary(max_size=80), max_size=8))
    def test_any_bytes_are_survived(self, lines: list[bytes]) -> None:
        for line in lines:
            segments._entry(line)


class TestWriter:
    def test_seconds_of_one_slot_share_a_segment(self, out: writer.Writer, tmp_path: Path) -> None:
        for second in range(SECOND, SECOND + 12):
            begin(out, second)
            out.write(STREAM[: 188 * 2])
        out.close()

        found = segments.list_segments(segments.folder(tmp_path, "one"))
        assert [(s.path.name, s.bytes) for s in found] == [
            ("20261122T191620Z.ts", 188 * 20),
            ("20261122T191630Z.ts", 188 * 4),
        ]

    def test_seconds_behind_the_newest_segment_do_not_open_it_again_and_again(
        self, out: writer.Writer, tmp_path: Path, closer: writer.Closer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin(out, SECOND + 10)
        out.close()
        again = writer.Writer(tmp_path / "one" / ".segments", segment_seconds=10, closer=closer)
        begin(again, SECOND + 8)  # the clock was set back a little while nobody ran
        monkeypatch.setattr(again, "_open", lambda *_: pytest.fail("it was opened again"))

        for second in (SECOND + 8, SECOND + 9, SECOND + 10):
            begin(again, second)
            again.write(STREAM[:188])

        assert again.offset == 188 * 3

    def test_a_torn_packet_and_a_torn_line_are_cut_after_a_restart(
        self, out: writer.Writer, tmp_path: Path, closer: writer.Closer
    ) -> None:
        begin(out)
        out.write(STREAM[:1880])
        out.note(segments.Second(utc=T0, mono=0.0, offset=0, bytes=1880))
        out.close()
        [segment] = segments.list_segments(tmp_path / "one" / ".segments")
        with segment.path.open("ab") as stream, segment.journal.open("ab") as lines:
            stream.write(STREAM[1880:2000])
            lines.write(b'{"utc":"2026-11')
        written = segment.path.stat().st_mtime

        again = writer.Writer(tmp_path / "one" / ".segments", segment_seconds=10, closer=closer)
        begin(again, SECOND + 3)
        again.write(STREAM[1880:3760])
        again.note(segments.Second(utc=T0 + timedelta(seconds=3), mono=3.0, offset=1880, bytes=1880))
        again.close()

        journal = segments.read_journal(segment.journal)
        assert segment.path.read_bytes() == STREAM[:3760]
        assert [s.offset for s in journal.seconds] == [0, 1880]
        assert journal.torn_lines == 0
        assert [(r.at, r.offset) for r in journal.resumes] == [(T0 + timedelta(seconds=3.5), 1880)]
        assert abs(journal.resumes[0].last_write.timestamp() - written) < 0.002

    def test_a_restart_in_the_next_slot_is_noted_there(
        self, out: writer.Writer, tmp_path: Path, closer: writer.Closer
    ) -> None:
        begin(out)
        out.write(STREAM[:188])
        out.close()
        [segment] = segments.list_segments(tmp_path / "one" / ".segments")
        os.utime(segment.path, (SECOND + 8, SECOND + 8))

        again = writer.Writer(tmp_path / "one" / ".segments", segment_seconds=10, closer=closer)
        begin(again, SECOND + 11)
        begin(again, SECOND + 20)
        again.close()

        resumes = [segments.read_journal(s.journal).resumes for s in segments.list_segments(segment.path.parent)]
        assert [len(r) for r in resumes] == [0, 1, 0]
        assert resumes[1][0].last_write == timeline.moment(SECOND + 8)

    def test_old_segments_are_no_reason_to_resume(self, out: writer.Writer, tmp_path: Path) -> None:
        old = tmp_path / "one" / ".segments" / segments.name(SECOND - 3600)
        old.parent.mkdir(parents=True)
        old.write_bytes(STREAM[:188])
        os.utime(old, (SECOND - 3600, SECOND - 3600))

        begin(out)
        out.close()

        assert segments.read_journal(segments.list_segments(old.parent)[-1].journal).resumes == ()


class TestTrack:
    def make(self, out: writer.Writer) -> track.Track:
        return track.Track("one", Plain(), out)

    def journal(self, tmp_path: Path) -> list[segments.Second]:
        found = segments.list_segments(tmp_path / "one" / ".segments")
        return [second for segment in found for second in segments.read_journal(segment.journal).seconds]

    def test_every_second_has_a_line_also_a_silent_one(self, out: writer.Writer, tmp_path: Path) -> None:
        one = self.make(out)

        one.handle(a_batch(SECOND, STREAM[:1880], ends=False), has_room=True)
        one.handle(a_batch(SECOND, STREAM[1880:3760]), has_room=True)
        one.handle(a_batch(SECOND + 1), has_room=True)
        one.handle(a_batch(SECOND + 2, STREAM[3760:5640], closes=True), has_room=True)

        lines = self.journal(tmp_path)
        assert [(s.utc, s.offset, s.bytes, s.packets, s.datagrams) for s in lines] == [
            (T0, 0, 3760, 20, 2),
            (T0 + timedelta(seconds=1), 3760, 0, 0, 0),
            (T0 + timedelta(seconds=2), 3760, 1880, 10, 1),
        ]
        assert (lines[0].first, lines[1].first, lines[0].cc) == (0.1, None, 0)

    def test_without_room_only_the_journal_grows(self, out: writer.Writer, tmp_path: Path) -> None:
        one = self.make(out)

        one.handle(a_batch(SECOND, STREAM[:1880]), has_room=True)
        one.handle(a_batch(SECOND + 1, STREAM[1880:3760]), has_room=False)
        one.handle(a_batch(SECOND + 2, STREAM[3760:5640], closes=True), has_room=True)

        assert [(s.bytes, s.unwritten) for s in self.journal(tmp_path)] == [(1880, 0), (0, 1880), (1880, 0)]

    def test_a_disk_that_fills_up_leaves_whole_packets_and_is_told(
        self, out: writer.Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = self.make(out)
        one.handle(a_batch(SECOND, STREAM[:1880], ends=False), has_room=True)
        real, left = os.write, [188 * 3 + 50]

        def write(handle: int, content: bytes | memoryview) -> int:
            if len(content) < 300 or left[0] < 0:  # the journal's lines still fit
                return real(handle, content)
            if not left[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            size = real(handle, memoryview(content)[: left[0]])
            left[0] -= size
            return size

        monkeypatch.setattr(os, "write", write)
        one.handle(a_batch(SECOND, STREAM[1880:3760]), has_room=True)
        trouble = one.trouble
        left[0] = -1
        one.handle(a_batch(SECOND + 1, STREAM[3760:5640], closes=True), has_room=True)

        [segment] = segments.list_segments(tmp_path / "one" / ".segments")
        assert trouble == "no space"
        assert one.trouble == ""
        assert segment.path.read_bytes() == STREAM[: 1880 + 188 * 3] + STREAM[3760:5640]
        assert [(s.offset, s.bytes, s.unwritten) for s in self.journal(tmp_path)] == [
            (0, 1880 + 188 * 3, 188 * 7),
            (1880 + 188 * 3, 1880, 0),
        ]

    def test_a_folder_that_cannot_be_written_never_raises(self, tmp_path: Path, closer: writer.Closer) -> None:
        (tmp_path / "one").write_text("a file where a folder should be")
        one = self.make(writer.Writer(tmp_path / "one" / ".segments", segment_seconds=10, closer=closer))

        one.handle(a_batch(SECOND, STREAM[:1880]), has_room=True)
        trouble = one.trouble
        one.handle(a_batch(SECOND + 1, STREAM[1880:3760], ends=False), has_room=True)
        (tmp_path / "one").unlink()
        one.handle(a_batch(SECOND + 1, STREAM[3760:5640], closes=True), has_room=True)

        assert "writing failed" in trouble
        assert [(s.offset, s.bytes, s.unwritten) for s in self.journal(tmp_path)] == [(0, 1880, 1880)]

    def test_a_segment_that_breaks_is_opened_afresh(
        self, out: writer.Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = self.make(out)
        one.handle(a_batch(SECOND, STREAM[:1880]), has_room=True)
        real = os.write

        def write(handle: int, content: bytes | memoryview) -> int:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "write", write)
        one.handle(a_batch(SECOND + 1, STREAM[1880:3760]), has_room=True)
        monkeypatch.setattr(os, "write", real)
        one.handle(a_batch(SECOND + 2, STREAM[3760:5640], closes=True), has_room=True)

        assert [(s.offset, s.bytes) for s in self.journal(tmp_path)] == [(0, 1880), (1880, 1880)]
        assert one.trouble == ""

    def test_bytes_that_never_got_here_are_counted(self, out: writer.Writer, tmp_path: Path) -> None:
        one = self.make(out)

        one.handle(replace(a_batch(SECOND, STREAM[:1880], closes=True), unwritten=500), has_room=True)

        assert [s.unwritten for s in self.journal(tmp_path)] == [500]


def test_numpy_arrays_are_written_as_they_are(out: writer.Writer, tmp_path: Path) -> None:
    begin(out)
    out.write(np.frombuffer(STREAM, dtype=np.uint8).data)
    out.close()

    assert segments.list_segments(tmp_path / "one" / ".segments")[0].path.read_bytes() == STREAM


def test_a_finished_segment_its_journal_and_their_names_are_made_durable(
    out: writer.Writer, tmp_path: Path, closer: writer.Closer, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: durable.append(Path(f"/proc/self/fd/{handle}").resolve().name))

    begin(out)
    out.write(STREAM[:1880])
    out.close()
    assert closer.end(within=60)

    assert durable == ["20261122T191620Z.ts", ".segments", "20261122T191620Z.jsonl", ".segments"]


def test_a_disk_that_is_too_slow_is_told_once(
    tmp_path: Path, closer: writer.Closer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_free = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: is_free.wait(60))

    for number in range(300):
        closer.close(os.open(tmp_path / f"{number}", os.O_RDWR | os.O_CREAT), tmp_path)
    is_free.set()

    assert caplog.text.count("too slow") == 1
