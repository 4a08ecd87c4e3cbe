"""Hypothesis strategies for the words: any value that the types allow and the codec accepts."""

from __future__ import annotations

from hypothesis import strategies as st

from inscope.alert import Alert, Crossing
from inscope.behaviour import (
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    CredentialUse,
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
from inscope.binary import Binary, ElfDescription, Linkage
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.observation import MAX_ANCESTRY, Ancestor
from inscope.permission import Authority, Permission
from inscope.reference import Dimension, Entry, ReferenceKind, ReferenceVersion
from inscope.verdict import Verdict
from inscope.workload import Agent, Workload

texts = st.text(max_size=40).filter(str.isprintable)
paths = texts.map(lambda text: "/" + text)
digests = st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(bytes.hex))
ports = st.integers(0, 65_535)
times = st.floats(0, 4e9)

scripts = st.builds(Script, st.sampled_from(ScriptOrigin), texts, digests)
programs = st.builds(Program, paths, digests, st.none() | scripts)

watched_behaviours: st.SearchStrategy[Behaviour] = st.one_of(
    st.builds(Exec, programs, texts),
    st.builds(Load, paths, digests, texts, texts),
    st.builds(CodeMemory, texts),
    st.builds(Open, paths, st.sampled_from(Access), texts, st.booleans()),
    st.builds(Connect, texts, ports, st.sampled_from(Protocol), texts),
    st.builds(Listen, texts, ports, st.sampled_from(Protocol), texts),
    st.builds(Syscall, texts, texts, texts),
    st.builds(Contradiction, texts, texts, texts),
)
permissions = st.builds(Permission, st.sampled_from(Authority), texts, texts, texts, texts, texts)
logged_behaviours: st.SearchStrategy[Behaviour] = st.one_of(
    st.builds(PermissionUse, permissions, texts, st.sampled_from(Outcome), texts),
    st.builds(RoleAssumption, texts, texts, st.sampled_from(Means), st.sampled_from(Outcome)),
    st.builds(CredentialUse, texts, texts, texts),
)
behaviours = watched_behaviours | logged_behaviours

parts = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
workloads = st.builds(Workload, parts, parts, parts, st.just("") | parts)
agents = st.builds(Agent, workloads, texts, texts, texts)
entries = st.builds(Entry, st.sampled_from(Dimension), texts, texts)
versions = st.builds(ReferenceVersion, st.sampled_from(ReferenceKind), st.integers(0, 2**63))
ancestors = st.builds(Ancestor, st.integers(0, 2**31 - 1), st.integers(0, 2**63), texts)
ancestries = st.lists(ancestors, max_size=MAX_ANCESTRY).map(tuple)
capabilities = st.builds(
    Capability, st.sampled_from(CapabilityKind), st.frozensets(texts, max_size=5), times, st.booleans()
)
coverages = st.builds(
    SourceCoverage,
    st.sampled_from(Source),
    times,
    times,
    st.dictionaries(st.sampled_from(LossCause), st.integers(0, 2**63)),
    texts,
)
tripwires = st.builds(Tripwire, texts, st.booleans(), texts)
counts = st.integers(-1, 2**40)
findings = st.builds(
    Finding,
    texts,
    st.sampled_from(CapabilityKind),
    workloads,
    versions,
    st.builds(HeldCapability, counts, counts, counts, st.lists(texts, max_size=3).map(tuple)),
    tripwires,
    texts,
    times,
)
crossings = st.builds(Crossing, versions, entries, st.none() | texts.filter(bool), texts)
alerts = st.builds(
    Alert,
    id=texts,
    time=times,
    last_seen=times,
    workload=workloads,
    agent=agents,
    tripwire=texts,
    crossed=st.lists(crossings, max_size=3).map(tuple),
    behaviour=behaviours,
    ancestry=ancestries,
    verdict=st.sampled_from(Verdict),
    techniques=st.lists(texts, max_size=3).map(tuple),
    rank=st.integers(0, 100),
    sentence=texts,
    count=st.integers(1, 2**60),
    trace_id=texts,
    approved=texts,
)
elves = st.builds(ElfDescription, st.sampled_from(Linkage), texts, texts, st.lists(texts, max_size=3).map(tuple), texts)
binaries = st.builds(Binary, digests.filter(bool), paths, st.integers(0, 2**63 - 1), elves)
