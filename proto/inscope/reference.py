"""What is in scope for a workload: entries with evidence, of one of four kinds.

An **entry** is the smallest thing that can be in scope, `(reference, dimension, value)`, and `entries_of` says which
entries an act needs: one act may need several, in several references. To judge is to look for the missing ones, so the
sidecar and the control plane can never disagree on what "known" means.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from inscope.behaviour import (
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
)
from inscope.entry_text import (
    UNHASHED,
    UNKNOWN,
    call_value,
    contradiction_value,
    destination_value,
    generated_value,
    hash_value,
    listener_value,
    permission_value,
    program_value,
    read_hash,
    read_program,
    sides_value,
)


class ReferenceKind(StrEnum):
    """The four references."""

    PERMISSION_GAP = "permission-gap"
    ENVELOPE = "envelope"
    INVENTORY = "inventory"
    SCOPE_CHAIN = "scope-chain"


class Dimension(StrEnum):
    """What an entry is about. Each belongs to one reference (`REFERENCE_OF`)."""

    PROGRAM = "program"
    LIBRARY = "library"
    GENERATED_CODE = "generated-code"
    PROCESS = "process"
    DESTINATION = "destination"
    LISTENER = "listener"
    FILE_WRITTEN = "file-written"
    FILE_READ = "file-read"
    SECRET_READ = "secret-read"
    CODE_MEMORY = "code-memory"
    SYSCALL = "syscall"
    CONTRADICTION = "contradiction"
    PERMISSION = "permission"
    """A permission exercised, and granted by the authority."""
    ATTEMPT = "attempt"
    """A permission that the authority refused."""
    ROLE = "role"
    """A role taken on, and by whom."""
    SERVICE = "service"
    """A service whose permissions are used: an API group, a cloud service, a database."""
    CREDENTIAL = "credential"
    """From where and by what a credential is presented."""


REFERENCE_OF = {
    Dimension.PROGRAM: ReferenceKind.INVENTORY,
    Dimension.LIBRARY: ReferenceKind.INVENTORY,
    Dimension.GENERATED_CODE: ReferenceKind.INVENTORY,
    Dimension.PROCESS: ReferenceKind.ENVELOPE,
    Dimension.DESTINATION: ReferenceKind.ENVELOPE,
    Dimension.LISTENER: ReferenceKind.ENVELOPE,
    Dimension.FILE_WRITTEN: ReferenceKind.ENVELOPE,
    Dimension.FILE_READ: ReferenceKind.ENVELOPE,
    Dimension.SECRET_READ: ReferenceKind.ENVELOPE,
    Dimension.CODE_MEMORY: ReferenceKind.ENVELOPE,
    Dimension.SYSCALL: ReferenceKind.ENVELOPE,
    Dimension.CONTRADICTION: ReferenceKind.ENVELOPE,
    Dimension.PERMISSION: ReferenceKind.PERMISSION_GAP,
    Dimension.ATTEMPT: ReferenceKind.PERMISSION_GAP,
    Dimension.ROLE: ReferenceKind.SCOPE_CHAIN,
    Dimension.SERVICE: ReferenceKind.SCOPE_CHAIN,
    Dimension.CREDENTIAL: ReferenceKind.SCOPE_CHAIN,
}


TOLD_BY_LOGS = frozenset({ReferenceKind.PERMISSION_GAP, ReferenceKind.SCOPE_CHAIN})
"""The references that are learned from what authorities log; the others, from what sidecars see."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One thing in scope. Equal things have an equal `value`; `label` is for people and never compared."""

    dimension: Dimension
    value: str
    label: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.label or self.value

    @property
    def reference(self) -> ReferenceKind:
        """The reference that holds this entry."""
        return REFERENCE_OF[self.dimension]


class Standing(StrEnum):
    """How far an entry is trusted. A provisional one was learned but matches a known technique, and stays a finding."""

    LEARNED = "learned"
    PROVISIONAL = "provisional"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an entry is in scope. Times are seconds since the epoch; `sessions` counts instance runs that saw it."""

    first_seen: float
    last_seen: float
    count: int
    sessions: int
    instances: tuple[str, ...]
    source: str
    standing: Standing = Standing.LEARNED


@dataclass(frozen=True, slots=True)
class ReferenceVersion:
    """Which state of a reference: versions grow by one with each change of its entries."""

    kind: ReferenceKind
    version: int


@dataclass(frozen=True, slots=True)
class Reference:
    """The entries of one kind for one workload, with the version they stand at."""

    version: ReferenceVersion
    entries: dict[Entry, Evidence]


NEVER_IN_SCOPE = frozenset({Dimension.CONTRADICTION})
"""Dimensions that cannot be learned: a contradiction is an attack on the observer however often it is seen."""


def entries_of(behaviour: Behaviour) -> tuple[Entry, ...]:
    """The entries that must be in scope for `behaviour` to be. Never empty."""
    match behaviour:
        case Exec(program, parent):
            return (
                Entry(Dimension.PROGRAM, program_value(program), program.label),
                Entry(Dimension.PROCESS, sides_value(parent or UNKNOWN, program.label)),
            )
        case Load(path, sha256, _, ""):
            return (Entry(Dimension.LIBRARY, hash_value(sha256), path),)
        case Load(path, _, _, writer):
            return (Entry(Dimension.GENERATED_CODE, generated_value(writer, path)),)
        case CodeMemory(program):
            return (Entry(Dimension.CODE_MEMORY, program),)
        case Open(path, access, program, secret):
            dimension = _open_dimension(access, secret)
            return (Entry(dimension, sides_value(program, path) if secret else path),)
        case Connect(host, port, protocol):
            return (Entry(Dimension.DESTINATION, destination_value(host, port, protocol)),)
        case Listen(_, port, protocol):
            return (Entry(Dimension.LISTENER, listener_value(port, protocol)),)
        case Syscall(name, detail, program):
            return (Entry(Dimension.SYSCALL, call_value(program, name, detail)),)
        case Contradiction(claimed, real, program):
            return (Entry(Dimension.CONTRADICTION, contradiction_value(program, claimed, real)),)
        case PermissionUse(permission, _, Outcome.ALLOWED):
            service = f"{permission.authority}:{permission.service}"
            return (
                Entry(Dimension.PERMISSION, permission_value(permission), str(permission)),
                Entry(Dimension.SERVICE, service),
            )
        case PermissionUse(permission):
            return (Entry(Dimension.ATTEMPT, permission_value(permission), str(permission)),)
        case RoleAssumption(role, principal, means):
            return (Entry(Dimension.ROLE, sides_value(f"{principal} by {means}", role)),)
        case CredentialUse(principal, network, client):
            return (Entry(Dimension.CREDENTIAL, sides_value(principal, f"{network} by {client}")),)


def missing(behaviour: Behaviour, in_scope: Collection[Entry]) -> tuple[Entry, ...]:
    """What `behaviour` needs and `in_scope` lacks: empty means in scope. An empty reference flags everything.

    What cannot be in scope is missing whatever `in_scope` says.
    """
    return tuple(entry for entry in entries_of(behaviour) if entry not in in_scope or not can_be_in_scope(entry))


def can_be_in_scope(entry: Entry) -> bool:
    """Whether anybody could ever vouch for `entry`: not for a contradiction, nor for content without an identity."""
    return entry.dimension not in NEVER_IN_SCOPE and not entry.value.startswith(UNHASHED)


def binary_sha256(entry: Entry) -> str:
    """The hash of the binary that an entry of the inventory is about; empty for other entries, and where unhashed."""
    if entry.dimension is Dimension.LIBRARY:
        return read_hash(entry.value)
    program = read_program(entry.value) if entry.dimension is Dimension.PROGRAM else None
    return program.sha256 if program else ""


def _open_dimension(access: Access, secret: bool) -> Dimension:
    if access is Access.WRITE:
        return Dimension.FILE_WRITTEN
    return Dimension.SECRET_READ if secret else Dimension.FILE_READ
