"""The loop: facts in, pure functions, one transaction, what changed out. Synchronous, and used by one thread.

Everything a batch does is committed together with its `(epoch, sequence)`, or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from controlplane.detect.dry_run import DenialGroup
from controlplane.detect.technique import KNOWN, Techniques
from controlplane.detect.two_way import TwoWay, TwoWayFinding, two_way
from controlplane.loop.batch import InForce, Outcome, ReceivedBatch
from controlplane.loop.declaring import dated, named_in, same_scope
from controlplane.loop.detail import WorkloadDetail, WorkloadSummary
from controlplane.loop.intake import Intake
from controlplane.loop.logged import Logged, LoggedAct, Taken
from controlplane.loop.memory import Memory
from controlplane.loop.orders import Orders
from controlplane.loop.presence import closed, in_effect, reopened, seen
from controlplane.loop.reading import History, detail_of, summary_of, versions_of
from controlplane.loop.refusal import UnknownInstanceError
from controlplane.loop.rehearsal import rehearse
from controlplane.loop.remembered import Remembered
from controlplane.loop.settings import DEFAULTS, LoopSettings
from controlplane.loop.unenrolled import forgettable
from controlplane.posture.gate import Gate
from controlplane.posture.logs import merged
from controlplane.posture.outside import Outside
from controlplane.posture.window import Window
from controlplane.store.port import InstanceRow, JoinTokenRow, ModeChange, Store, WorkloadRow
from inscope.alert import Alert
from inscope.binary import Binary
from inscope.containment import Containment
from inscope.coverage import Source
from inscope.effect import Effect
from inscope.exercise import Exercise, LogCoverage
from inscope.finding import Finding
from inscope.grant import Declaration
from inscope.mode import Mode
from inscope.reference import TOLD_BY_LOGS, ReferenceKind, ReferenceVersion, binary_sha256, can_be_in_scope
from inscope.workload import Instance, InstanceId, Workload

BY_JOIN_TOKEN = "join token"


class Loop:
    """See the module. Times are seconds since the epoch by the control plane's clock."""

    def __init__(
        self,
        store: Store,
        settings: LoopSettings = DEFAULTS,
        techniques: Techniques = KNOWN,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._store = store
        self._settings = settings
        self._memory = Memory(store, techniques, entropy)
        self._intake = Intake(self._memory, settings)
        self._orders = Orders(self._memory, settings)
        self._logged = Logged(self._memory, settings)

    # What streams do ----------------------------------------------------------------------------------------------

    def enter(self, instance: Instance, mode: Mode, now: float) -> InstanceRow:
        """A stream opens. `mode` counts only for a workload not seen before.

        Raises:
            UnknownInstanceError: the instance belongs to another workload.
        """
        known = self._store.instance(instance.id)
        if known and known.workload != instance.workload:
            raise UnknownInstanceError(instance.id, f"it belongs to {known.workload}")
        row = reopened(known) if known else InstanceRow(instance.id, instance.workload, now, now)
        with self._store.transaction():
            self._introduce(instance.workload, mode, now)
            self._begin(instance.workload, now)
            self._store.put_instance(row)
        self._memory.live[instance.id] = instance.workload
        with self._memory.changing(instance.workload) as state:
            state.live[instance.id] = row
            self._memory.look(state, now)
        return row

    def leave(self, instance: InstanceId, now: float) -> None:
        """The stream closed: from now on nothing is seen until it opens again."""
        workload = self._memory.live.pop(instance, None)
        if workload is None:
            return
        row = self._store.instance(instance)
        with self._memory.changing(workload) as state:
            state.live.pop(instance, None)
            if row is not None:
                self._store.put_instance(closed(row, now))
            self._memory.look(state, now)

    def finish(self, instance: InstanceId, exit_status: int, now: float) -> None:
        """The agent ended by itself.

        Raises:
            UnknownInstanceError: its stream is not open.
        """
        with self._memory.changing(self._memory.owner(instance)) as state:
            self._memory.put_live(state, replace(seen(state.live[instance], now), exit_status=exit_status))

    def acknowledge(self, instance: InstanceId, versions: tuple[ReferenceVersion, ...], now: float) -> None:
        """An instance holds these now.

        Raises:
            UnknownInstanceError: its stream is not open.
        """
        with self._memory.changing(self._memory.owner(instance)) as state:
            row = replace(seen(state.live[instance], now), acknowledged=versions, refused="")
            self._memory.put_live(state, row)

    def reject(self, instance: InstanceId, why: str, now: float) -> None:
        """An instance did not take what was pushed, and goes on as before.

        Raises:
            UnknownInstanceError: its stream is not open.
        """
        with self._memory.changing(self._memory.owner(instance)) as state:
            self._memory.put_live(state, replace(seen(state.live[instance], now), refused=why))

    def takes_effect(self, instance: InstanceId, effect: Effect, now: float) -> None:
        """What an instance really does from now on, by the word of its init.

        Raises:
            UnknownInstanceError: its stream is not open.
        """
        with self._memory.changing(self._memory.owner(instance)) as state:
            self._memory.put_live(state, in_effect(seen(state.live[instance], now), effect, now))

    def in_force(self, workload: Workload) -> InForce:
        """What sidecars judge by; for an unknown workload, nothing in observe."""
        state = self._memory.known(workload)
        if state is None:
            return InForce(Mode.OBSERVE, (), ())
        judged_there = (entry for entry in state.scope if entry.reference not in TOLD_BY_LOGS)
        entries = tuple(sorted(filter(can_be_in_scope, judged_there)))
        return InForce(state.row.mode, versions_of(state), entries, dict(state.containments))

    def receive(self, instance: InstanceId, batch: ReceivedBatch, now: float) -> Outcome:
        """Take a batch, once: learn or judge, survey, cover, commit.

        An act is judged by the mode that holds when it arrives, even if it was spooled before.

        Raises:
            UnknownInstanceError: the instance's stream is not open.
            StoreError: nothing of the batch was kept.
        """
        row = self._memory.state(self._memory.owner(instance)).live[instance]
        if batch.epoch == row.epoch and batch.sequence <= row.sequence:
            return Outcome(row.sequence)
        with self._memory.changing(row.workload) as state:
            return self._intake.take(state, row, batch, now)

    # What authorities say -----------------------------------------------------------------------------------------

    def declare(self, declaration: Declaration, now: float) -> frozenset[Workload]:
        """Take what an authority declares in a scope, instead of what it did before; the workloads it names.

        Raises:
            StoreError: nothing of it was kept.
        """
        named = named_in(declaration)
        with self._memory.changing_any():
            before = next((each for each in self._memory.declarations if same_scope(each, declaration)), None)
            self._memory.put_declaration(dated(declaration, before))
            self._logged.forget()
            for workload in named:
                self._introduce(workload, Mode.OBSERVE, now)
            self._compare_anew(now)
        return named

    def exercised(self, source: Source, scope: str, exercises: Sequence[Exercise], now: float) -> Taken:
        """Take events of an authority's log, each once, whatever their order.

        Raises:
            StoreError: nothing of it was kept.
        """
        return self._logged.take(source, scope, exercises, now)

    def covered(self, coverage: LogCoverage, now: float) -> None:
        """A log covered this much: what was never used in it may now be called so.

        Raises:
            StoreError: nothing of it was kept.
        """
        window = Window(0.0, now)  # an event of the future is no coverage of it
        coverage = replace(coverage, since=window.clamp(coverage.since), until=window.clamp(coverage.until))
        with self._memory.changing_any():
            before = self._memory.logs.covered.get((coverage.source, coverage.scope))
            after = merged(before, coverage)
            self._store.put_log(after)
            self._memory.forget_logs()
            if before is None or after.seen != before.seen or after.since < before.since:
                self._compare_anew(
                    now
                )  # something may be observable now that was not; time alone is looked at when asked

    def witness(self, workload: Workload, source: Source, acts: Sequence[LoggedAct], now: float) -> Taken:
        """Acts of one workload, as if a log had told of them."""
        return self._logged.witness(workload, source, "", acts, now)

    def logs(self) -> list[LogCoverage]:
        """What the authorities' logs have covered."""
        return self._store.logs()

    def outside(self, workload: Workload) -> Outside:
        """What authorities say of a workload: chain, gap, and what it reaches.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        state = self._memory.state(workload)
        state.derive(self._memory.declared, self._memory.logs)
        return state.outside

    # What operators do --------------------------------------------------------------------------------------------

    def set_mode(
        self,
        workload: Workload,
        mode: Mode,
        force: bool,
        by: str,
        now: float,
        reference: ReferenceKind | None = None,
    ) -> list[Gate]:
        """See `Orders.set_mode`."""
        return self._orders.set_mode(workload, mode, force, by, now, reference)

    def approve(self, alert_id: str, reason: str, by: str, now: float) -> Alert:
        """See `Orders.approve`."""
        return self._orders.approve(alert_id, reason, by, now)

    def approve_group(self, group_id: str, reason: str, by: str, now: float) -> DenialGroup:
        """See `Orders.approve_group`."""
        return self._orders.approve_group(group_id, reason, by, now)

    def dry_run(self, workload: Workload, since: float) -> list[DenialGroup]:
        """See `Orders.dry_run`."""
        return self._orders.dry_run(workload, since)

    def contain(
        self,
        workload: Workload,
        instance: InstanceId | None,
        containment: Containment,
        order: tuple[str, str],
        now: float,
    ) -> None:
        """See `Orders.contain`."""
        self._orders.contain(workload, instance, containment, order, now)

    def owner(self, instance: InstanceId) -> Workload:
        """The workload of an instance, running or not.

        Raises:
            UnknownInstanceError: it never entered.
        """
        row = self._store.instance(instance)
        if row is None:
            raise UnknownInstanceError(instance)
        return row.workload

    def summaries(self, now: float) -> list[WorkloadSummary]:
        """One line for each workload."""
        return [summary_of(state, self._orders.runs(state, now)) for state in self._memory.chosen(None)]

    def detail(self, workload: Workload, now: float, entries: bool) -> WorkloadDetail:
        """Everything about one workload.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        state = self._memory.state(workload)
        history = History(tuple(self._store.mode_changes(workload)), tuple(self._store.orders(workload)))
        return detail_of(state, self._orders.runs(state, now), history, self._binaries(state), entries=entries)

    def findings(self, workload: Workload | None, now: float) -> list[Finding]:
        """What is held and unused as of `now`, of one workload or of all.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        self._require(workload)
        found: list[Finding] = []
        for state in self._memory.chosen(workload):
            state.derive(self._memory.declared, self._memory.logs)
            found += self._memory.found(state, now)
        return found

    def alerts(self, workload: Workload | None, since: float) -> list[Alert]:
        """Alerts last seen at `since` or later, oldest first.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        self._require(workload)
        return self._store.alerts(workload, since)

    def _require(self, workload: Workload | None) -> None:
        """A name that nobody bears is a typo, and must not pass for a workload with nothing to tell."""
        if workload is not None:
            self._memory.state(workload)

    def two_way(self, workload: Workload | None, prove: bool, now: float) -> TwoWay:
        """Both directions of the loop. With `prove`, each armed tripwire is fired in a scratch copy of the store.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        self._require(workload)
        states = self._memory.chosen(workload)
        found = self._rehearsed(states, now) if prove else self._unproven(states, now)
        return two_way(found, self.alerts(workload, 0.0))

    def issue_token(self, row: JoinTokenRow) -> None:
        """Keep a join token. Its workload is known from now on: should nobody redeem it, that is a lost run."""
        with self._store.transaction():
            self._introduce(row.workload, row.mode, row.issued)
            self._store.drop_join_tokens(forgettable(self._store.join_tokens(row.workload), row.issued))
            self._store.put_join_token(row)

    def withdraw_token(self, token_sha256: str) -> None:
        """Forget a token whose run was never started."""
        self._store.drop_join_tokens([token_sha256])

    def redeem_token(self, token_sha256: str, now: float) -> JoinTokenRow | None:
        """The token, which is used up by this; None where it is unknown, used or expired."""
        return self._store.take_join_token(token_sha256, now)

    # Parts of the above -------------------------------------------------------------------------------------------

    def _compare_anew(self, now: float) -> None:
        """Every workload with what authorities say. Those that are not remembered are compared as they are read."""
        remembered = list(self._memory.states.values())
        self._memory.chosen(None)
        for state in remembered:
            self._memory.refresh(state, now)

    def _introduce(self, workload: Workload, mode: Mode, now: float) -> None:
        if self._store.workload(workload) is not None:
            return
        self._store.put_workload(WorkloadRow(workload, mode, now, now))
        if mode is not Mode.OBSERVE:
            self._store.add_mode_change(ModeChange(now, workload, mode, BY_JOIN_TOKEN, forced=True))

    def _begin(self, workload: Workload, now: float) -> None:
        """Learning begins with the first instance that comes, however long ago a run was announced that never did."""
        row = self._store.workload(workload)
        if row is not None and row.first_seen != now and not self._store.instances(workload):
            self._store.put_workload(replace(row, first_seen=now, last_seen=max(row.last_seen, now)))
            self._memory.states.pop(workload, None)

    def _instances(self, state: Remembered) -> list[InstanceRow]:
        return self._store.instances(state.row.workload)

    def _binaries(self, state: Remembered) -> list[Binary]:
        digests = filter(None, map(binary_sha256, state.entries))
        return sorted(self._store.binaries(digests).values(), key=lambda binary: (binary.path, binary.sha256))

    def _unproven(self, states: Sequence[Remembered], now: float) -> list[TwoWayFinding]:
        return [TwoWayFinding(finding) for state in states for finding in self._memory.found(state, now)]

    def _rehearsed(self, states: Sequence[Remembered], now: float) -> list[TwoWayFinding]:
        with closing(self._store.scratch_copy()) as copy:
            stage = Loop(copy, self._settings, self._memory.techniques, self._memory.entropy)
            return [proof for state in states for proof in self._proofs(stage, state, now)]

    def _proofs(self, stage: Loop, state: Remembered, now: float) -> list[TwoWayFinding]:
        found = self._memory.found(state, now)
        if not found:
            return []
        last = self._instances(state)[-1:]  # none where only logs tell of the workload
        player = Instance(last[0].id, last[0].workload) if last else None
        return rehearse(stage, state, found, player, now, self._memory.fresh)
