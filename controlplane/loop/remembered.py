"""What the loop remembers of one workload, so that a batch does not read the store. The store stays the truth.

A change is made here and in the store together; where the store refuses, the memory is dropped and read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from controlplane.detect.alert import AlertKey, key_of
from controlplane.detect.foresight import Watch
from controlplane.detect.sentence import Learning
from controlplane.detect.tripwire import blindness
from controlplane.posture.chain import Declared
from controlplane.posture.gate import unexplained
from controlplane.posture.latent import Latent, latent_of
from controlplane.posture.logs import Logs
from controlplane.posture.outside import Outside, outside_of
from controlplane.posture.scope import Scope
from controlplane.posture.used import Used, used
from controlplane.store.port import InstanceRow, LogDay, ModeChange, Store, WorkloadRow
from inscope.alert import Alert
from inscope.behaviour import Behaviour
from inscope.capability import Capability, CapabilityKind
from inscope.containment import Containment
from inscope.denial import Denial
from inscope.finding import Finding
from inscope.mode import Mode
from inscope.reference import TOLD_BY_LOGS, Entry, Evidence, ReferenceKind
from inscope.workload import InstanceId


@dataclass(slots=True)
class Remembered:
    """`live` are the instances whose stream is open; `lost` counts acts missing from the record of all instances.

    `described` counts the descriptions kept since the workload was read: only `max_binaries` needs it, to stop a flood.
    `containments` are by instance, that of the whole workload under the empty string.
    `log_days` are what logs told, by the id that stands for it in evidence; `logs_ended` is when learning from them
    ended (0: it goes on, or they were never learned from).
    `latent`, `used` and `outside` are derived from the rest by `derive`; `blind` is why nobody watches, empty where
    somebody does.
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
    log_days: dict[InstanceId, LogDay] = field(default_factory=dict)
    logs_ended: float = 0.0
    used: Used = field(default_factory=Used)
    outside: Outside = field(default_factory=Outside)
    latent: list[Latent] = field(default_factory=list)

    def derive(self, declared: Declared, logs: Logs) -> None:
        """Bring what is derived in line with the entries, the surveys, and what authorities declare and log."""
        self.used = used(self.entries)
        self.outside = outside_of(self.row.workload, declared, self.entries, logs)
        self.latent = latent_of(self.capabilities, self.entries, self.used, self.outside.unused)

    def mode_of(self, reference: ReferenceKind) -> Mode:
        """The mode that one reference is in."""
        return self.row.apart.get(reference, self.row.mode)

    @property
    def learning_kinds(self) -> frozenset[ReferenceKind]:
        """The references that learn, and judge nothing."""
        return frozenset(kind for kind in ReferenceKind if self.mode_of(kind) is Mode.OBSERVE)

    @property
    def judged_kinds(self) -> frozenset[ReferenceKind]:
        """The others."""
        return frozenset(ReferenceKind) - self.learning_kinds

    @property
    def scope(self) -> Scope:
        """The entries in scope."""
        return Scope(self.entries)

    @property
    def watch(self) -> Watch:
        """What stands now, for an act that comes next."""
        findings = {finding.tripwire.id: finding for finding in self.findings}
        return Watch(findings, self.capabilities, self.used, self.outside.unused)

    def learning(self, now: float) -> Learning:
        """How the references came about; while observing, until now."""
        if self.learning_ended is not None:
            return self.learning_ended
        return Learning(max(now - self.row.first_seen, 0.0), len(self.live))

    def learning_from_logs(self, now: float) -> Learning:
        """How the references came about that are learned from logs; a day of a log is a session."""
        ended = self.logs_ended or now
        before = [day for day in self.log_days.values() if day.first_seen < ended]
        if not before:
            return Learning(0.0, 0, "day")
        return Learning(max(ended - min(day.first_seen for day in before), 0.0), len(before), "day")

    def record(self, row: InstanceRow) -> None:
        """Replace what is known of a live instance."""
        self.lost += lost_by(row) - lost_by(self.live[row.id])
        self.live[row.id] = row

    def numbered(self, kinds: Iterable[ReferenceKind]) -> dict[ReferenceKind, int]:
        """The next version of each of `kinds`, remembered."""
        grown = {kind: self.versions.get(kind, 0) + 1 for kind in kinds}
        self.versions.update(grown)
        return grown


def remember(store: Store, row: WorkloadRow, live: Iterable[InstanceId], declared: Declared, logs: Logs) -> Remembered:
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
        log_days={day.id: day for day in store.log_days(row.workload)},
        logs_ended=judged_since(store.mode_changes(row.workload), TOLD_BY_LOGS),
    )
    state.blind = blind(state, instances)
    state.derive(declared, logs)
    return state


def learned_until(row: WorkloadRow, instances: Iterable[InstanceRow], changes: Iterable[ModeChange]) -> Learning | None:
    """What had been learned when the workload last left observe; None while it observes."""
    if row.mode is Mode.OBSERVE:
        return None
    ended = judged_since(changes) or row.first_seen
    before = [instance for instance in instances if instance.sequence and instance.first_seen < ended]
    return Learning(max(ended - row.first_seen, 0.0), len(before))


def judged_since(changes: Iterable[ModeChange], apart: Collection[ReferenceKind] = ()) -> float:
    """When a workload last left observe, in seconds since the epoch; 0 where it observes, or began so strictly. Changes
    of one reference count only where it is in `apart`.
    """
    since = 0.0
    for change in changes:
        if change.reference is not None and change.reference not in apart:
            continue
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
