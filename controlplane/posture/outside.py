"""What authorities outside of the pod say of a workload: its scope chain, its permission gap, what it reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controlplane.posture.chain import Chain, Declared, Step, chain_of
from controlplane.posture.gap import Gap, gap_of
from controlplane.posture.latent import FromOutside, UntakenRole
from controlplane.posture.logs import SOURCE_OF, Logs
from controlplane.posture.services import Reach, reach_of
from inscope.grant import LinkKind
from inscope.permission import Authority
from inscope.reference import Entry, Evidence
from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class Outside:
    """`unused` is what of it becomes findings."""

    chain: Chain = field(default_factory=Chain)
    gap: Gap = field(default_factory=Gap)
    reach: tuple[Reach, ...] = ()
    unused: FromOutside = field(default_factory=FromOutside)


def outside_of(workload: Workload, declared: Declared, entries: Mapping[Entry, Evidence], logs: Logs) -> Outside:
    """All of it."""
    chain = chain_of(workload, declared, entries)
    gap = gap_of(workload, chain, declared, entries, logs)
    reach = reach_of(gap.held, entries)
    return Outside(chain, gap, reach, FromOutside(gap.held, tuple(_untaken(chain, logs)), reach))


def _untaken(chain: Chain, logs: Logs) -> Iterator[UntakenRole]:
    for step in chain.steps:
        if not step.observed and step.kind in (LinkKind.FEDERATES, LinkKind.ASSUMES):
            yield _watched(step, logs)


def _watched(step: Step, logs: Logs) -> UntakenRole:
    authority = _keeper(step)
    if authority is None:
        return UntakenRole(step, 0.0, f"no log is read of whoever grants {step.target}")
    log = logs.of(authority, _scope(authority, step.target))
    if log is None:
        return UntakenRole(step, 0.0, f"{SOURCE_OF[authority]} was never connected")
    return UntakenRole(step, max(log.until - max(log.since, step.since), 0.0))


def _keeper(step: Step) -> Authority | None:
    """Whose log tells that the role was taken on."""
    if step.target.startswith("arn:"):
        return Authority.AWS
    if step.kind is LinkKind.FEDERATES:
        return None  # a cloud whose log nobody reads for us
    return Authority.KUBERNETES if "system:" in step.target else Authority.POSTGRESQL


def _scope(authority: Authority, principal: str) -> str:
    return "" if authority is Authority.AWS else principal.rpartition("/")[0]
