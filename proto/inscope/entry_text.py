"""An entry's canonical text, written and read: `X_value` writes what `read_X` reads back.

References are sets of text, so what an entry says is here and nowhere else: whoever needs the parts of one reads them
with the function beside the one that wrote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from inscope.behaviour import Program, Protocol, bracketed
from inscope.permission import Authority, Permission

ARROW = " → "
"""Stands between the two sides of an entry's value: who, and what."""

UNHASHED = "unhashed"
"""Stands where the hash would, first in the entry's value."""

UNKNOWN = "?"
"""Stands for a parent that nobody knows."""

_HASH = "sha256:"
_PROGRAM = re.compile(
    rf"(?P<hash>{UNHASHED}|{_HASH}[0-9a-f]{{64}}) (?P<path>.*?)"
    rf"(?: \+ (?P<script_hash>{UNHASHED}|{_HASH}[0-9a-f]{{64}}) (?P<script>.*))?\Z",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ProgramText:
    """An inventory's program. `interpreted`: it has a script. Hashes are bare hex digits, empty where unhashed."""

    sha256: str
    path: str
    interpreted: bool = False
    script_sha256: str = ""
    script: str = ""


@dataclass(frozen=True, slots=True)
class DestinationText:
    """An envelope's destination; of a unix socket `host` is its path and `port` 0."""

    host: str
    port: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class ListenerText:
    """An envelope's listening port."""

    port: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class CallText:
    """An envelope's system call."""

    program: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class ContradictionText:
    """What was claimed, and what came of it."""

    program: str
    claimed: str
    real: str


def hash_value(sha256: str) -> str:
    """A hash, or that there is none."""
    return f"{_HASH}{sha256}" if sha256 else UNHASHED


def read_hash(value: str) -> str:
    """The bare hex digits; empty where the content was not hashed."""
    return value.removeprefix(_HASH) if value.startswith(_HASH) else ""


def program_value(program: Program) -> str:
    """Hash and path, and the script's hash and name where there is one."""
    value = f"{hash_value(program.sha256)} {program.path}"
    if program.script:
        # An unhashed script makes the whole program unhashed: `missing` looks at the first word only.
        if not program.script.sha256:
            value = f"{UNHASHED} {program.path}"
        value += f" + {hash_value(program.script.sha256)} {program.script.name}"
    return value


def read_program(value: str) -> ProgramText | None:
    """The program; None where `program_value` did not write it."""
    match = _PROGRAM.match(value)
    if not match:
        return None
    script_hash = match["script_hash"] or ""
    return ProgramText(
        read_hash(match["hash"]), match["path"], bool(script_hash), read_hash(script_hash), match["script"] or ""
    )


def sides_value(who: str, what: str) -> str:
    """Who, and what: a parent and the program it started, a writer and its folder, a reader and its secret."""
    return f"{who}{ARROW}{what}"


def read_sides(value: str) -> tuple[str, str]:
    """Both sides, parted by the first arrow; of a value without one the second is empty."""
    who, _, what = value.partition(ARROW)
    return who, what


def generated_value(writer: str, path: str) -> str:
    """Who writes code, and the folder of `path`, with a slash at its end."""
    return sides_value(writer, f"{path.rpartition('/')[0] or '/'}/")


def read_generated(value: str) -> tuple[str, str]:
    """Writer and folder. The last arrow counts: a writer's label may have one."""
    writer, _, folder = value.rpartition(ARROW)
    return writer, folder.rstrip("/") or "/"


def destination_value(host: str, port: int, protocol: Protocol) -> str:
    """`HOST:PORT/PROTOCOL`, or `unix:PATH`."""
    return f"unix:{host}" if protocol is Protocol.UNIX else f"{bracketed(host)}:{port}/{protocol}"


def read_destination(value: str) -> DestinationText | None:
    """The destination; None where `destination_value` did not write it."""
    if value.startswith("unix:"):
        return DestinationText(value.removeprefix("unix:"), 0, Protocol.UNIX)
    where, _, protocol = value.rpartition("/")
    host, _, port = where.rpartition(":")
    if protocol not in tuple(Protocol) or not port.isdecimal():
        return None
    return DestinationText(host.removeprefix("[").removesuffix("]"), int(port), Protocol(protocol))


def listener_value(port: int, protocol: Protocol) -> str:
    """`PORT/PROTOCOL`."""
    return f"{port}/{protocol}"


def read_listener(value: str) -> ListenerText | None:
    """The listener; None where `listener_value` did not write it."""
    port, _, protocol = value.partition("/")
    if protocol not in tuple(Protocol) or not port.isdecimal():
        return None
    return ListenerText(int(port), Protocol(protocol))


def call_value(program: str, name: str, detail: str) -> str:
    """`PROGRAM → NAME(DETAIL)`."""
    return sides_value(program, f"{name}({detail})")


def read_call(value: str) -> CallText:
    """The call. The last arrow counts: a program's label may have one, a call's name has none."""
    program, _, call = value.rpartition(ARROW)
    name, _, detail = call.partition("(")
    return CallText(program, name, detail.removesuffix(")"))


def contradiction_value(program: str, claimed: str, real: str) -> str:
    """`PROGRAM: CLAIMED became REAL`."""
    return f"{program}: {claimed} became {real}"


def read_contradiction(value: str) -> ContradictionText:
    """The contradiction."""
    program, _, rest = value.partition(": ")
    claimed, _, real = rest.partition(" became ")
    return ContradictionText(program, claimed, real)


def permission_value(permission: Permission) -> str:
    """`AUTHORITY SERVICE ACTION RESOURCE SCOPE NAME`; what could part them within one is percent-encoded, and `-`
    stands for an empty one.
    """
    parts = (permission.service, permission.action, permission.resource, permission.scope, permission.name)
    return " ".join((permission.authority, *(_part(part) for part in parts)))


def read_permission(value: str) -> Permission | None:
    """The permission; None where `permission_value` did not write it."""
    authority, *parts = value.split(" ")
    if authority not in tuple(Authority) or len(parts) != _PERMISSION_PARTS:
        return None
    service, action, resource, scope, name = (unquote("" if part == "-" else part) for part in parts)
    return Permission(Authority(authority), service, action, resource, scope, name)


_PERMISSION_PARTS = 5
_PLAIN = "/:.*@$_+,;=!()[]{}<>|~'&?#"


def _part(text: str) -> str:
    if text == "-":
        return "%2D"
    return quote(text, safe=_PLAIN) or "-"
