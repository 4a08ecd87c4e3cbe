"""The scope chain of a workload: which identities it leads to, each step declared, observed, or both. Pure.

A graph, walked from the workload: it runs as a service account, which is exchanged for a cloud role, which takes on
another. What is declared comes from the authorities' declarations, what is observed from the entries of its references.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from inscope.behaviour import Means
from inscope.entry_text import read_sides
from inscope.grant import Declaration, Grant, Link, LinkKind
from inscope.reference import Dimension, Entry, Evidence
from inscope.workload import Workload

T = TypeVar("T")

MAX_STEPS = 1_000
"""Steps of one chain: more is a declaration that was made to be large."""

_KINDS = {Means.LOGIN: LinkKind.RUNS_AS, Means.WEB_IDENTITY: LinkKind.FEDERATES, Means.POD_IDENTITY: LinkKind.FEDERATES}


@dataclass(frozen=True, slots=True)
class Declared:
    """What all authorities declare, by principal and by where a link begins. Principals are qualified, see
    `inscope.grant.qualified`.
    """

    grants: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    links: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One edge. `via` says where it is declared, empty where it is only observed; `evidence` is None where it never
    was. `level` counts from the workload, which is 0.
    """

    kind: LinkKind
    source: str
    target: str
    via: str
    since: float
    evidence: Evidence | None
    level: int

    @property
    def declared(self) -> bool:
        """Whether somebody wrote it down."""
        return bool(self.via)

    @property
    def observed(self) -> bool:
        """Whether it was taken."""
        return self.evidence is not None


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps, nearest first; `cut` where there were more than `MAX_STEPS`."""

    steps: tuple[Step, ...] = ()
    cut: bool = False

    @property
    def principals(self) -> tuple[str, ...]:
        """The identities that it leads to, nearest first."""
        return tuple(dict.fromkeys(step.target for step in self.steps))


def declared_of(declarations: Iterable[Declaration]) -> Declared:
    """The index."""
    grants: defaultdict[str, list[Grant]] = defaultdict(list)
    links: defaultdict[str, list[Link]] = defaultdict(list)
    for declaration in declarations:
        for grant in declaration.grants:
            grants[grant.principal].append(grant)
        for link in declaration.links:
            links[link.source].append(link)
    return Declared(_frozen(grants), _frozen(links))


def _frozen(lists: Mapping[str, list[T]]) -> dict[str, tuple[T, ...]]:
    return {key: tuple(items) for key, items in lists.items()}


def chain_of(workload: Workload, declared: Declared, entries: Mapping[Entry, Evidence]) -> Chain:
    """Walk it."""
    taken = _observed(str(workload), entries)
    waiting, seen = deque([(str(workload), 0)]), {str(workload)}
    steps: list[Step] = []
    while waiting:
        source, level = waiting.popleft()
        for step in _from(source, level, declared, taken):
            if len(steps) == MAX_STEPS:
                return Chain(tuple(steps), cut=True)
            steps.append(step)
            if step.target not in seen:
                seen.add(step.target)
                waiting.append((step.target, level + 1))
    return Chain(tuple(steps))


def _from(source: str, level: int, declared: Declared, taken: Mapping[str, Mapping[str, _Taken]]) -> Iterator[Step]:
    observed = dict(taken.get(source, {}))
    targets: defaultdict[str, list[Link]] = defaultdict(list)
    for link in declared.links.get(source, ()):
        if link.kind is not LinkKind.OWNS:
            targets[link.target].append(link)
    for target, links in targets.items():
        mine = observed.pop(target, None)
        via, since = "; ".join(dict.fromkeys(link.via for link in links)), max(link.since for link in links)
        yield Step(links[0].kind, source, target, via, since, mine.evidence if mine else None, level + 1)
    for target, only in observed.items():
        yield Step(only.kind, source, target, "", 0.0, only.evidence, level + 1)


@dataclass(frozen=True, slots=True)
class _Taken:
    kind: LinkKind
    evidence: Evidence


def _observed(workload: str, entries: Mapping[Entry, Evidence]) -> dict[str, dict[str, _Taken]]:
    """By whom, then what was taken on. A credential that the workload presented is one it runs as, unless a role of
    its own led there.
    """
    taken: defaultdict[str, dict[str, _Taken]] = defaultdict(dict)
    for entry, evidence in entries.items():
        if entry.dimension is Dimension.ROLE:
            who, role = read_sides(entry.value)
            principal, _, means = who.rpartition(" by ")
            kind = _KINDS.get(Means(means), LinkKind.ASSUMES) if means in tuple(Means) else LinkKind.ASSUMES
            taken[workload if kind is LinkKind.RUNS_AS else principal][role] = _Taken(kind, evidence)
    reached = {role for roles in taken.values() for role in roles}
    for entry, evidence in entries.items():
        if entry.dimension is Dimension.CREDENTIAL:
            principal = read_sides(entry.value)[0]
            if principal not in reached and principal not in taken[workload]:
                taken[workload][principal] = _Taken(LinkKind.RUNS_AS, evidence)
    return taken
