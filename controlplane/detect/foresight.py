"""Which finding foresaw a crossing, or why none did.

For each missing entry the claims are tried from the most specific to the least: this very entry was doubted, this file
was held and unused, this interpreter takes any script, this folder takes any code. A claim counts only if its finding
and its survey are older than the act and its tripwire was armed: foresight is a fact about the past.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controlplane.detect.claim import Claim
from controlplane.detect.declared_claims import permission_claims, role_claims, service_claims
from controlplane.posture.folders import holding
from controlplane.posture.latent import FromOutside, watch_of_entry
from controlplane.posture.reach import UNRESTRICTED, reaches
from controlplane.posture.used import Used
from controlplane.posture.wording import moment
from inscope.behaviour import Behaviour, Exec, Load, Open, PermissionUse, RoleAssumption
from inscope.capability import Capability, CapabilityKind
from inscope.entry_text import read_call, read_listener
from inscope.finding import Finding
from inscope.reference import Dimension, Entry


@dataclass(frozen=True, slots=True)
class Watch:
    """What stood before the act: findings by the id of their tripwire, the surveys, what had been used, and what
    authorities declare.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    capabilities: Mapping[CapabilityKind, Capability] = field(default_factory=dict)
    used: Used = field(default_factory=Used)
    outside: FromOutside = field(default_factory=FromOutside)


@dataclass(frozen=True, slots=True)
class Foresight:
    """`finding` with what it had said, or None with the reason why none did."""

    finding: Finding | None
    reason: str


def foresee(entry: Entry, behaviour: Behaviour, time: float, watch: Watch) -> Foresight:
    """The most specific armed finding that covers `entry`, missing for `behaviour` at `time`."""
    doubted = watch.findings.get(watch_of_entry(entry))
    if doubted is not None:
        reason = _stale(doubted, None, time)
        return Foresight(None, reason) if reason else Foresight(doubted, "it was seen while learning and not trusted")
    reasons = []
    for claim in _claims(entry, behaviour, watch):
        answer = _weigh(claim, time, watch)
        if answer.finding:
            return answer
        reasons.append(answer.reason)
    return Foresight(None, "; ".join(reasons) or _UNSURVEYED[entry.dimension])


def _weigh(claim: Claim, time: float, watch: Watch) -> Foresight:
    if claim.refuted:
        return Foresight(None, claim.refuted)
    finding = watch.findings.get(claim.tripwire)
    if finding is None:
        return Foresight(None, f"there was no finding about {_name(claim.kind)}")
    reason = _stale(finding, watch.capabilities.get(claim.kind), time)
    return Foresight(None, reason) if reason else Foresight(finding, claim.said)


def _stale(finding: Finding, capability: Capability | None, time: float) -> str:
    if finding.since > time:
        return f"finding {finding.id} is newer than the act"
    if capability is not None and capability.surveyed_at > time:
        return f"the survey behind finding {finding.id} was made at {moment(capability.surveyed_at)}, after the act"
    if not finding.tripwire.armed:
        return f"finding {finding.id} covers it, but its tripwire was not armed: {finding.tripwire.reason}"
    return ""


def _claims(entry: Entry, behaviour: Behaviour, watch: Watch) -> Iterator[Claim]:
    match entry.dimension:
        case Dimension.PROGRAM if isinstance(behaviour, Exec):
            yield from _program_claims(behaviour, watch)
        case Dimension.LIBRARY if isinstance(behaviour, Load):
            yield _listed(CapabilityKind.LIBRARIES, behaviour.path, watch)
            yield _writable(behaviour.path, watch)
        case Dimension.GENERATED_CODE if isinstance(behaviour, Load):
            yield _writable(behaviour.path, watch)
        case Dimension.SECRET_READ if isinstance(behaviour, Open):
            yield _listed(CapabilityKind.SECRETS, behaviour.path, watch)
        case Dimension.SYSCALL:
            yield _listed(CapabilityKind.SYSCALLS, read_call(entry.value).name, watch)
        case Dimension.DESTINATION:
            yield _egress(entry, watch)
        case Dimension.LISTENER:
            yield _port(entry, watch)
        case Dimension.PERMISSION | Dimension.ATTEMPT if isinstance(behaviour, PermissionUse):
            yield from permission_claims(behaviour, watch.outside.held)
        case Dimension.ROLE if isinstance(behaviour, RoleAssumption):
            yield from role_claims(behaviour, watch.outside.untaken)
        case Dimension.SERVICE:
            yield from service_claims(entry, watch.outside.reach)


def _program_claims(act: Exec, watch: Watch) -> Iterator[Claim]:
    path = act.program.path
    yield _listed(CapabilityKind.EXECUTABLES, path, watch)
    if act.program.script:
        yield _interpreter(act, watch)
    yield _writable(path, watch)


@dataclass(frozen=True, slots=True)
class _Words:
    things: str
    held: str
    before: str


_LISTED = {
    CapabilityKind.EXECUTABLES: _Words(
        "executables", "it held {0} and never ran it", "{0} had run before, with other content or another script"
    ),
    CapabilityKind.LIBRARIES: _Words(
        "libraries", "it held {0} and never loaded it", "{0} had been loaded before, with other content"
    ),
    CapabilityKind.SECRETS: _Words(
        "secrets", "it could read {0} and never did", "{0} had been read before, by another program"
    ),
    CapabilityKind.SYSCALLS: _Words(
        "system calls", "it could call {0} and never did", "{0} had been called before, by another program or otherwise"
    ),
}


def _listed(kind: CapabilityKind, member: str, watch: Watch) -> Claim:
    words, capability = _LISTED[kind], watch.capabilities.get(kind)
    if capability is None:
        return _unsurveyed(kind)
    if member not in capability.members:
        cut = "" if capability.complete else ", which was cut at its bound"
        found = f"{len(capability.members):,} {words.things} found by the survey of {moment(capability.surveyed_at)}"
        return Claim(kind, refuted=f"{member} was not among the {found}{cut}")
    if member in _used(kind, watch.used):
        return Claim(kind, refuted=words.before.format(member))
    return Claim(kind, words.held.format(member))


def _used(kind: CapabilityKind, used: Used) -> set[str]:
    match kind:
        case CapabilityKind.EXECUTABLES:
            return used.programs
        case CapabilityKind.LIBRARIES:
            return used.libraries
        case CapabilityKind.SECRETS:
            return used.secrets
        case _:
            return used.calls


def _interpreter(act: Exec, watch: Watch) -> Claim:
    kind, path = CapabilityKind.INTERPRETERS, act.program.path
    capability = watch.capabilities.get(kind)
    if capability is None:
        return _unsurveyed(kind)
    known = {known_hash for known_path, known_hash in watch.used.binaries if known_path == path}
    if path not in capability.members or path not in watch.used.programs:
        return Claim(kind, refuted=f"{path} is not an interpreter that is in scope")
    if not act.program.sha256 or act.program.sha256 not in known:
        return Claim(kind, refuted=f"the {path} that ran is not the one that is in scope")
    return Claim(kind, f"{path} will run any script given to it")


def _writable(path: str, watch: Watch) -> Claim:
    kind = CapabilityKind.WRITABLE_CODE
    capability = watch.capabilities.get(kind)
    if capability is None:
        return _unsurveyed(kind)
    folder = holding(path, capability.members)
    if folder is None:
        return Claim(kind, refuted=f"{path} is in none of the folders that it could both write and execute in")
    return Claim(kind, f"it can write and execute in {folder}")


def _egress(entry: Entry, watch: Watch) -> Claim:
    kind = CapabilityKind.EGRESS
    capability = watch.capabilities.get(kind)
    if capability is None or not capability.members:
        return _unsurveyed(kind)
    reach = ", ".join(sorted(capability.members))
    if not reaches(entry.value, capability.members):
        return Claim(kind, refuted=f"{entry} is outside of what the survey says it can reach: {reach}")
    return Claim(kind, f"egress is {reach}" if UNRESTRICTED in capability.members else f"it can reach all of {reach}")


def _port(entry: Entry, watch: Watch) -> Claim:
    kind = CapabilityKind.PORTS
    capability = watch.capabilities.get(kind)
    listener = read_listener(entry.value)
    if capability is None or listener is None:
        return _unsurveyed(kind)
    port = listener.port
    # 0 stands for a port that the kernel chose, which it does only out of those that may be used.
    spans = [span for span in sorted(capability.members) if port in port_span(span) or port == 0]
    if not spans:
        return Claim(kind, refuted=f"port {port} is outside of what the survey says it can listen on")
    return Claim(kind, f"it can listen on any port of {spans[0]}")


def port_span(text: str) -> range:
    """The ports of `1024-65535` or `8080`; none of anything else."""
    low, _, high = text.partition("-")
    if not (low.isdecimal() and (high or low).isdecimal()):
        return range(0)
    return range(int(low), min(int(high or low), 65_535) + 1)


def _unsurveyed(kind: CapabilityKind) -> Claim:
    return Claim(kind, refuted=f"{_name(kind)} were never surveyed")


def _name(kind: CapabilityKind) -> str:
    return _NAMES.get(kind, str(kind))


_NAMES = {CapabilityKind.EGRESS: "destinations", CapabilityKind.WRITABLE_CODE: "writable folders"}


_UNSURVEYED = {
    Dimension.PROCESS: "no survey lists which program may start which: only the envelope knows",
    Dimension.FILE_WRITTEN: "no survey lists which files it may write: only the envelope knows",
    Dimension.FILE_READ: "no survey lists which files it may read: only the envelope knows",
    Dimension.CODE_MEMORY: "no survey can list executable memory: only the envelope knows",
    Dimension.CONTRADICTION: "what was claimed and what was done differ: no capability allows that",
    Dimension.PERMISSION: "no grant that is known covers it",
    Dimension.ATTEMPT: "no grant that is known covers it, and it was refused",
    Dimension.ROLE: "no link of the scope chain that is known leads there",
    Dimension.SERVICE: "nothing that is granted to it is of that service, as far as is known",
    Dimension.CREDENTIAL: "no survey lists from where a credential may be used: only the scope chain knows",
    Dimension.PROGRAM: "nothing about programs was surveyed",
    Dimension.LIBRARY: "nothing about libraries was surveyed",
    Dimension.GENERATED_CODE: "nothing about writable folders was surveyed",
    Dimension.SECRET_READ: "nothing about secrets was surveyed",
    Dimension.SYSCALL: "nothing about system calls was surveyed",
    Dimension.DESTINATION: "nothing about destinations was surveyed",
    Dimension.LISTENER: "nothing about ports was surveyed",
}
