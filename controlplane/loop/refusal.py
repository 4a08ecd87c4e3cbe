"""What the loop refuses, and why: each error is the caller's fault and carries the data that explains it."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.posture.gate import Gate
from inscope.reference import ReferenceKind
from inscope.workload import InstanceId, Workload


class Refusal(Exception):  # noqa: N818 - a refusal is the word for what a caller asked and did not get
    """The loop did not do it, and nothing changed. `str()` is a sentence for the one who asked."""


class UnknownWorkloadError(Refusal):
    """Nobody by that name was ever watched."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(f"no workload {workload} is known; `inscope workloads` lists those that are")
        self.workload = workload


class UnknownInstanceError(Refusal):
    """A stream spoke for an instance that never entered, or that belongs to another workload."""

    def __init__(self, instance: InstanceId, why: str = "it never entered") -> None:
        super().__init__(f"instance {instance} is not known here: {why}")
        self.instance = instance


class GateNotMetError(Refusal):
    """The reference is not ready; `gates` are all for that mode, met and unmet, with their numbers."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        unmet = "; ".join(gate.sentence for gate in gates if not gate.met)
        super().__init__(f"the reference is not ready: {unmet}")
        self.gates = list(gates)


class NotApartError(Refusal):
    """What sidecars judge by moves together with its workload."""

    def __init__(self, reference: ReferenceKind) -> None:
        super().__init__(f"the {reference} moves with its workload: only what logs tell of can be in a mode of its own")
        self.reference = reference


class UnknownAlertError(Refusal):
    """No alert has that id."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(f"no alert {alert_id[:80]!r} is known; `inscope alerts` lists those that are")
        self.alert_id = alert_id


class UnknownGroupError(Refusal):
    """No dry run has a group of that id, or not any more."""

    def __init__(self, group_id: str) -> None:
        said = "it was approved already, or `inscope mode W enforce --dry-run` never listed it"
        super().__init__(f"no group {group_id[:80]!r} would be denied: {said}")
        self.group_id = group_id


class CannotApproveError(Refusal):
    """What the alert or the group left can never be in scope, or nobody said why it should be."""

    def __init__(self, subject: str, why: str) -> None:
        super().__init__(f"{subject} cannot be approved: {why}")
        self.subject = subject


class NoReasonError(Refusal):
    """An order that stays in the record needs its reason."""

    def __init__(self) -> None:
        super().__init__("say why, for those who read it later")
