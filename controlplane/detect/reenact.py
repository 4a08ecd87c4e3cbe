"""An act that needs a given entry: the inverse of `inscope.reference.entries_of`, as far as there is one.

Used to explain a provisional entry by its technique and to prove its tripwire. What the entry does not say (the hash of
a program that an edge names, which program loaded a library) is made up by `fresh`.
"""

from __future__ import annotations

from collections.abc import Callable

from controlplane.posture.used import read_program
from inscope.behaviour import (
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    Exec,
    Listen,
    Load,
    Open,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.reference import ARROW, UNHASHED, Dimension, Entry, entries_of

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
    if program.script_hash:
        origin = {"-c": ScriptOrigin.INLINE, "-": ScriptOrigin.STDIN}.get(program.script, ScriptOrigin.FILE)
        script = Script(origin, program.script, _sha256(program.script_hash))
    return Exec(Program(program.path, _sha256(program.hash), script), f"/{fresh()[:12]}")


def _edge(entry: Entry, fresh: Fresh) -> Behaviour | None:
    parent, _, label = entry.value.partition(ARROW)
    return Exec(Program(label, fresh()), "" if parent == "?" else parent)


def _load(entry: Entry, fresh: Fresh) -> Behaviour | None:
    return Load(entry.label or f"/{fresh()[:12]}", _sha256(entry.value), f"/{fresh()[:12]}")


def _generated(entry: Entry, fresh: Fresh) -> Behaviour | None:
    writer, _, folder = entry.value.partition(ARROW)
    return Load(f"{folder.rstrip('/')}/{fresh()[:12]}", fresh(), f"/{fresh()[:12]}", writer)


def _secret(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program, _, path = entry.value.partition(ARROW)
    return Open(path, Access.READ, program, secret=True)


def _read(entry: Entry, fresh: Fresh) -> Behaviour | None:
    return Open(entry.value, Access.READ, f"/{fresh()[:12]}")


def _write(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program, arrow, path = entry.value.partition(ARROW)
    if arrow:  # a secret that was written names its program too
        return Open(path, Access.WRITE, program, secret=True)
    return Open(entry.value, Access.WRITE, f"/{fresh()[:12]}")


def _connect(entry: Entry, fresh: Fresh) -> Behaviour | None:
    if entry.value.startswith("unix:"):
        return Connect(entry.value.removeprefix("unix:"), 0, Protocol.UNIX, f"/{fresh()[:12]}")
    where, _, protocol = entry.value.rpartition("/")
    host, _, port = where.rpartition(":")
    if protocol not in tuple(Protocol) or not port.isdecimal():
        return None
    return Connect(host.removeprefix("[").removesuffix("]"), int(port), Protocol(protocol), f"/{fresh()[:12]}")


def _listen(entry: Entry, fresh: Fresh) -> Behaviour | None:
    port, _, protocol = entry.value.partition("/")
    if protocol not in tuple(Protocol) or not port.isdecimal():
        return None
    return Listen("0.0.0.0", int(port), Protocol(protocol), f"/{fresh()[:12]}")  # noqa: S104 - said, not bound


def _syscall(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program, _, call = entry.value.rpartition(ARROW)
    name, _, detail = call.partition("(")
    return Syscall(name, detail.removesuffix(")"), program)


def _contradiction(entry: Entry, fresh: Fresh) -> Behaviour | None:
    program, _, rest = entry.value.partition(": ")
    claimed, _, real = rest.partition(" became ")
    return Contradiction(claimed, real, program)


def _sha256(text: str) -> str:
    return "" if text.startswith(UNHASHED) else text.removeprefix("sha256:")


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
}
