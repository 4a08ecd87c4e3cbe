"""A made-up crossing for each finding, and whether the loop answered it with an alert that names the finding.

The act is made from what was surveyed, the rest of it is random, so that nothing can tell it from a real one. This
module only invents acts and reads answers: the loop runs them through the same `receive` as everything else, on a
scratch copy of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address

from controlplane.detect.foresight import port_span
from controlplane.detect.reenact import Fresh, behaviour_of
from controlplane.detect.two_way import Proof, TwoWayFinding
from controlplane.posture.gap import Held
from controlplane.posture.latent import Doubted, Latent, UntakenRole, unused
from controlplane.posture.reach import UNRESTRICTED
from controlplane.posture.services import Reach
from controlplane.posture.used import Used
from inscope.alert import Alert
from inscope.behaviour import (
    Access,
    Behaviour,
    Connect,
    Exec,
    Listen,
    Load,
    Means,
    Open,
    Outcome,
    PermissionUse,
    Program,
    Protocol,
    RoleAssumption,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.capability import Capability, CapabilityKind
from inscope.entry_text import read_listener
from inscope.finding import Finding
from inscope.grant import LinkKind
from inscope.mode import Mode
from inscope.permission import Authority, Permission
from inscope.verdict import Verdict

_Invention = Callable[[Sequence[str], Used, Fresh], Behaviour | None]


def crossing_of(latent: Latent, use: Used, fresh: Fresh) -> Behaviour | None:
    """An act that the finding over `latent` says is possible and was never done; None where there is none."""
    match latent.about:
        case Doubted(entry):
            return behaviour_of(entry, fresh)
        case Capability():
            return _INVENTIONS[latent.kind](sorted(unused(latent.about, use)), use, fresh)
        case Held():
            return _exercise_of(latent.about, fresh)
        case UntakenRole(step):
            return RoleAssumption(step.target, step.source, _MEANS[step.kind], Outcome.ALLOWED)
        case Reach():
            return _first_use_of(latent.about, fresh)


def proof_of(finding: Finding, act: Behaviour, alerts: Iterable[Alert], mode: Mode) -> TwoWayFinding:
    """`FIRED` if one of `alerts` is about `act`, names the finding, and in enforce says that it was denied; else
    `FAILED` with what came instead.
    """
    about = [alert for alert in alerts if alert.behaviour == act]
    for alert in about:
        if any(crossing.finding == finding.id for crossing in alert.crossed):
            if mode is Mode.ENFORCE and alert.verdict is Verdict.ALLOW:
                return TwoWayFinding(finding, Proof.FAILED, "its made-up crossing was not denied, in enforce")
            return TwoWayFinding(finding, Proof.FIRED, alert.sentence)
    if not about:
        return TwoWayFinding(finding, Proof.FAILED, "its made-up crossing raised no alert")
    others = "; ".join(f"{crossing.finding or 'no finding'} ({crossing.reason})" for crossing in about[0].crossed)
    return TwoWayFinding(finding, Proof.FAILED, f"the alert on its made-up crossing names others: {others}")


def not_armed(finding: Finding) -> TwoWayFinding:
    """Nothing to prove: the tripwire says itself that it would not fire."""
    return TwoWayFinding(finding, Proof.NOT_ARMED, finding.tripwire.reason)


def no_crossing(finding: Finding) -> TwoWayFinding:
    """A finding that nothing could cross is not a finding."""
    return TwoWayFinding(finding, Proof.FAILED, "no act can be made up that crosses it")


_MEANS = {
    LinkKind.RUNS_AS: Means.LOGIN,
    LinkKind.FEDERATES: Means.WEB_IDENTITY,
    LinkKind.ASSUMES: Means.ASSUME_ROLE,
    LinkKind.OWNS: Means.LOGIN,
}


def _exercise_of(held: Held, fresh: Fresh) -> Behaviour | None:
    """One permission of a grant that was never used. A pattern is filled with what nobody ever named."""
    patterns = list(held.grant.permissions)
    begin = int(fresh(), 16) % len(patterns)
    for pattern in patterns[begin:] + patterns[:begin]:
        use = literal(pattern, fresh)
        if use not in held.used:
            return PermissionUse(use, held.principal, Outcome.ALLOWED, held.grant.path[0] if held.grant.path else "")
    return None


def literal(pattern: Permission, fresh: Fresh) -> Permission:
    """One permission that `pattern` covers."""

    def filled(text: str) -> str:
        return text.replace("*", fresh()[:8])

    return replace(
        pattern,
        service=filled(pattern.service),
        action=filled(pattern.action),
        resource=filled(pattern.resource),
        scope=filled(pattern.scope),
        name=filled(pattern.name),
    )


def _first_use_of(reach: Reach, fresh: Fresh) -> Behaviour | None:
    left = sorted(reach.services - reach.used)
    if not left:
        return None
    authority, _, service = _pick(left, fresh).partition(":")
    permission = Permission(Authority(authority), service, fresh()[:8], fresh()[:12])
    return PermissionUse(permission, fresh()[:12], Outcome.ALLOWED)


def _pick(items: Sequence[str], fresh: Fresh) -> str:
    return items[int(fresh(), 16) % len(items)]


def _someone(fresh: Fresh) -> str:
    return f"/{fresh()[:8]}/{fresh()[:12]}"


def _executable(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour:
    return Exec(Program(_pick(latent, fresh), fresh()), _someone(fresh))


def _script(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour | None:
    hashed = sorted(binary for binary in use.binaries if binary[0] in latent and binary[1])
    if not hashed:
        return None
    path, digest = hashed[int(fresh(), 16) % len(hashed)]
    script = Script(ScriptOrigin.FILE, _someone(fresh), fresh())
    return Exec(Program(path, digest, script), _someone(fresh))


def _library(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour:
    return Load(_pick(latent, fresh), fresh(), _someone(fresh))


def _dropped_program(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour:
    return Exec(Program(f"{_pick(latent, fresh).rstrip('/')}/{fresh()[:12]}", fresh()), _someone(fresh))


def _secret(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour:
    return Open(_pick(latent, fresh), Access.READ, _someone(fresh), secret=True)


def _destination(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour:
    port = 1 + int(fresh(), 16) % 65_535
    host = f"{fresh()[:10]}.{fresh()[:6]}.net" if UNRESTRICTED in latent else _loopback(fresh)
    return Connect(host, port, Protocol.TCP, _someone(fresh))


def _loopback(fresh: Fresh) -> str:
    return str(ip_address("127.0.0.1") + int(fresh(), 16) % 0xFFFFF0)


def _port(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour | None:
    used = {listener.port for listener in map(read_listener, use.listeners) if listener}
    free = [port for span in latent for port in port_span(span) if port not in used]
    if not free:
        return None
    return Listen("0.0.0.0", free[int(fresh(), 16) % len(free)], Protocol.TCP, _someone(fresh))  # noqa: S104 - said, not bound


def _call(latent: Sequence[str], use: Used, fresh: Fresh) -> Behaviour:
    return Syscall(_pick(latent, fresh), "", _someone(fresh))


_INVENTIONS: dict[CapabilityKind, _Invention] = {
    CapabilityKind.EXECUTABLES: _executable,
    CapabilityKind.INTERPRETERS: _script,
    CapabilityKind.LIBRARIES: _library,
    CapabilityKind.WRITABLE_CODE: _dropped_program,
    CapabilityKind.SECRETS: _secret,
    CapabilityKind.EGRESS: _destination,
    CapabilityKind.PORTS: _port,
    CapabilityKind.SYSCALLS: _call,
}
