"""Whose a session is that a database's log tells of, by the connects that sidecars saw. Pure.

The log knows the other end of its session, an address and a port; a sidecar knows the local end of each connect of its
instance. One match is an exact answer. A pooler or NAT in between shows as an address that is no instance's: the log
has its address, and whose request it was cannot be told. Clocks of both may differ by `SKEW`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from inscope.workload import InstanceId

SKEW = 5.0
"""Seconds by which the clocks of a sidecar's machine and a database's may differ."""

PER_INSTANCE = 1_024
"""Flows kept of each instance: the newest."""

INSTANCES = 10_000
"""Instances of which flows are kept: those that told last."""

MAX_NAMED = 16
"""Instances that an ambiguous answer names."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a TCP connection: an address in any text, and a port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A TCP connection that an instance made. Seconds since the epoch by the sidecar's clock, at which it was seen
    first and last. `program` is the label of who made it, empty where that is not known.
    """

    instance: InstanceId
    local: End
    remote: End
    program: str
    since: float
    until: float


class Certainty(StrEnum):
    """How well a session's maker is known."""

    EXACT = "exact"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a session, as far as can be told. `why` is why it is not exact, empty where it is."""

    certainty: Certainty
    instances: tuple[InstanceId, ...] = ()
    program: str = ""
    why: str = ""


class Flows:
    """The flows of all instances, the newest of each. `dropped` counts what there was no room for."""

    def __init__(self, per_instance: int = PER_INSTANCE, instances: int = INSTANCES) -> None:
        self._room = per_instance
        self._most = instances
        self._flows: dict[InstanceId, deque[Flow]] = {}
        self._by_end: dict[End, dict[Flow, None]] = {}
        self._addresses: dict[str, int] = {}
        self.dropped = 0

    def take(self, instance: InstanceId, flows: Iterable[Flow]) -> None:
        """What a sidecar tells of its own instance; a flow that was told before is told anew, longer."""
        mine = self._flows.pop(instance, None) or deque()
        self._flows[instance] = mine
        for flow in flows:
            canonical = _canonical(flow, instance)
            if canonical is None:
                self.dropped += 1
                continue
            self._replace(mine, canonical)
            if len(mine) > self._room:
                self._forget(mine.popleft())
                self.dropped += 1
        while len(self._flows) > self._most:
            oldest = next(iter(self._flows))
            for flow in self._flows.pop(oldest):
                self._forget(flow)

    def forget(self, instance: InstanceId) -> None:
        """Nothing is asked about it any more."""
        for flow in self._flows.pop(instance, ()):
            self._forget(flow)

    def maker(self, address: str, port: int, time: float) -> Maker:
        """Who made the session whose other end the log gives, at a time within it."""
        if not address or not port:
            return Maker(Certainty.UNKNOWN, why="the log does not say from where the session came")
        text = _text(address)
        if text is None:
            return Maker(Certainty.UNKNOWN, why=f"the log names {address[:100]}, which is no address")
        end = End(text, port)
        found = [flow for flow in self._by_end.get(end, ()) if flow.since - SKEW <= time <= flow.until + SKEW]
        if found:
            return _made(found, time)
        if text not in self._addresses:
            return Maker(
                Certainty.UNKNOWN,
                why=f"{text} is the address of no instance that is watched: a pooler, NAT, or another",
            )
        if end in self._by_end:
            return Maker(Certainty.UNKNOWN, why=f"nobody was seen connected from port {port} of {text} at that time")
        return Maker(Certainty.UNKNOWN, why=f"no sidecar saw a connect from port {port} of {text}")

    def _replace(self, mine: deque[Flow], flow: Flow) -> None:
        for same in [each for each in self._by_end.get(flow.local, ()) if _same(each, flow)]:
            mine.remove(same)
            self._forget(same)
            flow = _longer(same, flow)
        mine.append(flow)
        self._by_end.setdefault(flow.local, {})[flow] = None
        self._addresses[flow.local.address] = self._addresses.get(flow.local.address, 0) + 1

    def _forget(self, flow: Flow) -> None:
        here = self._by_end[flow.local]
        del here[flow]
        if not here:
            del self._by_end[flow.local]
        left = self._addresses[flow.local.address] - 1
        if left:
            self._addresses[flow.local.address] = left
        else:
            del self._addresses[flow.local.address]


def _made(found: list[Flow], time: float) -> Maker:
    """Of those that may be meant, those that were seen at that very time count before those near it."""
    certain = [flow for flow in found if flow.since <= time <= flow.until] or found
    instances = tuple(dict.fromkeys(flow.instance for flow in certain))
    programs = {flow.program for flow in certain}
    program = programs.pop() if len(programs) == 1 else ""
    if len(instances) == 1:
        return Maker(Certainty.EXACT, instances, program)
    why = f"{len(instances)} instances were connected from that address and port: they share it"
    return Maker(Certainty.AMBIGUOUS, instances[:MAX_NAMED], program, why)


def _same(one: Flow, other: Flow) -> bool:
    """Whether both are of one connection: the same ends, seen in times that touch."""
    ends = one.instance == other.instance and one.local == other.local and one.remote == other.remote
    return ends and one.since <= other.until and other.since <= one.until + SKEW


def _longer(before: Flow, now: Flow) -> Flow:
    since, until = min(before.since, now.since), max(before.until, now.until)
    return Flow(now.instance, now.local, now.remote, now.program or before.program, since, until)


def _canonical(flow: Flow, instance: InstanceId) -> Flow | None:
    """With addresses in their one text, and of who tells it; None where it is no connection."""
    local, remote = _text(flow.local.address), _text(flow.remote.address)
    ports = all(0 < end.port < 65_536 for end in (flow.local, flow.remote))
    if local is None or remote is None or not ports or not flow.since <= flow.until:
        return None
    return Flow(
        instance, End(local, flow.local.port), End(remote, flow.remote.port), flow.program, flow.since, flow.until
    )


def _text(address: str) -> str | None:
    """An address in its one text, an IPv4 one in IPv6 as IPv4; None where it is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)
