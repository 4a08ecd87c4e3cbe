"""What was done, normalised: the thing references are keyed on.

A closed union of frozen types. Paths are *generalised* (versions, temp names and the like collapse to a placeholder,
see `sidecar.normalise`); identity is always a sha256 where there is content to hash. A new source adds a type here, an
arm to `inscope.reference.entries_of`, and one to the codec: the type checker names every place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inscope.permission import Permission

Sha256 = str
"""64 lower-case hex digits, or the empty string where the content could not be read (never treated as known)."""


class ScriptOrigin(StrEnum):
    """Where an interpreter took its program from."""

    FILE = "file"
    MODULE = "module"
    INLINE = "inline"
    STDIN = "stdin"


@dataclass(frozen=True, slots=True)
class Script:
    """The program an interpreter was given. `name` is a generalised path, a module name, `-c` or `-`."""

    origin: ScriptOrigin
    name: str
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class Program:
    """A binary and, where it is an interpreter, what it interprets: `python evil.py` is not `python agent.py`."""

    path: str
    sha256: Sha256
    script: Script | None = None

    @property
    def label(self) -> str:
        """How a reader names it: the path, then the script."""
        return f"{self.path} {self.script.name}" if self.script else self.path


class Access(StrEnum):
    """What an open asked for."""

    READ = "read"
    WRITE = "write"


class Protocol(StrEnum):
    """Transport of a destination or a listening port."""

    TCP = "tcp"
    UDP = "udp"
    UNIX = "unix"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Exec:
    """A program was started by `parent` (the label of the program that called exec; empty where unknown)."""

    program: Program
    parent: str


@dataclass(frozen=True, slots=True)
class Load:
    """A file was mapped as executable code by `program` (a label).

    `writer` is the label of the program that wrote the file while being watched, empty where nobody did: code made at
    run time (a JIT, a compiler) is judged as the class (writer, folder), never by its ever-changing hash.
    """

    path: str
    sha256: Sha256
    program: str
    writer: str = ""


@dataclass(frozen=True, slots=True)
class CodeMemory:
    """`program` (a label) made memory executable that no file backs: a JIT, or injected code."""

    program: str


@dataclass(frozen=True, slots=True)
class Open:
    """`program` (a label) opened a watched path. `secret` marks tokens, keys and credentials."""

    path: str
    access: Access
    program: str
    secret: bool = False


OWN_LISTENER = "<own>"
"""The host, with port 0, of a destination that the instance itself listens at, on loopback and a port that the kernel
chose: whatever its number, nobody else is reached. No address and no name is written so."""


@dataclass(frozen=True, slots=True)
class Connect:
    """`program` contacted a destination. `host` is the name the agent asked for where known, else the address; or
    `OWN_LISTENER`."""

    host: str
    port: int
    protocol: Protocol
    program: str


@dataclass(frozen=True, slots=True)
class Listen:
    """`program` accepts connections on `port`, bound to `address`."""

    address: str
    port: int
    protocol: Protocol
    program: str


@dataclass(frozen=True, slots=True)
class Syscall:
    """`program` made a rare and decisive system call, named as in `sidecar/init/syscalls.def`."""

    name: str
    detail: str
    program: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a call said and what came of it differ: the mark of a race against the observer."""

    claimed: str
    real: str
    program: str


class Outcome(StrEnum):
    """What the authority answered."""

    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class PermissionUse:
    """`principal` exercised `permission`, or tried to. `granted_by` is what allowed it by the authority's own word
    (`ClusterRoleBinding admins`); empty where it does not say.
    """

    permission: Permission
    principal: str
    outcome: Outcome
    granted_by: str = ""


class Means(StrEnum):
    """How one identity takes on another."""

    WEB_IDENTITY = "web-identity"
    POD_IDENTITY = "pod-identity"
    ASSUME_ROLE = "assume-role"
    IMPERSONATION = "impersonation"
    SET_ROLE = "set-role"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class RoleAssumption:
    """`principal` took on `role`, or tried to."""

    role: str
    principal: str
    means: Means
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """A credential of `principal` was presented from `network` (an address range) by `client` (a product's name)."""

    principal: str
    network: str
    client: str


WatchedBehaviour = Exec | Load | CodeMemory | Open | Connect | Listen | Syscall | Contradiction
"""What a sidecar sees for itself."""

LoggedBehaviour = PermissionUse | RoleAssumption | CredentialUse
"""What an authority's log tells."""

Behaviour = WatchedBehaviour | LoggedBehaviour


def kind_of(behaviour: Behaviour) -> str:
    """The stable lower-case word that JSON output and the store use for the type."""
    match behaviour:
        case Exec():
            return "exec"
        case Load():
            return "load"
        case CodeMemory():
            return "code-memory"
        case Open():
            return "open"
        case Connect():
            return "connect"
        case Listen():
            return "listen"
        case Syscall():
            return "syscall"
        case Contradiction():
            return "contradiction"
        case PermissionUse():
            return "permission-use"
        case RoleAssumption():
            return "role-assumption"
        case CredentialUse():
            return "credential-use"


def subject_of(behaviour: Behaviour) -> str:
    """The thing acted on, as one readable string."""
    match behaviour:
        case Exec(program):
            return program.label
        case Load(path) | Open(path):
            return path
        case CodeMemory(program):
            return program
        case Connect(host, port, protocol):
            return f"{bracketed(host)}:{port}/{protocol}" if protocol is not Protocol.UNIX else f"unix:{host}"
        case Listen(address, port, protocol):
            return f"{bracketed(address)}:{port}/{protocol}"
        case Syscall(name, detail):
            return f"{name}({detail})"
        case Contradiction(claimed, real):
            return f"{claimed} became {real}"
        case PermissionUse(permission):
            return str(permission)
        case RoleAssumption(role):
            return role
        case CredentialUse(_, network, client):
            return f"{network} by {client or 'an unnamed client'}"


def actor_of(behaviour: Behaviour) -> str:
    """The label of the program that acted; for an exec, of the one that started it; for what a log tells, the
    principal.
    """
    match behaviour:
        case Exec(parent=parent):
            return parent
        case PermissionUse() | RoleAssumption() | CredentialUse():
            return behaviour.principal
        case _:
            return behaviour.program


def bracketed(host: str) -> str:
    """An IPv6 address in brackets, anything else unchanged."""
    return f"[{host}]" if ":" in host else host
