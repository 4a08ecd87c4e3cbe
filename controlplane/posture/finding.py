"""Findings: what is latent, said in plain English with numbers, under an id that stays as long as the thing does.

Unobservable is never unused: where nobody watched, the sentence says that instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from controlplane.posture.declared_wording import granted, reached, untaken
from controlplane.posture.gap import Held
from controlplane.posture.latent import Doubted, Latent, UntakenRole
from controlplane.posture.reach import UNRESTRICTED
from controlplane.posture.services import Reach
from controlplane.posture.wording import counted, duration, listed, was
from inscope.capability import CapabilityKind
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.reference import NEVER_IN_SCOPE, Entry, Evidence, ReferenceKind, ReferenceVersion, can_be_in_scope
from inscope.workload import Workload

PREFIX = {
    ReferenceKind.ENVELOPE: "EN",
    ReferenceKind.INVENTORY: "IN",
    ReferenceKind.PERMISSION_GAP: "PG",
    ReferenceKind.SCOPE_CHAIN: "SC",
}
"""What a finding's id begins with; each is a series of numbers of its own."""


@dataclass(frozen=True, slots=True)
class Witness:
    """How well use was watched: for how many seconds, how many records are missing, and `blind`: why not at all."""

    seconds: float
    lost: int = 0
    blind: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What turns something latent into a finding: who numbers, who arms, and what is true now.

    `number` is called for what has no id yet; `doubt` says why an entry is provisional.
    """

    workload: Workload
    versions: Mapping[ReferenceKind, int]
    witness: Witness
    now: float
    number: Callable[[str], int]
    arm: Callable[[Latent], Tripwire]
    doubt: Callable[[Entry], str]


def findings(latent: Iterable[Latent], previous: Iterable[Finding], desk: Desk) -> tuple[Finding, ...]:
    """One finding for each latent thing; ids and `since` are kept from `previous`, what is no longer latent is gone."""
    known = {finding.tripwire.id: finding for finding in previous}
    return tuple(_finding(each, known.get(each.watch), desk) for each in latent)


def _finding(latent: Latent, before: Finding | None, desk: Desk) -> Finding:
    prefix = PREFIX[latent.reference]
    return Finding(
        id=before.id if before else f"{prefix}-{desk.number(prefix)}",
        kind=latent.kind,
        workload=desk.workload,
        reference=ReferenceVersion(latent.reference, desk.versions.get(latent.reference, 0)),
        capability=latent.held,
        tripwire=desk.arm(latent),
        sentence=sentence(latent, desk.witness, desk.doubt),
        since=before.since if before else desk.now,
    )


def sentence(latent: Latent, witness: Witness, doubt: Callable[[Entry], str]) -> str:
    """What a newcomer reads. It begins in lower case: the workload is its subject."""
    match latent.about:
        case Doubted(entry, evidence):
            return provisional(entry, evidence, doubt)
        case Held():
            return granted(latent.about, latent.held)
        case UntakenRole():
            return untaken(latent.about)
        case Reach():
            return reached(latent.about, latent.held)
    if witness.blind:
        return f"{_HELD[latent.kind](latent.held)}; whether that was used is unobservable: {witness.blind}"
    said = _SENTENCES[latent.kind](latent.held, f"in {duration(witness.seconds)}")
    if not latent.about.complete:
        said += "; the survey was cut at its bound, so that more may be held"
    if witness.lost:
        said += f"; {counted(witness.lost, 'record')} of what happened meanwhile were lost"
    return said


def provisional(entry: Entry, evidence: Evidence, doubt: Callable[[Entry], str]) -> str:
    """What happened while learning and is not trusted."""
    happened = f"{entry.dimension} {entry} was seen {counted(evidence.count, 'time')} while learning"
    if entry.dimension in NEVER_IN_SCOPE:
        return f"{happened}: what was claimed and what was done differ, which can never be in scope"
    if not can_be_in_scope(entry):
        return f"{happened}, but its content could not be hashed: without an identity it can never be in scope"
    return f"{happened}, but {doubt(entry)}: it is not in scope until someone approves it"


def _listed(one: str, many: str, never: str) -> Callable[[HeldCapability, str], str]:
    def say(held: HeldCapability, span: str) -> str:
        nouns = one if held.held == 1 else many
        return f"{held.latent:,} of {held.held:,} {nouns} {was(held.latent)} never {never} {span}"

    return say


def _interpreters(held: HeldCapability, span: str) -> str:
    ran = "1 script was run" if held.used == 1 else f"{held.used:,} scripts were run"
    return f"{listed(held.examples)} will run any script given to it: {ran} {span}, any other is new code"


def _writable_code(held: HeldCapability, span: str) -> str:
    place = counted(len(held.examples), "folder") if len(held.examples) > 1 else "a folder"
    ran = f"{counted(held.used, 'piece')} of code from there ran" if held.used else "no code from there ever ran"
    return f"can write and execute in {place} ({listed(held.examples)}): {ran} {span}"


def _egress(held: HeldCapability, span: str) -> str:
    contacted = f"{counted(held.used, 'destination')} {was(held.used)} contacted {span}"
    if UNRESTRICTED in held.examples:
        return f"egress is unrestricted: {contacted}, any other is reachable"
    return f"egress is limited to {listed(held.examples)}: {contacted}, any other there is reachable"


def _ports(held: HeldCapability, span: str) -> str:
    used = f"{counted(held.used, 'port')} {was(held.used)} listened on {span}"
    return f"can listen on any port of {listed(held.examples)}: {used}"


_SENTENCES: dict[CapabilityKind, Callable[[HeldCapability, str], str]] = {
    CapabilityKind.EXECUTABLES: _listed("executable within reach", "executables within reach", "run"),
    CapabilityKind.INTERPRETERS: _interpreters,
    CapabilityKind.LIBRARIES: _listed("library within reach", "libraries within reach", "loaded"),
    CapabilityKind.WRITABLE_CODE: _writable_code,
    CapabilityKind.SECRETS: _listed("readable secret", "readable secrets", "read"),
    CapabilityKind.EGRESS: _egress,
    CapabilityKind.PORTS: _ports,
    CapabilityKind.SYSCALLS: _listed("rare system call permitted", "rare system calls permitted", "made"),
}

_HELD: dict[CapabilityKind, Callable[[HeldCapability], str]] = {
    CapabilityKind.EXECUTABLES: lambda held: f"{counted(held.held, 'executable')} within reach can be run",
    CapabilityKind.INTERPRETERS: lambda held: f"{listed(held.examples)} will run any script given to it",
    CapabilityKind.LIBRARIES: lambda held: f"{counted(held.held, 'library', 'libraries')} can be loaded",
    CapabilityKind.WRITABLE_CODE: lambda held: f"can write and execute in {listed(held.examples)}",
    CapabilityKind.SECRETS: lambda held: f"{counted(held.held, 'secret')} can be read",
    CapabilityKind.EGRESS: lambda held: f"egress is {listed(held.examples)}",
    CapabilityKind.PORTS: lambda held: f"can listen on any port of {listed(held.examples)}",
    CapabilityKind.SYSCALLS: lambda held: f"{counted(held.held, 'rare system call')} are permitted",
}
