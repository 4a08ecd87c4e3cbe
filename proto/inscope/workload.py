"""Who is watched: a workload owns pods, an instance is one running container of it, an agent is the name an alert uses.

References belong to workloads, never to pods, so that a rollout keeps what was learned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

InstanceId = NewType("InstanceId", str)
"""Opaque and unique: pod uid + container name in a cluster, a random id under `inscope run`."""

MAX_PART = 253
"""Characters of one part: a Kubernetes name's bound (a DNS subdomain, RFC 1123)."""

_PART = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,{MAX_PART - 2}}}[A-Za-z0-9])?\Z")


class InvalidWorkloadError(ValueError):
    """The text is not a workload: whoever typed or sent it is at fault."""


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """`[CLUSTER/]NAMESPACE/KIND/NAME`; each part is at most 253 characters of `A-Za-z0-9._-`."""

    namespace: str
    kind: str
    name: str
    cluster: str = ""

    def __post_init__(self) -> None:
        parts = [self.namespace, self.kind, self.name, *([self.cluster] if self.cluster else [])]
        faults = [_fault(part) for part in parts if not _PART.match(part)]
        if faults:
            raise InvalidWorkloadError(f"not a name of a workload: {'; '.join(faults)}")

    @classmethod
    def parse(cls, text: str) -> Workload:
        """Read `[CLUSTER/]NAMESPACE/KIND/NAME`; a bare `NAME` means `local/Process/NAME`.

        Raises:
            InvalidWorkloadError: anything else.
        """
        match text.split("/"):
            case [name]:
                return cls("local", "Process", name)
            case [namespace, kind, name]:
                return cls(namespace, kind, name)
            case [cluster, namespace, kind, name]:
                return cls(namespace, kind, name, cluster)
            case _:
                raise InvalidWorkloadError(f"expected [CLUSTER/]NAMESPACE/KIND/NAME or NAME, got {text[:200]!r}")

    def __str__(self) -> str:
        parts = (self.cluster, self.namespace, self.kind, self.name)
        return "/".join(part for part in parts if part)


def _fault(part: str) -> str:
    """What is wrong with a part of a workload's name."""
    if not part:
        return "it is empty"
    if len(part) > MAX_PART:
        return f"{part[:20]!r}… has {len(part):,} characters, at most {MAX_PART}"
    return f"{part!r} is not of letters, digits, '.', '_' and '-' with a letter or digit at each end"


@dataclass(frozen=True, slots=True)
class Instance:
    """One running container of a workload."""

    id: InstanceId
    workload: Workload


@dataclass(frozen=True, slots=True)
class Agent:
    """The identity an alert carries. Fields that nothing has vouched for stay empty."""

    workload: Workload
    service_account: str = ""
    role: str = ""
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.workload)
