"""The channel doctor: layer by layer from the join to the captions, with advice for the layer that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from nephos.lib import clock, text
from nephos.recording import neighbourhood, tables
from nephos.recording.sources import address, errors, links, probe, registry, udp

_BUFFER_BYTES = 1 << 20
_LEAST_SECONDS = 1.0  # of listening, so that the rate and the losses mean something
_FETCH_SECONDS = 8.0  # more than for datagrams: another program connects and looks at the stream first


class Layer(StrEnum):
    """In the order in which they build on each other."""

    JOIN = "join"
    PACKETS = "packets"
    SYNC = "sync"
    TABLES = "tables"
    SCRAMBLING = "scrambling"
    BITRATE = "bitrate"
    CAPTIONS = "captions"


class Grade(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"  # a layer below it failed


@dataclass(frozen=True, slots=True)
class Finding:
    """What one layer showed, and what to do about it."""

    layer: Layer
    grade: Grade
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole examination."""

    heard: probe.Result
    findings: tuple[Finding, ...]
    programmes: tuple[tables.Programme, ...] = ()
    captions: tuple[str, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether this can be recorded."""
        return self.heard.state is probe.State.UP and self.heard.has_programme

    @property
    def verdict(self) -> str:
        """The first thing that is wrong, else what the channel carries; one sentence or two."""
        for grade in (Grade.FAIL, Grade.WARN):
            for one in self.findings:
                if one.grade is grade and (grade is Grade.FAIL or not self.is_up):
                    return f"{one.found} {one.advice}".strip()
        return "; ".join(one.found.rstrip(".") for one in self.findings[2:] if one.grade is not Grade.SKIPPED) + "."


def examine(url: str, given: registry.Options, *, listen: timedelta = timedelta(seconds=3)) -> Report:
    """Listen to an address. Raises AddressInvalid, and nothing else."""
    place = address.parse(url)
    began = clock.monotonic()
    if isinstance(place, address.Address):
        # With our own socket even if multicat will record it: it is the one that can tell what is wrong.
        source = udp.UdpSource(place, interface=given.interface, buffer_bytes=_BUFFER_BYTES)
        ear = probe.Ear(source)
    else:
        ear = probe.Ear(registry.make(url, given))
        listen = max(listen, timedelta(seconds=_FETCH_SECONDS))
    try:
        heard = probe.hear(ear, timeout=listen, is_enough=_knows_all)
    except errors.SourceError as error:
        heard = probe.Result(state=probe.State.DOWN, took=timedelta(seconds=clock.monotonic() - began))
        return Report(heard, _after(Finding(Layer.JOIN, Grade.FAIL, error.message, error.hint)))
    captions = _captions(ear)
    findings = _findings(place, given, ear, heard, captions)
    return Report(heard, findings, programmes=ear.tables.programmes, captions=captions)


def _knows_all(ear: probe.Ear) -> bool:
    found = ear.tables
    has_map = bool(found.listed) and len(found.programmes) == found.listed
    return ear.is_clear and has_map and ear.heard_seconds >= _LEAST_SECONDS and bool(_captions(ear))


def _captions(ear: probe.Ear) -> tuple[str, ...]:
    promised = {
        f"{kind} ({stream.language})" if stream.language else kind
        for programme in ear.tables.programmes
        for stream in programme.streams
        for kind in stream.captions
    }
    if ear.has_line_21:
        promised = {one for one in promised if not one.startswith("cea-608")} | {"cea-608/708"}
    return tuple(sorted(promised))


def _findings(
    place: address.Address | links.Link,
    given: registry.Options,
    ear: probe.Ear,
    heard: probe.Result,
    captions: tuple[str, ...],
) -> tuple[Finding, ...]:
    done = [Finding(Layer.JOIN, Grade.OK, _joined(place, given))]
    checks: tuple[Callable[[], Finding], ...] = (
        lambda: _packets(place, given, heard),
        lambda: _sync(place, ear, heard),
        lambda: _tables(ear, heard),
        lambda: _scrambling(heard),
        lambda: _bitrate(heard),
        lambda: _texts(ear, captions),
    )
    for check in checks:
        done.append(check())
        if done[-1].grade is Grade.FAIL:
            break
    return _after(*done)


def _after(*done: Finding) -> tuple[Finding, ...]:
    """These, and the layers that were not reached."""
    rest = list(Layer)[len(done) :]
    return (*done, *(Finding(layer, Grade.SKIPPED, "Not reached.") for layer in rest))


def _joined(place: address.Address | links.Link, given: registry.Options) -> str:
    if isinstance(place, links.Link):
        return f"{place.shown} is being fetched."
    interface = place.interface or given.interface
    return f"Listening on {interface}." if interface else "Listening where the routes say."


def _packets(place: address.Address | links.Link, given: registry.Options, heard: probe.Result) -> Finding:
    if heard.state is probe.State.DOWN:
        advice = neighbourhood.advice(place, interface=given.interface)
        return Finding(Layer.PACKETS, Grade.FAIL, "Nothing comes.", advice)
    after = heard.first_after.total_seconds() if heard.first_after is not None else 0.0
    found = f"The first bytes came after {after * 1000:.0f} ms."
    if heard.state is probe.State.WEAK:
        return Finding(Layer.PACKETS, Grade.WARN, f"{found} Very little follows.", "Look at the sender.")
    return Finding(Layer.PACKETS, Grade.OK, found)


def _sync(place: address.Address | links.Link, ear: probe.Ear, heard: probe.Result) -> Finding:
    if heard.state is probe.State.NOT_TS:
        advice = "The sender must send an MPEG transport stream; this may be bare RTP video or error correction."
        return Finding(Layer.SYNC, Grade.FAIL, "What comes is no transport stream.", advice)
    found = f"A transport stream in {heard.protocol or 'datagrams'}"
    if ear.packet_bytes not in (0, 188):
        found += f", in packets of {ear.packet_bytes} bytes, which are cut to 188"
    if isinstance(place, address.Address) and heard.protocol != place.scheme and heard.protocol:
        advice = f"It is received rightly; write {heard.protocol}:// to say what it is."
        return Finding(Layer.SYNC, Grade.WARN, f"{found}, though the address says {place.scheme}.", advice)
    if heard.sync_bytes * 100 > heard.packets * 188:
        return Finding(Layer.SYNC, Grade.WARN, f"{found}, with rubbish between packets.", "Look at the sender.")
    return Finding(Layer.SYNC, Grade.OK, f"{found}.")


def _tables(ear: probe.Ear, heard: probe.Result) -> Finding:
    found = ear.tables
    if not heard.has_programme:
        advice = "The multiplexer is on, but nothing is fed into it: look at the encoder."
        return Finding(Layer.TABLES, Grade.FAIL, "Only stuffing comes: a carrier without a programme.", advice)
    if not found.has_pat:
        advice = "Without one players and steps cannot tell the programmes: look at the multiplexer, or at packet loss."
        return Finding(Layer.TABLES, Grade.WARN, "No programme table (PAT) came.", advice)
    if not found.programmes:
        advice = "The table names programmes whose own table (PMT) did not come."
        return Finding(Layer.TABLES, Grade.WARN, f"{text.count(found.listed, 'programme')} named, none told.", advice)
    parts = [f"{one.number}: {', '.join(s.codec for s in one.streams) or 'nothing'}" for one in found.programmes]
    return Finding(Layer.TABLES, Grade.OK, f"{text.count(len(parts), 'programme')} ({'; '.join(parts[:8])}).")


def _scrambling(heard: probe.Result) -> Finding:
    useful = heard.packets - heard.null_packets
    if not heard.scrambled_packets:
        return Finding(Layer.SCRAMBLING, Grade.OK, "Nothing is scrambled.")
    share = f"{heard.scrambled_packets * 100 / max(1, useful):.0f} % of the packets are scrambled."
    advice = "It is stored as it comes and cannot be watched: descramble it at the head end."
    grade = Grade.FAIL if heard.scrambled_packets * 2 > useful else Grade.WARN
    return Finding(Layer.SCRAMBLING, grade, share, advice)


def _bitrate(heard: probe.Result) -> Finding:
    found = f"{text.bit_rate(heard.bits_per_second)}, {heard.null_packets * 100 // max(1, heard.packets)} % stuffing."
    if heard.continuity_errors * 1000 > heard.packets:
        advice = "Packets are lost on the way: look at the network, at the sender, and at `nephos doctor` for buffers."
        errors_found = text.count(heard.continuity_errors, "continuity error")
        return Finding(Layer.BITRATE, Grade.WARN, f"{found[:-1]}, {errors_found}.", advice)
    return Finding(Layer.BITRATE, Grade.OK, found)


def _texts(ear: probe.Ear, captions: tuple[str, ...]) -> Finding:
    if captions:
        return Finding(Layer.CAPTIONS, Grade.OK, f"Captions: {', '.join(captions)}.")
    if not ear.tables.programmes:
        return Finding(Layer.CAPTIONS, Grade.WARN, "No table tells of captions.")
    return Finding(Layer.CAPTIONS, Grade.OK, "No captions were seen in this moment.")
