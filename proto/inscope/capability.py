"""What a workload holds: the set of things it *could* do, surveyed and not guessed.

A capability minus what a reference saw used is a finding. Its members are surveyed inside the agent's container, so
that an alert's "was foreseen" is a fact about the past and not a story told afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inscope.reference import Dimension, ReferenceKind


class CapabilityKind(StrEnum):
    """What is held. `CAPABILITY_RULES` says which reference knows whether it was used.

    The last four have no rule and are never surveyed. `PERMISSIONS`, `ROLES` and `SERVICES` are declared by authorities
    (`inscope.grant`); `PROVISIONAL` is an entry that was learned and that nobody has vouched for.
    """

    EXECUTABLES = "executables"
    INTERPRETERS = "interpreters"
    LIBRARIES = "libraries"
    WRITABLE_CODE = "writable-code"
    SECRETS = "secrets"
    EGRESS = "egress"
    PORTS = "ports"
    SYSCALLS = "syscalls"
    PERMISSIONS = "permissions"
    ROLES = "roles"
    SERVICES = "services"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class CapabilityRule:
    """How a kind of capability is read: which dimensions use it up, and whether its set is listed or open-ended."""

    reference: ReferenceKind
    dimensions: tuple[Dimension, ...]
    open_ended: bool


CAPABILITY_RULES = {
    CapabilityKind.EXECUTABLES: CapabilityRule(ReferenceKind.INVENTORY, (Dimension.PROGRAM,), open_ended=False),
    CapabilityKind.INTERPRETERS: CapabilityRule(ReferenceKind.INVENTORY, (Dimension.PROGRAM,), open_ended=True),
    CapabilityKind.LIBRARIES: CapabilityRule(ReferenceKind.INVENTORY, (Dimension.LIBRARY,), open_ended=False),
    CapabilityKind.WRITABLE_CODE: CapabilityRule(
        ReferenceKind.INVENTORY, (Dimension.PROGRAM, Dimension.LIBRARY), open_ended=True
    ),
    CapabilityKind.SECRETS: CapabilityRule(ReferenceKind.ENVELOPE, (Dimension.SECRET_READ,), open_ended=False),
    CapabilityKind.EGRESS: CapabilityRule(ReferenceKind.ENVELOPE, (Dimension.DESTINATION,), open_ended=True),
    CapabilityKind.PORTS: CapabilityRule(ReferenceKind.ENVELOPE, (Dimension.LISTENER,), open_ended=True),
    CapabilityKind.SYSCALLS: CapabilityRule(ReferenceKind.ENVELOPE, (Dimension.SYSCALL,), open_ended=False),
}


@dataclass(frozen=True, slots=True)
class Capability:
    """One surveyed set.

    `members` are generalised paths (executables, interpreters, libraries, secrets), generalised folders
    (writable-code), call names (syscalls), or one description (`egress`: `unrestricted`; `ports`: `1024-65535`).
    `complete` is false where the survey hit a bound: then a thing absent from the set is unknown, not "not held".
    """

    kind: CapabilityKind
    members: frozenset[str]
    surveyed_at: float
    complete: bool = True
