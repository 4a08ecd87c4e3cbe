"""Which workload an identity acted for, by what authorities declare. Pure.

The pod that an authority vouches for decides; where there is none, who runs as that identity. Where several do, the act
is ambiguous and counts for each, marked so: it is never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from inscope.exercise import Identity
from inscope.grant import Declaration, LinkKind, qualified
from inscope.permission import Authority
from inscope.workload import InvalidWorkloadError, Workload

MAX_CANDIDATES = 16
"""Workloads that one act counts for: a service account that more share is nobody's in particular."""

_TEMPLATE = r"[bcdfghjklmnpqrstvwxz2456789]"  # what Kubernetes' names are made of: no vowels, no lookalikes
_NAMES = (
    ("Deployment", re.compile(rf"(?P<name>.+)-{_TEMPLATE}{{6,10}}-{_TEMPLATE}{{5}}")),
    ("CronJob", re.compile(rf"(?P<name>.+)-\d{{8,10}}-{_TEMPLATE}{{5}}")),
    ("StatefulSet", re.compile(r"(?P<name>.+)-\d+")),
    ("DaemonSet", re.compile(rf"(?P<name>.+)-{_TEMPLATE}{{5}}")),
    ("Job", re.compile(rf"(?P<name>.+)-{_TEMPLATE}{{5}}")),
    ("Pod", re.compile(r"(?P<name>.+)")),
)
"""How a pod is named by what owns it."""

_ACCOUNT = re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)\Z")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/]+)\Z")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Attribution:
    """`workloads` that it may have been: none, one, or several. `why` says by what, or why none."""

    workloads: tuple[Workload, ...]
    why: str

    @property
    def ambiguous(self) -> bool:
        """Whether it may have been several."""
        return len(self.workloads) > 1


@dataclass(frozen=True, slots=True)
class Directory:
    """Who runs as what. Principals and pods are qualified by their scope, see `inscope.grant.qualified`."""

    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pods: Mapping[str, str] = field(default_factory=dict)
    granted: frozenset[str] = frozenset()

    def workloads_of(self, principal: str) -> tuple[Workload, ...]:
        """The workloads whose chain leads to `principal`, nearest first."""
        found: dict[Workload, None] = {}
        seen, waiting = {principal}, deque([principal])
        while waiting and len(found) <= MAX_CANDIDATES:
            for source in self.sources.get(waiting.popleft(), ()):
                workload = _workload(source)
                if workload is not None:
                    found[workload] = None
                elif source not in seen:
                    seen.add(source)
                    waiting.append(source)
        return tuple(found)


def directory_of(declarations: Iterable[Declaration]) -> Directory:
    """The index."""
    sources: defaultdict[str, dict[str, None]] = defaultdict(dict)
    pods: dict[str, str] = {}
    granted: set[str] = set()
    for declaration in declarations:
        granted.update(grant.principal for grant in declaration.grants)
        for link in declaration.links:
            if link.kind is LinkKind.OWNS:
                pods[link.target] = link.source
            else:
                sources[link.target][link.source] = None
    return Directory({target: tuple(names) for target, names in sources.items()}, pods, frozenset(granted))


def attribute(identity: Identity, scope: str, directory: Directory) -> Attribution:
    """`scope` is that of the log: the cluster's name, the server; empty for AWS."""
    by_pod = _by_pod(identity, scope, directory) if identity.pod else None
    if by_pod is not None:
        return by_pod
    principal = qualified(identity.authority, scope, identity.principal)
    candidates = directory.workloads_of(principal)
    if len(candidates) > MAX_CANDIDATES:
        return Attribution((), f"{identity.principal} is shared by more than {MAX_CANDIDATES} workloads")
    if len(candidates) == 1:
        return Attribution(candidates, f"only {candidates[0]} leads to {identity.principal}")
    if candidates:
        return Attribution(candidates, f"{identity.principal} is shared by {len(candidates)} workloads")
    itself = _itself(identity, scope, principal in directory.granted)
    if itself is None:
        return Attribution((), f"{identity.principal} is no workload's identity, as far as is declared")
    return Attribution((itself,), f"no workload is declared that leads to {identity.principal}: it stands for itself")


def _by_pod(identity: Identity, scope: str, directory: Directory) -> Attribution | None:
    owner = directory.pods.get(qualified(identity.authority, scope, identity.pod))
    workload = _workload(owner) if owner else None
    if workload is not None:
        return Attribution((workload,), f"pod {identity.pod} is its own")
    namespace, _, name = identity.pod.partition("/")
    runs_as = set(directory.workloads_of(qualified(identity.authority, scope, identity.principal)))
    for owner_of_pod in _owners(namespace, name, scope):
        if owner_of_pod in runs_as:
            return Attribution((owner_of_pod,), f"pod {identity.pod} is named as its own are, and runs as it does")
    return None


def _owners(namespace: str, pod: str, cluster: str) -> Iterator[Workload]:
    for kind, pattern in _NAMES:
        match = pattern.fullmatch(pod)
        if match:
            workload = _named(namespace, kind, match["name"], cluster)
            if workload is not None:
                yield workload


def _itself(identity: Identity, scope: str, granted: bool) -> Workload | None:
    """An identity that nothing is known to run as is watched by itself, where an agent could have it."""
    account = _ACCOUNT.match(identity.principal)
    if account:
        return _named(account["namespace"], "ServiceAccount", account["name"], scope)
    role = _ROLE.match(identity.principal)
    if role and granted:
        return _named(role["account"], "Role", role["name"], "")
    if identity.authority is Authority.POSTGRESQL and granted:
        return _named(_UNNAMEABLE.sub("-", scope).strip("-") or "local", "DatabaseRole", identity.principal, "")
    return None


def _named(namespace: str, kind: str, name: str, cluster: str) -> Workload | None:
    try:
        return Workload(namespace, kind, name, cluster)
    except InvalidWorkloadError:
        return None


@lru_cache(maxsize=16_384)
def _workload(text: str) -> Workload | None:
    """A link's source as a workload; None where it is another identity."""
    if ":" in text or text.count("/") < 2:
        return None
    try:
        return Workload.parse(text)
    except InvalidWorkloadError:
        return None
