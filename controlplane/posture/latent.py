"""Capability minus use: what a workload holds and never used, as numbers and examples (`finding` says it in words).

Held is what was surveyed inside its containers, and what authorities outside declare of its identities.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from controlplane.posture.chain import Step
from controlplane.posture.folders import holding
from controlplane.posture.gap import Held
from controlplane.posture.services import Reach
from controlplane.posture.used import Used
from inscope.capability import CAPABILITY_RULES, Capability, CapabilityKind
from inscope.finding import MAX_EXAMPLES, HeldCapability
from inscope.reference import Entry, Evidence, ReferenceKind, Standing

MAX_GRANTED = 500
"""Findings about grants, and about roles, of one workload: the gravest; `inscope gap` tells all."""

MAX_PROVISIONAL = 100
"""Provisional entries that become findings of their own, first seen first; all of them are in `show`."""


@dataclass(frozen=True, slots=True)
class Latent:
    """A finding before it has a number: `watch` names its tripwire, the same for the same thing for ever."""

    kind: CapabilityKind
    reference: ReferenceKind
    watch: str
    held: HeldCapability
    about: Capability | Held | UntakenRole | Reach | Doubted


@dataclass(frozen=True, slots=True)
class Doubted:
    """A provisional entry."""

    entry: Entry
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class UntakenRole:
    """A declared step of the scope chain that was never seen taken, for `tracked` seconds; `blind`: why not at all."""

    step: Step
    tracked: float
    blind: str = ""


@dataclass(frozen=True, slots=True)
class FromOutside:
    """What authorities declare of a workload, compared with what their logs tell."""

    held: tuple[Held, ...] = ()
    untaken: tuple[UntakenRole, ...] = ()
    reach: tuple[Reach, ...] = ()


def latent_of(
    capabilities: Mapping[CapabilityKind, Capability],
    entries: Mapping[Entry, Evidence],
    use: Used,
    outside: FromOutside = FromOutside(),
) -> list[Latent]:
    """Everything held and unused, in the order of `CapabilityKind`, provisional entries last."""
    surveyed = [capabilities[kind] for kind in CAPABILITY_RULES if kind in capabilities]
    found = [_surveyed(capability, use) for capability in surveyed]
    return [each for each in found if each] + declared(outside) + _provisional(entries)


def declared(outside: FromOutside) -> list[Latent]:
    """What authorities declare, gravest first."""
    granted = [_granted(held) for held in outside.held if held.latent][:MAX_GRANTED]
    reached = [_reached(reach) for reach in outside.reach if reach.services - reach.used]
    return granted + [_untaken(role) for role in outside.untaken[:MAX_GRANTED]] + reached


def unused(capability: Capability, use: Used) -> frozenset[str]:
    """The members of a listed capability that were never used; for an open-ended one, the members that hold it open."""
    return _UNUSED[capability.kind](capability.members, use)


def watch_of(reference: ReferenceKind, kind: CapabilityKind, *about: str) -> str:
    """A tripwire's id, unique within a workload. `about` tells those of one kind apart."""
    if not about:
        return f"{reference}/{kind}"
    return f"{reference}/{kind}/{hashlib.sha256(chr(0).join(about).encode()).hexdigest()[:16]}"


def watch_of_entry(entry: Entry) -> str:
    """The id of the tripwire over a provisional entry."""
    return watch_of(entry.reference, CapabilityKind.PROVISIONAL, entry.dimension, entry.value)


def watch_of_grant(held: Held) -> str:
    """The id of the tripwire over one path by which something is granted."""
    grant = held.grant
    told = (held.principal, *grant.path, grant.service, grant.level)
    return watch_of(ReferenceKind.PERMISSION_GAP, CapabilityKind.PERMISSIONS, *told)


def watch_of_step(step: Step) -> str:
    """The id of the tripwire over one step of the scope chain."""
    return watch_of(ReferenceKind.SCOPE_CHAIN, CapabilityKind.ROLES, step.source, step.target)


def watch_of_reach(origin: str) -> str:
    """The id of the tripwire over the services that are reached through `origin`."""
    return watch_of(ReferenceKind.SCOPE_CHAIN, CapabilityKind.SERVICES, origin)


def _surveyed(capability: Capability, use: Used) -> Latent | None:
    rule = CAPABILITY_RULES[capability.kind]
    latent = unused(capability, use)
    if not latent:
        return None
    if rule.open_ended:
        held = HeldCapability(-1, _OPEN_USE[capability.kind](capability.members, use), -1, _examples(latent))
    else:
        total = len(capability.members)
        held = HeldCapability(total, total - len(latent), len(latent), _examples(latent))
    return Latent(capability.kind, rule.reference, watch_of(rule.reference, capability.kind), held, capability)


def _provisional(entries: Mapping[Entry, Evidence]) -> list[Latent]:
    doubtful = [item for item in entries.items() if item[1].standing is Standing.PROVISIONAL]
    doubtful.sort(key=lambda item: (item[1].first_seen, item[0]))
    return [_provisional_one(entry, evidence) for entry, evidence in doubtful[:MAX_PROVISIONAL]]


def _provisional_one(entry: Entry, evidence: Evidence) -> Latent:
    held = HeldCapability(1, 0, 1, (str(entry),))
    about = Doubted(entry, evidence)
    return Latent(CapabilityKind.PROVISIONAL, entry.reference, watch_of_entry(entry), held, about)


def _granted(each: Held) -> Latent:
    size, left = each.grant.size, each.latent
    used = len(each.used) if size < 0 else size - left
    held = HeldCapability(size, used, left, _examples(map(str, each.unused)))
    kind, reference = CapabilityKind.PERMISSIONS, ReferenceKind.PERMISSION_GAP
    return Latent(kind, reference, watch_of_grant(each), held, each)


def _untaken(role: UntakenRole) -> Latent:
    held = HeldCapability(1, 0, 1, (role.step.target,))
    return Latent(CapabilityKind.ROLES, ReferenceKind.SCOPE_CHAIN, watch_of_step(role.step), held, role)


def _reached(reach: Reach) -> Latent:
    left = reach.services - reach.used
    held = HeldCapability(len(reach.services), len(reach.used), len(left), _examples(left))
    return Latent(CapabilityKind.SERVICES, ReferenceKind.SCOPE_CHAIN, watch_of_reach(reach.origin), held, reach)


def _examples(members: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(members)[:MAX_EXAMPLES])


Members = frozenset[str]

_UNUSED: dict[CapabilityKind, Callable[[Members, Used], Members]] = {
    CapabilityKind.EXECUTABLES: lambda members, use: members - use.programs,
    # An interpreter that never ran is a latent executable; only one that runs is a way for new scripts to run.
    CapabilityKind.INTERPRETERS: lambda members, use: members & use.programs,
    CapabilityKind.LIBRARIES: lambda members, use: members - use.libraries,
    CapabilityKind.WRITABLE_CODE: lambda members, use: members,
    CapabilityKind.SECRETS: lambda members, use: members - use.secrets,
    CapabilityKind.EGRESS: lambda members, use: members,
    CapabilityKind.PORTS: lambda members, use: members,
    CapabilityKind.SYSCALLS: lambda members, use: members - use.calls,
}


def code_in(folders: Members, use: Used) -> set[str]:
    """The programs, libraries and folders of generated code that were used out of `folders`."""
    files = {path for path in use.programs | use.libraries if holding(path, folders)}
    return files | {folder for folder in use.generated if folder in folders or holding(folder, folders)}


_OPEN_USE: dict[CapabilityKind, Callable[[Members, Used], int]] = {
    CapabilityKind.INTERPRETERS: lambda members, use: len(use.scripts),
    CapabilityKind.WRITABLE_CODE: lambda members, use: len(code_in(members, use)),
    CapabilityKind.EGRESS: lambda members, use: len(use.destinations),
    CapabilityKind.PORTS: lambda members, use: len(use.listeners),
}
