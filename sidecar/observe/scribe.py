"""Puts a behaviour down as an observation of this instance: with its time, its names, its ancestry and its verdict."""

from __future__ import annotations

from inscope.behaviour import Behaviour
from inscope.observation import Observation
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.normalise.paths import Generaliser
from sidecar.normalise.text import text_of
from sidecar.observe.bodies import Head
from sidecar.observe.drafts import Draft
from sidecar.observe.kinds import Flag
from sidecar.observe.processes import Process
from sidecar.observe.records import HelloRecord
from sidecar.observe.syscall_numbers import call_name
from sidecar.observe.wall_clock import SECOND_NS, Clocks, WallClock

# Plain integers: `&` with an IntFlag costs a microsecond, for each record.
_DENIED, _FOREIGN, _CUT = int(Flag.DENIED), int(Flag.FOREIGN), int(Flag.CUT)


class Scribe:
    """Knows the instance, and init's clock and machine."""

    def __init__(self, instance: InstanceId, hello: HelloRecord, clocks: Clocks, generaliser: Generaliser) -> None:
        self._instance = instance
        self._generaliser = generaliser
        self.began_ns = hello.body.realtime_ns
        """When the watching began, in nanoseconds since the epoch."""
        self.reconnected(hello, clocks)

    def reconnected(self, hello: HelloRecord, clocks: Clocks) -> None:
        """The same init is back after its connection was lost."""
        self.machine = hello.body.machine
        self._clock = WallClock(hello.body.realtime_ns, hello.head.time_ns, clocks)

    def resync(self, clocks: Clocks) -> None:
        """Tell what time it is: once per packet."""
        self._clock.resync(clocks)

    def seconds(self, head: Head) -> float:
        """When a record was made, in seconds since the epoch."""
        return self._clock.seconds(head.time_ns)

    @property
    def began(self) -> float:
        """When the watching began, in seconds since the epoch."""
        return self.began_ns / SECOND_NS

    def observation(self, head: Head, process: Process, behaviour: Behaviour) -> Observation:
        """What the process did."""
        return Observation(self._instance, self.seconds(head), behaviour, process.ancestry, _verdict(head))

    def draft(self, head: Head, process: Process, behaviour: Behaviour) -> Draft:
        """The same, where nothing is to be hashed."""
        return Draft(self.observation(head, process, behaviour))

    def path(self, raw: bytes) -> str:
        """A path's general name."""
        return self._generaliser.path(text_of(raw))

    def call(self, nr: int, head: Head) -> str:
        """The name of a call of init's own ABI; empty for a foreign one's."""
        return "" if head.flags & _FOREIGN else call_name(self.machine, nr).name


def _verdict(head: Head) -> Verdict:
    """What init had answered by itself."""
    if not head.flags & _DENIED:
        return Verdict.ALLOW
    return Verdict.QUARANTINE if head.flags & _CUT else Verdict.DENY
