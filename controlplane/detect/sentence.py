"""An alert in one sentence that a newcomer understands: who did what, what it left, and what had foreseen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from controlplane.posture.wording import counted, duration
from inscope.alert import Crossing
from inscope.behaviour import (
    OWN_LISTENER,
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    CredentialUse,
    Exec,
    Listen,
    Load,
    Open,
    Outcome,
    PermissionUse,
    RoleAssumption,
    Syscall,
    subject_of,
)
from inscope.reference import Dimension
from inscope.verdict import Verdict

_OUTCOME = {
    Verdict.ALLOW: "",
    Verdict.DENY: "tried, and was denied: it ",
    Verdict.KILL: "was killed for what it did: it ",
    Verdict.QUARANTINE: "tried, and was cut off: it ",
}
"""What became of an act, said before it."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How the references came about: over how many seconds, from how many instances, or other units."""

    seconds: float
    instances: int
    unit: str = "instance"

    @property
    def mature(self) -> bool:
        """More than a day and more than one session."""
        return self.seconds >= 86_400 and self.instances > 1

    def __str__(self) -> str:
        if not self.instances:
            return "never learned"
        return f"learned over {duration(self.seconds)} from {counted(self.instances, self.unit)}"


def sentence(
    agent: str, behaviour: Behaviour, crossed: Sequence[Crossing], verdict: Verdict, learning: Learning
) -> str:
    """`AGENT did X, which is not in its inventory (version 12, learned …); finding IN-3 had said it can …`."""
    did = f"{_OUTCOME[verdict]}{act(behaviour)}"
    left = " and ".join(_left(crossing, behaviour) for crossing in crossed)
    versions = {crossing.reference.kind: crossing.reference.version for crossing in crossed}
    named = ", ".join(f"{kind} version {version}" for kind, version in versions.items())
    return f"{agent} {did}, which {left} ({named}, {learning}); {foretold(crossed)}"


def act(behaviour: Behaviour) -> str:
    """The verb phrase of a behaviour, in the past."""
    subject = subject_of(behaviour)
    match behaviour:
        case Exec():
            return f"ran {subject}"
        case Load(writer=writer):
            return f"loaded {subject} as code" + (f" that {writer} had written" if writer else "")
        case CodeMemory():
            return f"made memory of {subject} executable"
        case Open(access=Access.WRITE):
            return f"wrote {subject}"
        case Open(secret=True, program=program):
            return f"read the secret {subject} with {program}"
        case Open():
            return f"read {subject}"
        case Connect(host, program=program) if host == OWN_LISTENER:
            return f"contacted a listener of its own, on a port that the kernel chose, with {program}"
        case Connect(program=program):
            return f"contacted {subject} with {program}"
        case Listen():
            return f"listened on {subject}"
        case Syscall(program=program):
            return f"called {subject} from {program}"
        case Contradiction(claimed, real, program):
            return f"claimed {claimed} and did {real} in {program}"
        case PermissionUse(permission, principal, Outcome.ALLOWED):
            return f"exercised `{permission}` as {principal}"
        case PermissionUse(permission, principal):
            return f"was refused `{permission}` as {principal}"
        case RoleAssumption(role, principal, means, outcome):
            did = "took on" if outcome is Outcome.ALLOWED else "tried to take on, and was refused,"
            return f"{did} {role} as {principal} by {means}"
        case CredentialUse(principal, network, client):
            return f"used the credential of {principal} from {network} by {client or 'an unnamed client'}"
        case _:
            assert_never(behaviour)


def _left(crossing: Crossing, behaviour: Behaviour) -> str:
    match crossing.entry.dimension:
        case Dimension.PROCESS if isinstance(behaviour, Exec):
            return f"was never started by {behaviour.parent or 'an unknown program'}"
        case Dimension.CONTRADICTION:
            return "can never be in scope"
        case Dimension.PERMISSION:
            return "it had never done"
        case Dimension.ATTEMPT:
            return "it had never asked for"
        case Dimension.SERVICE:
            return f"is of {crossing.entry}, a service that it never used"
        case Dimension.ROLE:
            return "was never seen in its scope chain"
        case Dimension.CREDENTIAL:
            return "is not from where that credential is used"
        case _:
            return f"is not in its {crossing.reference.kind}"


def foretold(crossed: Sequence[Crossing]) -> str:
    """The findings that had said so; where none had, why not."""
    said = {crossing.finding: crossing.reason for crossing in crossed if crossing.finding}
    if said:
        return " and ".join(f"finding {finding} had said {_that(reason)}" for finding, reason in said.items())
    reasons = dict.fromkeys(crossing.reason for crossing in crossed)
    return f"no finding foresaw it: {'; '.join(reasons)}"


def _that(reason: str) -> str:
    return reason if reason.startswith("it ") else f"that {reason}"
