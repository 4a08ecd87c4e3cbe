"""Capability minus use: what a workload holds and never used, as numbers and examples (`finding` says it in words)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from controlplane.posture.folders import holding
from controlplane.posture.used import Used
from inscope.capability import CAPABILITY_RULES, Capability, CapabilityKind
from inscope.finding import MAX_EXAMPLES, HeldCapability
from inscope.reference import Entry, Evidence, ReferenceKind, Standing

MAX_PROVISIONAL = 100
"""Provisional entries that become findings of their own, first seen first; all of them are in `show`."""


@dataclass(frozen=True, slots=True)
class Latent:
    """A finding before it has a number: `watch` names its tripwire, the same for the same thing for ever."""

    kind: CapabilityKind
    reference: ReferenceKind
    watch: str
    held: HeldCapability
    capability: Capability | None = None
    entry: Entry | None = None
    evidence: Evidence | None = None


def latent_of(
    capabilities: Mapping[CapabilityKind, Capability], entries: Mapping[Entry, Evidence], use: Used
) -> list[Latent]:
    """Everything held and unused, in the order of `CapabilityKind`, provisional entries last."""
    surveyed = [capabilities[kind] for kind in CAPABILITY_RULES if kind in capabilities]
    found = [_surveyed(capability, use) for capability in surveyed]
    return [each for each in found if each] + _provisional(entries)


def unused(capability: Capability, use: Used) -> frozenset[str]:
    """The members of a listed capability that were never used; for an open-ended one, the members that hold it open."""
    return _UNUSED[capability.kind](capability.members, use)


def watch_of(reference: ReferenceKind, kind: CapabilityKind, entry: Entry | None = None) -> str:
    """A tripwire's id, unique within a workload."""
    if entry is None:
        return f"{reference}/{kind}"
    digest = hashlib.sha256(f"{entry.dimension}\0{entry.value}".encode()).hexdigest()
    return f"{reference}/{kind}/{digest[:16]}"


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
    kind = CapabilityKind.PROVISIONAL
    held = HeldCapability(1, 0, 1, (str(entry),))
    return Latent(kind, entry.reference, watch_of(entry.reference, kind, entry), held, None, entry, evidence)


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
