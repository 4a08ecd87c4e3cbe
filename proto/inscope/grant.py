"""What an authority declares: who was granted what, by which path, and how identities lead to one another.

A declaration is the whole of one scope (a cluster, an account, a database server) at a moment, and replaces the one
before. It is resolved where it was read: explicit denials, boundaries and aggregation are no longer in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inscope.permission import Authority, Level, Permission


@dataclass(frozen=True, slots=True)
class Grant:
    """One path, service and level by which `principal` holds `permissions` (patterns, never empty).

    `principal` is the name that the authority uses: `system:serviceaccount:NS:NAME`, a role's ARN, a database role.
    `path` leads from the principal to what grants, outermost first: `("ClusterRoleBinding admins", "ClusterRole
    admin")`, `("policy Agent", "statement 2")`, `("role readers", "table public.customers")`.
    `size` is how many single permissions it comes to, -1 where that is open-ended. `conditional`: only under
    conditions that cannot be decided from here. `since` is when it came to be, in seconds since the epoch; 0: unknown.
    `inherited` is how it reached the principal other than by name (`group system:authenticated`); empty: by name.
    `weight` are the reasons, each with its source, why it weighs more than its level: what it escalates to, whom it
    reaches (`customer PII`).
    """

    authority: Authority
    principal: str
    path: tuple[str, ...]
    service: str
    level: Level
    permissions: tuple[Permission, ...]
    size: int
    conditional: bool = False
    since: float = 0.0
    inherited: str = ""
    weight: tuple[str, ...] = ()

    def covers(self, used: Permission) -> bool:
        """Whether it allows `used`."""
        return any(pattern.covers(used) for pattern in self.permissions)


class LinkKind(StrEnum):
    """How one identity leads to the next."""

    RUNS_AS = "runs-as"
    """A workload (`[CLUSTER/]NAMESPACE/KIND/NAME`) runs as a service account, or logs in as a database role."""

    FEDERATES = "federates"
    """A service account is exchanged for a cloud role."""

    OWNS = "owns"
    """A workload owns a pod (`NAMESPACE/NAME`): not part of the chain, but how an act is attributed."""

    ASSUMES = "assumes"
    """A role takes on another: role chaining, impersonation, SET ROLE, membership."""


@dataclass(frozen=True, slots=True)
class Link:
    """One edge of the scope chain as declared. `via` says where: `annotation eks.amazonaws.com/role-arn of
    ServiceAccount analytics/agent`. `since` as in `Grant`.
    """

    kind: LinkKind
    source: str
    target: str
    via: str
    since: float = 0.0


def qualified(authority: Authority, scope: str, principal: str) -> str:
    """A principal's name where several clusters or servers are watched: `SCOPE/PRINCIPAL`. An ARN says its account
    itself.
    """
    return f"{scope}/{principal}" if scope and authority is not Authority.AWS else principal


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything one authority declares in `scope` (a cluster's name, an account's number, `HOST:PORT`; may be empty).

    `taken_at` is when it was read, seconds since the epoch. `faults` are what could not be read or understood, one
    sentence each: what is not in it is then unknown, not "not granted".
    """

    authority: Authority
    scope: str
    taken_at: float
    grants: tuple[Grant, ...] = ()
    links: tuple[Link, ...] = ()
    faults: tuple[str, ...] = ()
