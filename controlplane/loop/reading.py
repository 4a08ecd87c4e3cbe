"""What operators read, put together from what is remembered and the instances' rows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from controlplane.loop.detail import InstanceDetail, ReferenceDetail, WorkloadDetail, WorkloadSummary
from controlplane.loop.remembered import Remembered, lost_by
from controlplane.loop.unenrolled import UnenrolledRun
from controlplane.posture.gate import Gate, Record, Session
from controlplane.store.port import InstanceRow, ModeChange, Order
from inscope.binary import Binary
from inscope.containment import Containment, containment_of
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.reference import TOLD_BY_LOGS, ReferenceKind, ReferenceVersion

LEARNED_HERE = (ReferenceKind.ENVELOPE, ReferenceKind.INVENTORY)
"""The references that are learned from what sidecars see."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a workload, those that enrolled and those that did not, and how ready they made it."""

    instances: tuple[InstanceRow, ...]
    unenrolled: tuple[UnenrolledRun, ...]
    gates: tuple[Gate, ...]
    enforce_gates: tuple[Gate, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What was ordered, oldest first."""

    mode_changes: tuple[ModeChange, ...]
    orders: tuple[Order, ...]


def record_of(
    state: Remembered, instances: Sequence[InstanceRow], announced: Iterable[UnenrolledRun], now: float
) -> Record:
    """What the gates look at: an instance that delivered nothing is not a session."""
    sessions = [Session(row.first_seen, row.last_seen, lost_by(row)) for row in instances if row.sequence]
    lost_runs = [run.issued for run in announced if run.lost]
    entries = {entry: evidence for entry, evidence in state.entries.items() if entry.reference not in TOLD_BY_LOGS}
    return Record(state.row.first_seen, now, entries, sessions, lost_runs)


def record_of_logs(state: Remembered, now: float) -> Record:
    """The same of what logs tell: a day of a log is a session."""
    days = state.log_days.values()
    entries = {entry: evidence for entry, evidence in state.entries.items() if entry.reference in TOLD_BY_LOGS}
    sessions = [Session(day.first_seen, day.last_seen, day.lost) for day in days]
    return Record(min((day.first_seen for day in days), default=now), now, entries, sessions)


def summary_of(state: Remembered, runs: Runs) -> WorkloadSummary:
    """One line about a workload."""
    return WorkloadSummary(
        workload=state.row.workload,
        mode=state.row.mode,
        first_seen=state.row.first_seen,
        last_seen=state.row.last_seen,
        live_instances=len(state.live),
        instances=len(runs.instances),
        findings=len(state.findings),
        alerts=len(state.alerts),
        ready=all(gate.met for gate in runs.gates),
        lost_runs=sum(run.lost for run in runs.unenrolled),
        last_exit_status=runs.instances[-1].exit_status if runs.instances else -1,
        containment=state.containments.get("", Containment.FREE),
        contained_instances=sum(
            containment_of(state.containments, instance) is not Containment.FREE for instance in state.live
        ),
        apart=state.row.apart,
        log_days=len(state.log_days),
    )


def detail_of(
    state: Remembered, runs: Runs, history: History, binaries: Sequence[Binary], *, entries: bool
) -> WorkloadDetail:
    """Everything about a workload; the references' entries and the binaries behind them only where asked for."""
    return WorkloadDetail(
        summary=summary_of(state, runs),
        instances=tuple(_instance(state, row) for row in runs.instances),
        gates=runs.gates,
        references=tuple(_reference(state, version, entries) for version in versions_of(state)),
        enforce_gates=runs.enforce_gates,
        mode_changes=history.mode_changes,
        orders=history.orders,
        unenrolled=runs.unenrolled,
        linkages=Counter(binary.elf.linkage for binary in binaries),
        binaries=tuple(binaries) if entries else (),
    )


def _instance(state: Remembered, row: InstanceRow) -> InstanceDetail:
    ordered = containment_of(state.containments, row.id)
    return InstanceDetail(_counting_rejected(row), row.id in state.live, ordered)


def versions_of(state: Remembered) -> tuple[ReferenceVersion, ...]:
    """The references of a workload: those learned here always, the others once they have entries."""
    kinds = dict.fromkeys((*LEARNED_HERE, *sorted(state.versions)))
    return tuple(ReferenceVersion(kind, state.versions.get(kind, 0)) for kind in kinds)


def _reference(state: Remembered, version: ReferenceVersion, entries: bool) -> ReferenceDetail:
    mine = [item for item in state.entries.items() if item[0].reference is version.kind]
    dimensions = Counter(entry.dimension for entry, _ in mine)
    return ReferenceDetail(version, dimensions, tuple(sorted(mine, key=lambda item: item[0])) if entries else ())


def _counting_rejected(row: InstanceRow) -> InstanceRow:
    """The row with what the control plane dropped among the losses of its main source."""
    if not row.rejected:
        return row
    mine = [source for source in row.coverage if source.source is Source.INIT]
    main = mine[0] if mine else SourceCoverage(Source.INIT, row.first_seen, row.last_seen, {})
    losses = {**main.losses, LossCause.REJECTED: main.losses.get(LossCause.REJECTED, 0) + row.rejected}
    others = tuple(source for source in row.coverage if source.source is not Source.INIT)
    return replace(row, coverage=(replace(main, losses=losses), *others))
