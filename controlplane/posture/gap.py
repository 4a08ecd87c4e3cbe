"""The permission gap of a workload: what its identities were granted against what was exercised. Pure.

Latent is what was granted for the whole time that was tracked (or for `LONG_ENOUGH`), could have been observed, and was
never used. What was used counts for every grant that covers it: a second path to the same thing is no second need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controlplane.posture.chain import Chain, Declared
from controlplane.posture.logs import Logs, blind_to
from inscope.entry_text import read_permission
from inscope.grant import Grant, qualified
from inscope.permission import Authority, Level, Permission
from inscope.reference import Dimension, Entry
from inscope.workload import Workload

LONG_ENOUGH = 14 * 86_400.0
"""A grant that is older than this by the newest event of its log is judged though it came while tracking went on."""

_GRAVITY = {Level.LIST: 0, Level.READ: 1, Level.WRITE: 2, Level.PERMISSIONS: 3}


@dataclass(frozen=True, slots=True)
class Held:
    """A grant that one of the workload's identities holds. `principal` is qualified; `used` what of it was exercised,
    `unused` the patterns of it that no use is of, and those that stand for many, which no use uses up.

    `tracked` is for how many seconds its use was watched while it existed. `blind` is why its use cannot be seen,
    `young` why it is not latent yet; both empty where neither is so.
    """

    grant: Grant
    principal: str
    used: tuple[Permission, ...]
    unused: tuple[Permission, ...]
    tracked: float
    blind: str = ""
    young: str = ""

    @property
    def latent(self) -> int:
        """How many single permissions of it were never used; -1 where it is open-ended."""
        if self.grant.size < 0:
            return -1
        if self.grant.size > len(self.grant.permissions):  # some of them stand for many
            actions = {(permission.service, permission.action.lower()) for permission in self.used}
            return self.grant.size - len(actions)
        return min(len(self.unused), self.grant.size)

    @property
    def gravity(self) -> tuple[int, int, int]:
        """Greater is worse: reasons that weigh, then level, then breadth."""
        breadth = 1 << 30 if self.grant.size < 0 else self.grant.size
        return len(self.grant.weight), _GRAVITY[self.grant.level], breadth


@dataclass(frozen=True, slots=True)
class Gap:
    """Everything held, gravest first. `ungranted` are permissions that were exercised and that no grant which is known
    covers.
    """

    held: tuple[Held, ...] = ()
    ungranted: tuple[Permission, ...] = ()


def gap_of(workload: Workload, chain: Chain, declared: Declared, entries: Iterable[Entry], logs: Logs) -> Gap:
    """Compute it."""
    used = exercised(entries)
    by_service = _by_service(used)
    held = [
        _held(grant, principal, by_service, scope_of(grant.authority, principal, workload), logs)
        for principal in (str(workload), *chain.principals)
        for grant in declared.grants.get(principal, ())
    ]
    held.sort(key=lambda each: (each.gravity, each.grant.path), reverse=True)
    covered = {permission for each in held for permission in each.used}
    return Gap(tuple(held), tuple(permission for permission in used if permission not in covered))


def _stands_for_many(pattern: Permission) -> bool:
    """Whether it grants more than one permission, wherever: in how many namespaces is not counted."""
    return any("*" in part for part in (pattern.service, pattern.action, pattern.name)) or (
        pattern.authority is Authority.KUBERNETES and "*" in pattern.resource
    )


def exercised(entries: Iterable[Entry]) -> list[Permission]:
    """The permissions that were used, in order."""
    values = sorted(entry.value for entry in entries if entry.dimension is Dimension.PERMISSION)
    return [permission for permission in map(read_permission, values) if permission]


def scope_of(authority: Authority, principal: str, workload: Workload) -> str:
    """The scope whose log would tell of `principal`: what qualifies its name."""
    if authority is Authority.AWS:
        return ""
    if workload.cluster and principal == qualified(authority, workload.cluster, _bare(principal, workload.cluster)):
        return workload.cluster
    return principal.rpartition("/")[0] if authority is Authority.POSTGRESQL else ""


def _bare(principal: str, scope: str) -> str:
    return principal.removeprefix(f"{scope}/")


def _by_service(used: Sequence[Permission]) -> Mapping[Authority, Mapping[str, list[Permission]]]:
    found: defaultdict[Authority, defaultdict[str, list[Permission]]] = defaultdict(lambda: defaultdict(list))
    for permission in used:
        found[permission.authority][permission.service].append(permission)
    return found


def _held(
    grant: Grant,
    principal: str,
    by_service: Mapping[Authority, Mapping[str, list[Permission]]],
    scope: str,
    logs: Logs,
) -> Held:
    services = by_service.get(grant.authority, {})
    mine = (
        [each for uses in services.values() for each in uses]
        if "*" in grant.service
        else services.get(grant.service, [])
    )
    used = tuple(permission for permission in mine if grant.covers(permission))
    log = logs.of(grant.authority, scope)
    since = max(log.since, grant.since) if log else 0.0
    tracked = max(log.until - since, 0.0) if log else 0.0
    young = ""
    if log and grant.since > log.since and tracked < LONG_ENOUGH:
        young = "it was granted while the tracking went on, and not long enough ago to be called unused"
    return Held(grant, principal, used, _unused(grant, used), tracked, blind_to(grant, scope, logs), young)


def _unused(grant: Grant, used: Sequence[Permission]) -> tuple[Permission, ...]:
    if not used:
        return grant.permissions
    return tuple(
        pattern
        for pattern in grant.permissions
        if _stands_for_many(pattern) or not any(pattern.covers(permission) for permission in used)
    )
