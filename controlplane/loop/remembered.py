"""What the loop remembers of one workload, so that a batch does not read the store. The store stays the truth.

A change is made here and in the store together; where the store refuses, the memory is dropped and read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from controlplane.detect.alert import AlertKey, key_of
from controlplane.detect.foresight import Watch
from controlplane.detect.sentence import Learning
from controlplane.detect.tripwire import blindness
from controlplane.posture.gate import unexplained
from controlplane.posture.latent import Latent, latent_of
from controlplane.posture.scope import Scope
from controlplane.posture.used import Used, used
from controlplane.store.port import InstanceRow, ModeChange, Store, WorkloadRow
from inscope.alert import Alert
from inscope.behaviour import Behaviour
from inscope.capability import Capability, CapabilityKind
from inscope.containment import Containment
from inscope.denial import Denial
from inscope.finding import Finding
from inscope.mode import Mode
from inscope.reference import Entry, Evidence, ReferenceKind
from inscope.workload import InstanceId


@dataclass(slots=True)
class Remembered:
    """`live` are the instances whose stream is open; `lost` counts acts missing from the record of all instances.

    `described` counts the descriptions kept since the workload was read: only `max_binaries` needs it, to stop a flood.
    `containments` are by instance, that of the whole workload under the empty string.
    `latent` and `used` are derived from the rest by `derive`; `blind` is why nobody watches, empty where somebody does.
    """

    row: WorkloadRow
    entries: dict[Entry, Evidence]
    versions: dict[ReferenceKind, int]
    capabilities: dict[CapabilityKind, Capability]
    findings: tuple[Finding, ...]
    alerts: dict[AlertKey, Alert]
    denials: dict[Behaviour, Denial]
    containments: dict[str, Containment]
    learning_ended: Learning | None
    lost: int
    live: dict[InstanceId, InstanceRow]
    blind: str = ""
    described: int = 0
    used: Used = field(default_factory=Used)
    latent: list[Latent] = field(default_factory=list)

    def derive(self) -> None:
        """Bring `used` and `latent` in line with the entries and the surveys."""
        self.used = used(self.entries)
        self.latent = latent_of(self.capabilities, self.entries, self.used)

    @property
    def scope(self) -> Scope:
        """The entries in scope."""
        return Scope(self.entries)

    @property
    def watch(self) -> Watch:
        """What stands now, for an act that comes next."""
        return Watch({finding.tripwire.id: finding for finding in self.findings}, self.capabilities, self.used)

    def learning(self, now: float) -> Learning:
        """How the references came about; while observing, until now."""
        if self.learning_ended is not None:
            return self.learning_ended
        return Learning(max(now - self.row.first_seen, 0.0), len(self.live))

    def record(self, row: InstanceRow) -> None:
        """Replace what is known of a live instance."""
        self.lost += lost_by(row) - lost_by(self.live[row.id])
        self.live[row.id] = row

    def numbered(self, kinds: Iterable[ReferenceKind]) -> dict[ReferenceKind, int]:
        """The next version of each of `kinds`, remembered."""
        grown = {kind: self.versions.get(kind, 0) + 1 for kind in kinds}
        self.versions.update(grown)
        return grown


def remember(store: Store, row: WorkloadRow, live: Iterable[InstanceId]) -> Remembered:
    """Read one workload from the store."""
    instances = store.instances(row.workload)
    open_now = frozenset(live)
    state = Remembered(
        row=row,
        entries=store.entries(row.workload),
        versions=store.versions(row.workload),
        capabilities=store.capabilities(row.workload),
        findings=tuple(store.findings(row.workload)),
        alerts={key_of(alert.behaviour, alert.crossed, alert.verdict): alert for alert in store.alerts(row.workload)},
        denials=store.denials(row.workload),
        containments=store.containments(row.workload),
        learning_ended=learned_until(row, instances, store.mode_changes(row.workload)),
        lost=sum(lost_by(instance) for instance in instances),
        live={instance.id: instance for instance in instances if instance.id in open_now},
    )
    state.blind = blind(state, instances)
    state.derive()
    return state


def learned_until(row: WorkloadRow, instances: Iterable[InstanceRow], changes: Iterable[ModeChange]) -> Learning | None:
    """What had been learned when the workload last left observe; None while it observes."""
    if row.mode is Mode.OBSERVE:
        return None
    ended = judged_since(changes) or row.first_seen
    before = [instance for instance in instances if instance.sequence and instance.first_seen < ended]
    return Learning(max(ended - row.first_seen, 0.0), len(before))


def judged_since(changes: Iterable[ModeChange]) -> float:
    """When a workload last left observe, in seconds since the epoch; 0 where it observes, or began so strictly."""
    since = 0.0
    for change in changes:
        if change.mode is Mode.OBSERVE:
            since = 0.0
        elif not since:
            since = change.time
    return since


def blind(state: Remembered, instances: Iterable[InstanceRow]) -> str:
    """Why the source of all tripwires cannot see; `instances` are read only where no live one has said anything yet."""
    reporting = [row.coverage for row in state.live.values() if row.coverage]
    if reporting:
        return blindness(reporting, live=True)
    reported = [row.coverage for row in instances if row.coverage]
    return blindness(reported[-1:], live=False)


def lost_by(row: InstanceRow) -> int:
    """Acts of one instance that are missing from the record, and those that the control plane dropped."""
    return unexplained(row.coverage) + row.rejected
