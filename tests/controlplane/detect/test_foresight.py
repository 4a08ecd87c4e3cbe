"""Which finding foresaw an act: the most specific armed one that is older than the act, or an honest reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from controlplane.detect.foresight import Foresight, Watch, foresee, port_span
from controlplane.posture.latent import latent_of
from controlplane.posture.used import used
from inscope.behaviour import (
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    Exec,
    Listen,
    Load,
    Open,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.capability import Capability, CapabilityKind
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.reference import Entry, Evidence, ReferenceKind, ReferenceVersion, Standing, entries_of
from tests.controlplane.acts import AGENT, DAILY_WORK, LABEL, PYTHON, RUN_GIT, T0, sha, survey
from tests.controlplane.strategies import behaviours

K = CapabilityKind
SEEN = Evidence(T0, T0, 1, 1, ("first",), "init")
ACT = T0 + 100


def watch(
    *,
    armed: bool = True,
    since: float = T0,
    capabilities: tuple[Capability, ...] = survey(),
    doubted: tuple[Entry, ...] = (),
) -> Watch:
    known = {entry: SEEN for act in DAILY_WORK for entry in entries_of(act)}
    known |= {entry: replace(SEEN, standing=Standing.PROVISIONAL) for entry in doubted}
    held = {each.kind: each for each in capabilities}
    findings = {}
    for latent in latent_of(held, known, used(known)):
        findings[latent.watch] = Finding(
            id=f"F-{latent.kind}",
            kind=latent.kind,
            workload=AGENT,
            reference=ReferenceVersion(ReferenceKind.INVENTORY, 1),
            capability=HeldCapability(-1, 0, -1, ()),
            tripwire=Tripwire(latent.watch, armed, "" if armed else "observing"),
            sentence="",
            since=since,
        )
    return Watch(findings, held, used(known))


def first(act: Behaviour, seen: Watch | None = None, time: float = ACT) -> Foresight:
    return foresee(entries_of(act)[0], act, time, seen or watch())


def run(path: str, digest: str = sha("new"), script: Script | None = None) -> Exec:
    return Exec(Program(path, digest, script), "/bin/sh")


EVIL = Script(ScriptOrigin.FILE, "/tmp/evil.py", sha("evil"))


@pytest.mark.parametrize(
    ("act", "kind", "said"),
    [
        (run("/usr/bin/nc"), K.EXECUTABLES, "it held /usr/bin/nc and never ran it"),
        (run("/usr/bin/perl", script=EVIL), K.EXECUTABLES, "it held /usr/bin/perl and never ran it"),
        (run(PYTHON, sha("python"), EVIL), K.INTERPRETERS, f"{PYTHON} will run any script given to it"),
        (run("/tmp/x/payload"), K.WRITABLE_CODE, "it can write and execute in /tmp"),
        (Load("/lib/libffi.so", sha("new"), LABEL), K.LIBRARIES, "it held /lib/libffi.so and never loaded it"),
        (Load("/data/evil.so", sha("new"), LABEL), K.WRITABLE_CODE, "it can write and execute in /data"),
        (Load("/tmp/jit.so", sha("new"), LABEL, "gcc"), K.WRITABLE_CODE, "it can write and execute in /tmp"),
        (Connect("evil", 443, Protocol.TCP, LABEL), K.EGRESS, "egress is unrestricted"),
        (Listen("::", 0, Protocol.TCP, LABEL), K.PORTS, "it can listen on any port of 1024-65535"),
        (Listen("::", 4444, Protocol.TCP, LABEL), K.PORTS, "it can listen on any port of 1024-65535"),
        (
            Open("/run/secrets/token", Access.READ, LABEL, True),
            K.SECRETS,
            "it could read /run/secrets/token and never did",
        ),
        (Syscall("ptrace", "ATTACH", LABEL), K.SYSCALLS, "it could call ptrace and never did"),
    ],
)
def test_the_most_specific_finding_is_named_with_what_it_said(act: Behaviour, kind: K, said: str) -> None:
    seen = first(act)
    assert seen.finding is not None
    assert (seen.finding.id, seen.reason) == (f"F-{kind}", said)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (run("/opt/x"), "/opt/x was not among the 4 executables found by the survey of 2025-06-15 15:06:40 UTC"),
        (run("/usr/bin/git"), "/usr/bin/git had run before, with other content or another script"),
        (run(PYTHON, sha("fake"), EVIL), f"the {PYTHON} that ran is not the one that is in scope"),
        (
            Load("/opt/x.so", sha("new"), LABEL),
            "/opt/x.so is in none of the folders that it could both write and execute",
        ),
        (Open("/run/secrets/password", Access.READ, "/bin/sh", True), "had been read before, by another program"),
        (Listen("::", 80, Protocol.TCP, LABEL), "port 80 is outside of what the survey says it can listen on"),
        (Connect("/run/x.sock", 0, Protocol.UNIX, LABEL), "unix:/run/x.sock is outside of what the survey says"),
        (Syscall("mount", "", LABEL), "mount was not among the 2 system calls found by the survey"),
        (CodeMemory(LABEL), "no survey can list executable memory"),
        (Open("/etc/x", Access.WRITE, LABEL), "no survey lists which files it may write"),
        (Contradiction("a", "b", LABEL), "no capability allows that"),
    ],
)
def test_where_none_foresaw_it_the_reason_says_why(act: Behaviour, reason: str) -> None:
    seen = first(act)
    assert seen.finding is None
    assert reason in seen.reason


def test_no_survey_lists_process_edges() -> None:
    act = Exec(RUN_GIT.program, "/bin/sh")
    edge = entries_of(act)[1]
    assert foresee(edge, act, ACT, watch()) == Foresight(
        None, "no survey lists which program may start which: only the envelope knows"
    )


def test_an_entry_that_was_doubted_is_foreseen_by_its_own_finding() -> None:
    act = run("/tmp/x")
    seen = first(act, watch(doubted=entries_of(act)))
    assert seen.finding is not None
    assert seen.finding.kind is K.PROVISIONAL


@given(behaviours)
def test_finding_none_always_has_a_reason(act: Behaviour) -> None:
    for seen in (watch(), Watch(), watch(armed=False)):
        for entry in entries_of(act):
            answer = foresee(entry, act, ACT, seen)
            assert answer.reason
            assert answer.finding is None or answer.finding.tripwire.armed


def test_a_finding_that_is_not_armed_foresees_nothing_and_is_named() -> None:
    reason = "finding F-egress covers it, but its tripwire was not armed: observing"
    assert first(Connect("evil", 1, Protocol.TCP, LABEL), watch(armed=False)) == Foresight(None, reason)


def test_what_is_newer_than_the_act_did_not_foresee_it() -> None:
    act = Connect("evil", 1, Protocol.TCP, LABEL)
    assert first(act, time=T0 - 1).reason == "finding F-egress is newer than the act"
    late = first(act, watch(since=T0 - 10), time=T0 - 1)
    assert late.finding is None
    assert late.reason.endswith("was made at 2025-06-15 15:06:40 UTC, after the act")


def test_a_survey_that_was_cut_says_so_where_the_thing_is_not_in_it() -> None:
    cut = tuple(replace(each, complete=False) for each in survey())
    assert "which was cut at its bound" in first(run("/opt/x"), watch(capabilities=cut)).reason


def test_egress_that_is_only_the_loopback_foresees_only_that() -> None:
    only = (Capability(K.EGRESS, frozenset({"loopback"}), T0),)
    near, far = (Connect(host, 9, Protocol.TCP, LABEL) for host in ("127.0.0.9", "evil"))
    assert first(near, watch(capabilities=only)).reason == "it can reach all of loopback"
    assert first(far, watch(capabilities=only)) == Foresight(
        None, "evil:9/tcp is outside of what the survey says it can reach: loopback"
    )


def test_what_was_never_surveyed_is_said() -> None:
    seen = first(run("/opt/x"), watch(capabilities=()))
    assert seen.reason == "executables were never surveyed; writable folders were never surveyed"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("1024-65535", range(1024, 65536)),
        ("80", range(80, 81)),
        ("", range(0)),
        ("any", range(0)),
        ("1-x", range(0)),
        ("9-99999999", range(9, 65536)),
    ],
)
def test_port_spans_are_read_and_bounded(text: str, ports: range) -> None:
    assert port_span(text) == ports
