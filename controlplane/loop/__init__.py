"""The loop: what a sidecar sends becomes references, findings and alerts, in one transaction."""

from controlplane.detect.two_way import TwoWay
from controlplane.loop.batch import InForce, Outcome, ReceivedBatch
from controlplane.loop.detail import WorkloadDetail, WorkloadSummary
from controlplane.loop.loop import Loop
from controlplane.loop.refusal import (
    CannotApproveError,
    CannotEnforceError,
    GateNotMetError,
    Refusal,
    UnknownAlertError,
    UnknownInstanceError,
    UnknownWorkloadError,
)
from controlplane.loop.settings import LoopSettings
from controlplane.posture.gate import Gate
from controlplane.posture.sighting import Sighting

__all__ = [
    "Loop",
    "LoopSettings",
    "ReceivedBatch",
    "Sighting",
    "Outcome",
    "InForce",
    "WorkloadSummary",
    "WorkloadDetail",
    "TwoWay",
    "Gate",
    "Refusal",
    "GateNotMetError",
    "UnknownWorkloadError",
    "UnknownInstanceError",
    "CannotEnforceError",
    "UnknownAlertError",
    "CannotApproveError",
]
