"""What the loop remembers, and how it changes: with the store in one transaction, or it is dropped and read again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from controlplane.detect.alert import AlertKey
from controlplane.detect.reenact import behaviour_of
from controlplane.detect.technique import KNOWN, Techniques
from controlplane.detect.tripwire import arm
from controlplane.loop.declaring import same_scope
from controlplane.loop.refusal import UnknownInstanceError, UnknownWorkloadError
from controlplane.loop.remembered import Remembered, blind, remember
from controlplane.posture.attribution import Directory, directory_of
from controlplane.posture.chain import Declared, declared_of
from controlplane.posture.finding import Desk, Witness, findings
from controlplane.posture.logs import Logs
from controlplane.store.port import InstanceRow, Order, Store
from inscope.alert import Alert
from inscope.containment import Containment
from inscope.finding import Finding
from inscope.grant import Declaration
from inscope.reference import Entry, Evidence, ReferenceKind
from inscope.workload import InstanceId, Workload


@dataclass(slots=True)
class Memory:
    """The workloads that were asked for, and the instances whose streams are open.

    `techniques` explain what is doubted; `entropy` gives that many random bytes.
    """

    store: Store
    techniques: Techniques = KNOWN
    entropy: Callable[[int], bytes] = os.urandom
    live: dict[InstanceId, Workload] = field(default_factory=dict)
    states: dict[Workload, Remembered] = field(default_factory=dict)
    _declarations: tuple[Declaration, ...] | None = None
    _declared: Declared | None = None
    _directory: Directory | None = None
    _logs: Logs | None = None
    _within: bool = False

    @contextmanager
    def changing(self, workload: Workload) -> Iterator[Remembered]:
        """One transaction over one workload.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        state = self.state(workload)
        try:
            with self._transaction():
                yield state
        except BaseException:
            self.states.pop(workload, None)
            raise

    @contextmanager
    def changing_any(self) -> Iterator[None]:
        """One transaction over as many workloads as it takes, and over what authorities declare and log."""
        try:
            with self._transaction():
                yield
        except BaseException:
            self.states.clear()
            self.forget_outside()
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """The store's, or the one that is under way: a workload may be read, and found anew, in the midst of one."""
        if self._within:
            yield
            return
        self._within = True
        try:
            with self.store.transaction():
                yield
        finally:
            self._within = False

    def state(self, workload: Workload) -> Remembered:
        """What is remembered of `workload`, read from the store where it is not yet.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        state = self.known(workload)
        if state is None:
            raise UnknownWorkloadError(workload)
        return state

    def known(self, workload: Workload) -> Remembered | None:
        """As `state`, but None for an unknown one."""
        return self.states.get(workload) or self._read(workload)

    def chosen(self, workload: Workload | None) -> list[Remembered]:
        """That one, or all where it is None; none for an unknown one."""
        names = [row.workload for row in self.store.workloads()] if workload is None else [workload]
        return [state for state in map(self.known, names) if state is not None]

    def owner(self, instance: InstanceId) -> Workload:
        """The workload of a live instance.

        Raises:
            UnknownInstanceError: its stream is not open.
        """
        workload = self.live.get(instance)
        if workload is None:
            raise UnknownInstanceError(instance)
        return workload

    def _read(self, workload: Workload) -> Remembered | None:
        row = self.store.workload(workload)
        if row is None:
            return None
        live = [instance for instance, owner in self.live.items() if owner == workload]
        state = remember(self.store, row, live, self.declared, self.logs)
        if {finding.tripwire.id for finding in state.findings} != {latent.watch for latent in state.latent}:
            with self._transaction():  # found by another version of inscope: what it did not know needs a number
                self._find(state, row.last_seen)
        self.states[workload] = state
        return state

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """The newest of each authority and scope."""
        if self._declarations is None:
            self._declarations = tuple(self.store.declarations())
        return self._declarations

    def put_declaration(self, declaration: Declaration) -> None:
        """Keep it instead of the one before."""
        others = [each for each in self.declarations if not same_scope(each, declaration)]
        self.store.put_declaration(declaration)
        self.forget_outside()
        self._declarations = (*others, declaration)

    @property
    def declared(self) -> Declared:
        """What all authorities declare."""
        if self._declared is None:
            self._declared = declared_of(self.declarations)
        return self._declared

    @property
    def directory(self) -> Directory:
        """Who runs as what."""
        if self._directory is None:
            self._directory = directory_of(self.declarations)
        return self._directory

    @property
    def logs(self) -> Logs:
        """What their logs cover."""
        if self._logs is None:
            self._logs = Logs({(coverage.source, coverage.scope): coverage for coverage in self.store.logs()})
        return self._logs

    def forget_logs(self) -> None:
        """What logs cover has changed."""
        self._logs = None

    def forget_outside(self) -> None:
        """What authorities declare or log has changed, or was not kept after all: it is read again when needed."""
        self._declarations = self._declared = self._logs = self._directory = None

    def put_live(self, state: Remembered, row: InstanceRow) -> None:
        """Keep the row of a live instance."""
        self.store.put_instance(row)
        state.record(row)

    def put_entries(
        self, state: Remembered, evidence: Mapping[Entry, Evidence], grown: Iterable[ReferenceKind]
    ) -> None:
        """Keep entries, and give each reference in `grown` its next version."""
        self.store.put_entries(state.row.workload, evidence)
        self.store.put_versions(state.row.workload, state.numbered(grown))
        state.entries.update(evidence)

    def next_alert(self) -> str:
        """A new alert's id."""
        return f"AL-{self.store.next_number('AL')}"

    def put_alerts(self, state: Remembered, alerts: Mapping[AlertKey, Alert]) -> None:
        """Keep alerts that were raised or counted again."""
        for alert in alerts.values():
            self.store.put_alert(alert)
        state.alerts.update(alerts)

    def put_containment(self, state: Remembered, containment: Containment, order: Order) -> None:
        """Cut off, or release, whom the order names."""
        self.store.put_containment(order.workload, order.instance, containment)
        self.store.add_order(order)
        state.containments[order.instance] = containment

    def look(self, state: Remembered, now: float) -> None:
        """See whether the sources still see; where that changed, the tripwires are armed anew."""
        reporting = any(row.coverage for row in state.live.values())
        now_blind = blind(state, () if reporting else self.store.instances(state.row.workload))
        if now_blind != state.blind:
            state.blind = now_blind
            self.refresh(state, now)

    def refresh(self, state: Remembered, now: float) -> None:
        """Find anew, and keep what was found."""
        state.derive(self.declared, self.logs)
        self._find(state, now)

    def _find(self, state: Remembered, now: float) -> None:
        state.findings = self.found(state, now)
        self.store.put_findings(state.row.workload, state.findings)

    def found(self, state: Remembered, now: float) -> tuple[Finding, ...]:
        """The findings as of `now`."""
        desk = Desk(
            workload=state.row.workload,
            versions=state.versions,
            witness=Witness(state.learning(now).seconds, state.lost, state.blind),
            now=now,
            number=self.store.next_number,
            arm=lambda latent: arm(latent, state.mode_of(latent.reference), state.blind),
            doubt=self._doubt,
        )
        return findings(state.latent, state.findings, desk)

    def fresh(self) -> str:
        """64 random hex digits."""
        return self.entropy(32).hex()

    def _doubt(self, entry: Entry) -> str:
        act = behaviour_of(entry, self.fresh)
        rules = [rule for rule in self.techniques.matching(act) if rule.provisional] if act else []
        return f"{rules[0].name} ({', '.join(rules[0].ids)})" if rules else "it matches a known technique"
