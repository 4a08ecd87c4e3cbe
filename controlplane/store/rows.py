"""The words as text in a column: small explicit JSON, written by field and read back by field. No pickle, no protobuf.

A behaviour is an array, its kind first. Reading what this module did not write raises `MalformedRowError`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from inscope.alert import Crossing
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
    Protocol,
    RoleAssumption,
    Script,
    ScriptOrigin,
    Syscall,
    kind_of,
)
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from inscope.observation import Ancestor
from inscope.permission import Authority, Permission
from inscope.reference import Dimension, Entry, ReferenceKind, ReferenceVersion
from inscope.workload import Agent, Workload

Json = str | int | float | bool | None | list["Json"]
T = TypeVar("T")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


class MalformedRowError(ValueError):
    """The text in a column is not what this module writes: the file is damaged or was edited."""


def to_text(value: Json) -> str:
    """Compact JSON. Only arrays and scalars: nothing here has keys to misspell."""
    return _ENCODER.encode(value)


def from_text(text: str, read: Callable[[Json], T]) -> T:
    """`read` the JSON in `text`.

    Raises:
        MalformedRowError: it is not JSON, or not of the shape that `read` knows.
    """
    try:
        return read(json.loads(text))
    except (ValueError, TypeError, KeyError, IndexError) as fault:
        raise MalformedRowError(f"{text[:80]!r}: {fault}") from fault


def strings(items: Iterable[str]) -> str:
    """A list of strings as text."""
    return to_text(list(items))


def read_strings(text: str) -> tuple[str, ...]:
    """What `strings` wrote."""
    return from_text(text, lambda value: tuple(text_of(item) for item in array(value)))


def modes_text(modes: Mapping[ReferenceKind, Mode]) -> str:
    """The modes of references that are in one of their own, as text."""
    return to_text([[kind, mode] for kind, mode in sorted(modes.items())])


def read_modes(text: str) -> dict[ReferenceKind, Mode]:
    """What `modes_text` wrote."""
    return from_text(text, lambda value: dict(_mode(array(item)) for item in array(value)))


def behaviour_text(behaviour: Behaviour) -> str:
    """A behaviour as text."""
    return to_text([kind_of(behaviour), *_fields(behaviour)])


def read_behaviour(text: str) -> Behaviour:
    """What `behaviour_text` wrote."""
    return from_text(text, _behaviour)


def crossings_text(crossed: Iterable[Crossing]) -> str:
    """The crossings of an alert as text."""
    return to_text([_crossing_fields(crossing) for crossing in crossed])


def read_crossings(text: str) -> tuple[Crossing, ...]:
    """What `crossings_text` wrote."""
    return from_text(text, lambda value: tuple(_crossing(array(item)) for item in array(value)))


def ancestry_text(ancestry: Iterable[Ancestor]) -> str:
    """A lineage as text."""
    return to_text([[ancestor.pid, ancestor.start, ancestor.label] for ancestor in ancestry])


def read_ancestry(text: str) -> tuple[Ancestor, ...]:
    """What `ancestry_text` wrote."""
    return from_text(text, lambda value: tuple(_ancestor(array(item)) for item in array(value)))


def agent_text(agent: Agent) -> str:
    """An agent as text."""
    return strings([str(agent.workload), agent.service_account, agent.role, agent.name])


def read_agent(text: str) -> Agent:
    """What `agent_text` wrote."""
    workload, account, role, name = _exactly(read_strings(text), 4)
    return Agent(Workload.parse(workload), account, role, name)


def coverage_text(coverage: Iterable[SourceCoverage]) -> str:
    """The coverage of an instance as text."""
    return to_text([_coverage_fields(source) for source in coverage])


def read_coverage(text: str) -> tuple[SourceCoverage, ...]:
    """What `coverage_text` wrote."""
    return from_text(text, lambda value: tuple(_coverage(array(item)) for item in array(value)))


def versions_text(versions: Iterable[ReferenceVersion]) -> str:
    """Reference versions as text."""
    return to_text([[version.kind, version.version] for version in versions])


def read_versions(text: str) -> tuple[ReferenceVersion, ...]:
    """What `versions_text` wrote."""
    return from_text(text, lambda value: tuple(_version(array(item)) for item in array(value)))


def _fields(behaviour: Behaviour) -> list[Json]:
    match behaviour:
        case Exec(program, parent):
            script = program.script
            described: Json = [script.origin, script.name, script.sha256] if script else None
            return [program.path, program.sha256, described, parent]
        case Load(path, sha256, program, writer):
            return [path, sha256, program, writer]
        case CodeMemory(program):
            return [program]
        case Open(path, access, program, secret):
            return [path, access, program, secret]
        case Connect(host, port, protocol, program):
            return [host, port, protocol, program]
        case Listen(address, port, protocol, program):
            return [address, port, protocol, program]
        case Syscall(name, detail, program):
            return [name, detail, program]
        case Contradiction(claimed, real, program):
            return [claimed, real, program]
        case PermissionUse(permission, principal, outcome, granted_by):
            return [*permission_fields(permission), principal, outcome, granted_by]
        case RoleAssumption(role, principal, means, outcome):
            return [role, principal, means, outcome]
        case CredentialUse(principal, network, client):
            return [principal, network, client]


def permission_fields(permission: Permission) -> list[Json]:
    return [
        permission.authority, permission.service, permission.action, permission.resource, permission.scope,
        permission.name,
    ]  # fmt: skip


def _behaviour(value: Json) -> Behaviour:
    match value:
        case ["exec", str(path), str(sha256), script, str(parent)]:
            return Exec(Program(path, sha256, _script(script)), parent)
        case ["load", str(path), str(sha256), str(program), str(writer)]:
            return Load(path, sha256, program, writer)
        case ["code-memory", str(program)]:
            return CodeMemory(program)
        case ["open", str(path), str(access), str(program), bool(secret)]:
            return Open(path, Access(access), program, secret)
        case ["connect", str(host), int(port), str(protocol), str(program)]:
            return Connect(host, port, Protocol(protocol), program)
        case ["listen", str(address), int(port), str(protocol), str(program)]:
            return Listen(address, port, Protocol(protocol), program)
        case ["syscall", str(name), str(detail), str(program)]:
            return Syscall(name, detail, program)
        case ["contradiction", str(claimed), str(real), str(program)]:
            return Contradiction(claimed, real, program)
        case ["permission-use", *permission, str(principal), str(outcome), str(granted_by)]:
            return PermissionUse(read_permission(permission), principal, Outcome(outcome), granted_by)
        case ["role-assumption", str(role), str(principal), str(means), str(outcome)]:
            return RoleAssumption(role, principal, Means(means), Outcome(outcome))
        case ["credential-use", str(principal), str(network), str(client)]:
            return CredentialUse(principal, network, client)
        case _:
            raise MalformedRowError("not a behaviour")


def read_permission(fields: list[Json]) -> Permission:
    match fields:
        case [str(authority), str(service), str(action), str(resource), str(scope), str(name)]:
            return Permission(Authority(authority), service, action, resource, scope, name)
        case _:
            raise MalformedRowError("not a permission")


def _script(value: Json) -> Script | None:
    match value:
        case None:
            return None
        case [str(origin), str(name), str(sha256)]:
            return Script(ScriptOrigin(origin), name, sha256)
        case _:
            raise MalformedRowError("not a script")


def _crossing_fields(crossing: Crossing) -> Json:
    entry, reference = crossing.entry, crossing.reference
    return [
        reference.kind, reference.version, entry.dimension, entry.value, entry.label, crossing.finding, crossing.reason
    ]  # fmt: skip


def _crossing(fields: list[Json]) -> Crossing:
    match fields:
        case [str(kind), int(version), str(dimension), str(value), str(label), (None | str()) as finding, str(reason)]:
            reference = ReferenceVersion(ReferenceKind(kind), version)
            return Crossing(reference, Entry(Dimension(dimension), value, label), finding, reason)
        case _:
            raise MalformedRowError("not a crossing")


def _ancestor(fields: list[Json]) -> Ancestor:
    match fields:
        case [int(pid), int(start), str(label)]:
            return Ancestor(pid, start, label)
        case _:
            raise MalformedRowError("not an ancestor")


def _coverage_fields(source: SourceCoverage) -> Json:
    losses: Json = [[cause, count] for cause, count in sorted(source.losses.items())]
    return [source.source, source.since, source.until, losses, source.note]


def _coverage(fields: list[Json]) -> SourceCoverage:
    match fields:
        case [str(source), int() | float() as since, int() | float() as until, list(losses), str(note)]:
            counted = dict(_loss(array(loss)) for loss in losses)
            return SourceCoverage(Source(source), float(since), float(until), counted, note)
        case _:
            raise MalformedRowError("not a coverage")


def _loss(fields: list[Json]) -> tuple[LossCause, int]:
    match fields:
        case [str(cause), int(count)]:
            return LossCause(cause), count
        case _:
            raise MalformedRowError("not a loss")


def _mode(fields: list[Json]) -> tuple[ReferenceKind, Mode]:
    match fields:
        case [str(kind), str(mode)]:
            return ReferenceKind(kind), Mode(mode)
        case _:
            raise MalformedRowError("not a reference's mode")


def _version(fields: list[Json]) -> ReferenceVersion:
    match fields:
        case [str(kind), int(version)]:
            return ReferenceVersion(ReferenceKind(kind), version)
        case _:
            raise MalformedRowError("not a reference version")


def array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise MalformedRowError("not an array")
    return value


def text_of(value: Json) -> str:
    if not isinstance(value, str):
        raise MalformedRowError("not a string")
    return value


def _exactly(items: tuple[str, ...], number: int) -> tuple[str, ...]:
    if len(items) != number:
        raise MalformedRowError(f"{len(items)} strings where {number} are due")
    return items
