"""What operators order: modes, approvals, and who is cut off. Each is one transaction, with a line in the audit
trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from controlplane.detect.alert import key_of
from controlplane.detect.dry_run import DenialGroup, grouped, still_denied
from controlplane.loop.approval import vouched, vouched_group
from controlplane.loop.memory import Memory
from controlplane.loop.reading import Runs, record_of, record_of_logs
from controlplane.loop.refusal import (
    GateNotMetError,
    NoReasonError,
    NotApartError,
    UnknownAlertError,
    UnknownGroupError,
    UnknownInstanceError,
)
from controlplane.loop.remembered import Remembered, judged_since, learned_until
from controlplane.loop.settings import LoopSettings
from controlplane.loop.unenrolled import unenrolled
from controlplane.posture.gate import DAY, Gate, Trial, enforce_gates, gates
from controlplane.store.port import ModeChange, Order
from inscope.alert import Alert
from inscope.containment import Containment
from inscope.mode import Mode
from inscope.reference import TOLD_BY_LOGS, Entry, Evidence, ReferenceKind
from inscope.workload import InstanceId, Workload

_STRICTNESS = tuple(Mode).index

_ACTS = {Containment.FREE: "release", Containment.QUARANTINED: "quarantine", Containment.FROZEN: "freeze"}


@dataclass(frozen=True, slots=True)
class Orders:
    """Where orders are carried out. Times are seconds since the epoch by the control plane's clock."""

    memory: Memory
    settings: LoopSettings

    def set_mode(
        self,
        workload: Workload,
        mode: Mode,
        force: bool,
        by: str,
        now: float,
        reference: ReferenceKind | None = None,
    ) -> list[Gate]:
        """Move a workload, or one `reference` of it that logs tell of; the gates for that mode. They are judged on the
        way to a stricter one only.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
            NotApartError: the reference cannot be in a mode of its own.
            GateNotMetError: stricter than before, not forced, and a gate is not met.
        """
        state = self.memory.state(workload)
        if reference is not None and reference not in TOLD_BY_LOGS:
            raise NotApartError(reference)
        judged = self.gates_for(mode, state, now, reference)
        moved = [kind for kind in ([reference] if reference else ReferenceKind) if state.mode_of(kind) is not mode]
        stricter = any(_STRICTNESS(mode) > _STRICTNESS(state.mode_of(kind)) for kind in moved)
        unmet = stricter and not all(gate.met for gate in judged)
        if unmet and not force:
            raise GateNotMetError(judged)
        with self.memory.changing(workload) as state:
            self._forget_refusals(state)
            if moved:
                self._move(state, ModeChange(now, workload, mode, by, forced=unmet, reference=reference))
        return judged

    def gates_for(
        self, mode: Mode, state: Remembered, now: float, reference: ReferenceKind | None = None
    ) -> list[Gate]:
        """What has to be met for `mode`: by what sidecars see, and by what logs tell, each where there is any."""
        if reference is not None:
            return list(self._log_gates(mode, state, now))
        runs = self.runs(state, now)
        return list(runs.enforce_gates if mode is Mode.ENFORCE else runs.gates)

    def _log_gates(self, mode: Mode, state: Remembered, now: float) -> Iterator[Gate]:
        """The same conditions, of the references that are learned from logs."""
        record, settings = record_of_logs(state, now), self.settings.gates
        trial = Trial(state.logs_ended, 0)  # what an authority allowed has happened: nothing of it can be denied
        ready = enforce_gates(record, trial, settings) if mode is Mode.ENFORCE else gates(record, settings)
        for gate in ready:
            yield replace(gate, name=f"log-{gate.name}", sentence=f"by its logs: {gate.sentence}")

    def approve(self, alert_id: str, reason: str, by: str, now: float) -> Alert:
        """Put what an alert crossed in scope, on somebody's word.

        Raises:
            UnknownAlertError: there is no such alert.
            CannotApproveError: an entry of it can never be in scope, or no reason is given.
        """
        alert = self.memory.store.alert(alert_id)
        if alert is None:
            raise UnknownAlertError(alert_id)
        with self.memory.changing(alert.workload) as state:
            entries = vouched(alert, state.entries, reason)
            if alert.approved:
                return alert
            approved = self._approved(state, alert, f"{by}: {reason}")
            self._put_in_scope(state, entries, Order(now, alert.workload, f"approve {alert_id}", "", by, reason))
        return approved

    def approve_group(self, group_id: str, reason: str, by: str, now: float) -> DenialGroup:
        """Put what a group of a dry run lacked in scope; alerts about the same acts are approved with it.

        Raises:
            UnknownGroupError: no workload has such a group now.
            CannotApproveError: some of it can never be in scope, or no reason is given.
        """
        workload = self._group(group_id).workload
        with self.memory.changing(workload) as state:
            group = next(each for each in self._groups(state, 0.0) if each.id == group_id)
            entries = vouched_group(group, state.entries, reason)
            acts = {denial.behaviour for denial in group.denials}
            for alert in [each for each in state.alerts.values() if each.behaviour in acts and not each.approved]:
                self._approved(state, alert, f"{by}: {reason}")
            self._put_in_scope(state, entries, Order(now, workload, f"approve {group_id}", "", by, reason))
        return group

    def dry_run(self, workload: Workload, since: float) -> list[DenialGroup]:
        """What the reference as it stands would have denied of the acts seen at `since` or later.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
        """
        return self._groups(self.memory.state(workload), since)

    def contain(
        self,
        workload: Workload,
        instance: InstanceId | None,
        containment: Containment,
        order: tuple[str, str],
        now: float,
    ) -> None:
        """Cut a workload or one instance of it off, or release it; `order` is by whom and why.

        Raises:
            UnknownWorkloadError: nobody by that name was ever watched.
            UnknownInstanceError: it is none of the workload's.
            NoReasonError: nobody said why.
        """
        by, reason = order
        if not reason.strip():
            raise NoReasonError
        with self.memory.changing(workload) as state:
            if instance is not None and instance not in {row.id for row in self.memory.store.instances(workload)}:
                raise UnknownInstanceError(instance, f"it is none of {workload}'s")
            subject = instance or ""
            order_given = Order(now, workload, _ACTS[containment], subject, by, reason.strip())
            self.memory.put_containment(state, containment, order_given)
            self._forget_refusals(state)

    def _forget_refusals(self, state: Remembered) -> None:
        """What an instance said of an earlier order is no answer to this one."""
        for row in [row for row in state.live.values() if row.refused]:
            self.memory.put_live(state, replace(row, refused=""))

    def runs(self, state: Remembered, now: float) -> Runs:
        """The runs of a workload, and how ready they made it."""
        store, workload = self.memory.store, state.row.workload
        instances = store.instances(workload)
        waiting = unenrolled(store.join_tokens(workload), now)
        record = record_of(state, instances, waiting, now)
        since = now - self.settings.gates.window_days * DAY
        denials = sum(each.count for each in still_denied(state.denials.values(), state.scope, since))
        trial = Trial(judged_since(store.mode_changes(workload)), denials)
        ready, enforceable = gates(record, self.settings.gates), enforce_gates(record, trial, self.settings.gates)
        if state.log_days:
            told = [tuple(self._log_gates(mode, state, now)) for mode in (Mode.DETECT, Mode.ENFORCE)]
            seen = bool(instances or waiting)
            ready, enforceable = (ready * seen + told[0], enforceable * seen + told[1])
        return Runs(tuple(instances), waiting, ready, enforceable)

    def _move(self, state: Remembered, change: ModeChange) -> None:
        store, workload = self.memory.store, state.row.workload
        if change.reference is None:
            state.row = replace(state.row, mode=change.mode, apart={})
        else:
            state.row = replace(state.row, apart={**state.row.apart, change.reference: change.mode})
        store.put_workload(state.row)
        store.add_mode_change(change)
        changes = store.mode_changes(workload)
        state.learning_ended = learned_until(state.row, store.instances(workload), changes)
        state.logs_ended = judged_since(changes, TOLD_BY_LOGS)
        self.memory.refresh(state, change.time)

    def _approved(self, state: Remembered, alert: Alert, word: str) -> Alert:
        approved = replace(alert, approved=word)
        self.memory.store.put_alert(approved)
        state.alerts[key_of(alert.behaviour, alert.crossed, alert.verdict)] = approved
        return approved

    def _put_in_scope(self, state: Remembered, entries: Mapping[Entry, Evidence], order: Order) -> None:
        self.memory.put_entries(state, entries, {entry.reference for entry in entries})
        self.memory.store.add_order(order)
        self.memory.refresh(state, order.time)

    def _groups(self, state: Remembered, since: float) -> list[DenialGroup]:
        denials = still_denied(state.denials.values(), state.scope, since)
        return grouped(state.row.workload, denials, state.scope)

    def _group(self, group_id: str) -> DenialGroup:
        for state in self.memory.chosen(None):
            for group in self._groups(state, 0.0):
                if group.id == group_id:
                    return group
        raise UnknownGroupError(group_id)
