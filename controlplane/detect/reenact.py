"""An act that needs a given entry: the inverse of `inscope.reference.entries_of`, as far as there is one.

Used to explain a provisional entry by its technique and to prove its tripwire. What the entry does not say (the hash of
a program that an edge names, which program loaded a library) is made up by `fresh`.
"""

from __future__ import annotations

from collections.abc import Callable

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
    Means,
    Open,
    Outcome,
    PermissionUse,
    Program,
    RoleAssumption,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.entry_text import (
    UNKNOWN,
    read_call,
    read_contradiction,
    read_destination,
    read_generated,
    read_hash,
    read_listener,
    read_permission,
    read_program,
    read_sides,
)
from inscope.permission import Authority, Permission
from inscope.reference import Dimension, Entry, entries_of

Fresh = Callable[[], str]
"""64 hex digits, another one each time."""


def behaviour_of(entry: Entry, fresh: Fresh) -> Behaviour | None:
    """A behaviour that needs `entry`; None where its text does not say enough."""
    act = _ACTS[entry.dimension](entry, fresh)
    return act if act is not None and entry in entries_of(act) else None


def _exec(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program = read_program(entry.value)
    if program is None:
        return None
    script = None
    if program.interpreted:
        origin = {"-c": ScriptOrigin.INLINE, "-": ScriptOrigin.STDIN}.get(program.script, ScriptOrigin.FILE)
        script = Script(origin, program.script, program.script_sha256)
    return Exec(Program(program.path, program.sha256, script), f"/{fresh()[:12]}")


def _edge(entry: Entry, fresh: Fresh) -> Behaviour | None:
    parent, label = read_sides(entry.value)
    return Exec(Program(label, fresh()), "" if parent == UNKNOWN else parent)


def _load(entry: Entry, fresh: Fresh) -> Behaviour | None:
    return Load(entry.label or f"/{fresh()[:12]}", read_hash(entry.value), f"/{fresh()[:12]}")


def _generated(entry: Entry, fresh: Fresh) -> Behaviour | None:
    writer, folder = read_generated(entry.value)
    return Load(f"{folder.rstrip('/')}/{fresh()[:12]}", fresh(), f"/{fresh()[:12]}", writer)


def _secret(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program, path = read_sides(entry.value)
    return Open(path, Access.READ, program, secret=True)


def _read(entry: Entry, fresh: Fresh) -> Behaviour | None:
    return Open(entry.value, Access.READ, f"/{fresh()[:12]}")


def _write(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program, path = read_sides(entry.value)
    if path:  # a secret that was written names its program too
        return Open(path, Access.WRITE, program, secret=True)
    return Open(entry.value, Access.WRITE, f"/{fresh()[:12]}")


def _connect(entry: Entry, fresh: Fresh) -> Behaviour | None:
    where = read_destination(entry.value)
    return Connect(where.host, where.port, where.protocol, f"/{fresh()[:12]}") if where else None


def _listen(entry: Entry, fresh: Fresh) -> Behaviour | None:
    where = read_listener(entry.value)
    return Listen("0.0.0.0", where.port, where.protocol, f"/{fresh()[:12]}") if where else None  # noqa: S104 - said, not bound


def _syscall(entry: Entry, fresh: Fresh) -> Behaviour | None:
    call = read_call(entry.value)
    return Syscall(call.name, call.detail, call.program)


def _contradiction(entry: Entry, fresh: Fresh) -> Behaviour | None:
    said = read_contradiction(entry.value)
    return Contradiction(said.claimed, said.real, said.program)


def _permission_use(entry: Entry, outcome: Outcome, fresh: Fresh) -> Behaviour | None:
    permission = read_permission(entry.value)
    return PermissionUse(permission, fresh()[:12], outcome) if permission else None


def _role(entry: Entry, fresh: Fresh) -> Behaviour | None:
    who, role = read_sides(entry.value)
    principal, _, means = who.rpartition(" by ")
    return RoleAssumption(role, principal, Means(means), Outcome.ALLOWED) if means in tuple(Means) else None


def _service(entry: Entry, fresh: Fresh) -> Behaviour | None:
    authority, _, service = entry.value.partition(":")
    if authority not in tuple(Authority):
        return None
    permission = Permission(Authority(authority), service, fresh()[:8], fresh()[:12])
    return PermissionUse(permission, fresh()[:12], Outcome.ALLOWED)


def _credential(entry: Entry, fresh: Fresh) -> Behaviour | None:
    principal, origin = read_sides(entry.value)
    network, _, client = origin.partition(" by ")
    return CredentialUse(principal, network, client)


_ACTS: dict[Dimension, Callable[[Entry, Fresh], Behaviour | None]] = {
    Dimension.PROGRAM: _exec,
    Dimension.PROCESS: _edge,
    Dimension.LIBRARY: _load,
    Dimension.GENERATED_CODE: _generated,
    Dimension.SECRET_READ: _secret,
    Dimension.FILE_READ: _read,
    Dimension.FILE_WRITTEN: _write,
    Dimension.DESTINATION: _connect,
    Dimension.LISTENER: _listen,
    Dimension.CODE_MEMORY: lambda entry, fresh: CodeMemory(entry.value),
    Dimension.SYSCALL: _syscall,
    Dimension.CONTRADICTION: _contradiction,
    Dimension.PERMISSION: lambda entry, fresh: _permission_use(entry, Outcome.ALLOWED, fresh),
    Dimension.ATTEMPT: lambda entry, fresh: _permission_use(entry, Outcome.DENIED, fresh),
    Dimension.ROLE: _role,
    Dimension.SERVICE: _service,
    Dimension.CREDENTIAL: _credential,
}
