"""What `enforce` would have denied, grouped by program, act and destination or folder, so that a person can decide.
Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import assert_never

from inscope.behaviour import (
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    CredentialUse,
    Exec,
    Listen,
    Load,
    Open,
    PermissionUse,
    RoleAssumption,
    Syscall,
    actor_of,
    kind_of,
    subject_of,
)
from inscope.denial import Denial
from inscope.reference import Entry, can_be_in_scope, missing
from inscope.workload import Workload

MAX_EXAMPLES = 10
"""Behaviours shown of a group."""


@dataclass(frozen=True, slots=True)
class DenialGroup:
    """Denials of one program, one kind and one destination or folder. `missing` is what approving them puts in
    scope."""

    id: str
    workload: Workload
    kind: str
    actor: str
    target: str
    denials: tuple[Denial, ...]
    missing: tuple[Entry, ...]

    @property
    def count(self) -> int:
        """Acts."""
        return sum(denial.count for denial in self.denials)

    @property
    def denied(self) -> int:
        """Acts that really were denied."""
        return sum(denial.denied for denial in self.denials)

    @property
    def first_seen(self) -> float:
        """Seconds since the epoch."""
        return min(denial.first_seen for denial in self.denials)

    @property
    def last_seen(self) -> float:
        """Seconds since the epoch."""
        return max(denial.last_seen for denial in self.denials)

    @property
    def examples(self) -> tuple[Behaviour, ...]:
        """The most frequent behaviours."""
        ordered = sorted(self.denials, key=lambda denial: denial.count, reverse=True)
        return tuple(denial.behaviour for denial in ordered[:MAX_EXAMPLES])

    @property
    def never(self) -> str:
        """Why it can never be approved; empty where it can."""
        never = [str(entry) for entry in self.missing if not can_be_in_scope(entry)]
        why = "a contradiction, or content that could not be hashed, has no identity to vouch for"
        return f"{'; '.join(never[:3])} can never be in scope: {why}" if never else ""


def still_denied(denials: Iterable[Denial], in_scope: Collection[Entry], since: float) -> list[Denial]:
    """Those seen at `since` or later that the reference as it stands would deny: what was approved is left out."""
    return [each for each in denials if each.last_seen >= since and missing(each.behaviour, in_scope)]


def grouped(workload: Workload, denials: Iterable[Denial], in_scope: Collection[Entry]) -> list[DenialGroup]:
    """The groups, the most frequent first."""
    sorted_out: dict[tuple[str, str, str], list[Denial]] = {}
    for denial in denials:
        act = denial.behaviour
        sorted_out.setdefault((kind_of(act), actor_of(act), target_of(act)), []).append(denial)
    groups = [_group(workload, key, its, in_scope) for key, its in sorted_out.items()]
    return sorted(groups, key=lambda group: (-group.count, group.id))


def _group(
    workload: Workload, key: tuple[str, str, str], denials: list[Denial], in_scope: Collection[Entry]
) -> DenialGroup:
    lacking = dict.fromkeys(entry for denial in denials for entry in missing(denial.behaviour, in_scope))
    return DenialGroup(group_id(workload, *key), workload, *key, tuple(denials), tuple(lacking))


def group_id(workload: Workload, kind: str, actor: str, target: str) -> str:
    """The same for the same group, today and tomorrow: 48 bits of a hash, so that it can be typed."""
    told = "\0".join((str(workload), kind, actor, target))
    return f"DG-{sha256(told.encode()).hexdigest()[:12]}"


def target_of(behaviour: Behaviour) -> str:
    """What a group of acts has in common: a destination, a port, a folder, a call."""
    match behaviour:
        case Exec(program):
            return folder_of(program.path)
        case Load(path) | Open(path):
            return folder_of(path)
        case Connect() | Listen() | CodeMemory():
            return subject_of(behaviour)
        case Syscall(name):
            return name
        case Contradiction(claimed):
            return claimed
        case PermissionUse(permission):
            return f"{permission.authority}:{permission.service}"
        case RoleAssumption() | CredentialUse():
            return subject_of(behaviour)
        case _:
            assert_never(behaviour)


def folder_of(path: str) -> str:
    """The folder of a file, as it is written."""
    return posixpath.dirname(path) or path
