"""Made-up facts about one agent: acts, surveys, and the batches that carry them. Deterministic; time starts at `T0`."""

from __future__ import annotations

from collections.abc import Iterable

from controlplane.loop.batch import ReceivedBatch
from inscope.behaviour import (
    Access,
    Behaviour,
    Connect,
    Exec,
    Load,
    Open,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
)
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import Source, SourceCoverage
from inscope.observation import Observation, Sighting
from inscope.verdict import Verdict
from inscope.workload import Instance, InstanceId, Workload

T0 = 1_750_000_000.0
DAY = 86_400.0
AGENT = Workload("local", "Process", "support-agent")
FIRST = Instance(InstanceId("first"), AGENT)
SECOND = Instance(InstanceId("second"), AGENT)

PYTHON = "/usr/bin/python3"
LABEL = f"{PYTHON} /app/agent.py"


def sha(seed: str) -> str:
    """64 hex digits that only `seed` gives."""
    return (seed.encode().hex() * 64)[:64]


RUN_AGENT = Exec(Program(PYTHON, sha("python"), Script(ScriptOrigin.FILE, "/app/agent.py", sha("agent"))), "")
RUN_GIT = Exec(Program("/usr/bin/git", sha("git")), LABEL)
LOAD_ZLIB = Load("/lib/libz.so", sha("zlib"), LABEL)
CALL_SERVICE = Connect("warehouse", 8080, Protocol.TCP, LABEL)
READ_PASSWORD = Open("/run/secrets/password", Access.READ, LABEL, secret=True)
WRITE_REPORT = Open("/data/report.csv", Access.WRITE, LABEL)

DAILY_WORK: tuple[Behaviour, ...] = (RUN_AGENT, RUN_GIT, LOAD_ZLIB, CALL_SERVICE, READ_PASSWORD, WRITE_REPORT)

MEMBERS = {
    CapabilityKind.EXECUTABLES: {PYTHON, "/usr/bin/git", "/usr/bin/nc", "/usr/bin/perl"},
    CapabilityKind.INTERPRETERS: {PYTHON, "/usr/bin/perl"},
    CapabilityKind.LIBRARIES: {"/lib/libz.so", "/lib/libffi.so"},
    CapabilityKind.WRITABLE_CODE: {"/tmp", "/data"},
    CapabilityKind.SECRETS: {"/run/secrets/password", "/run/secrets/token"},
    CapabilityKind.EGRESS: {"unrestricted"},
    CapabilityKind.PORTS: {"1024-65535"},
    CapabilityKind.SYSCALLS: {"ptrace", "bpf"},
}

WATCHED = (SourceCoverage(Source.INIT, T0, 0.0, {}),)


def survey(at: float = T0, complete: bool = True) -> tuple[Capability, ...]:
    """Everything the agent's container holds."""
    return tuple(Capability(kind, frozenset(members), at, complete) for kind, members in MEMBERS.items())


def sighting(
    act: Behaviour,
    time: float = T0,
    count: int = 1,
    last: float | None = None,
    by: Instance = FIRST,
    verdict: Verdict = Verdict.ALLOW,
) -> Sighting:
    """`act`, seen by `by`, and what became of it."""
    return Sighting(Observation(by.id, time, act, verdict=verdict), count, time if last is None else last)


def batch(
    sequence: int,
    acts: Iterable[Behaviour] = (),
    time: float = T0,
    *,
    by: Instance = FIRST,
    epoch: str = "epoch",
    capabilities: tuple[Capability, ...] = (),
    coverage: tuple[SourceCoverage, ...] = (),
) -> ReceivedBatch:
    """One batch of `by`."""
    seen = tuple(sighting(act, time, by=by) for act in acts)
    return ReceivedBatch(epoch, sequence, seen, coverage, capabilities)
