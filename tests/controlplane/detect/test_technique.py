"""The technique data: well formed, narrow where it doubts, and matching what it says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from controlplane.detect.technique import KNOWN, TechniqueDataError, read_techniques
from inscope.behaviour import Access, Behaviour, Connect, Exec, Load, Open, Program, Protocol, Syscall, kind_of
from inscope.reference import Dimension, entries_of
from tests.controlplane.acts import DAILY_WORK, LABEL, sha
from tests.controlplane.strategies import behaviours

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
D = Dimension


def run(path: str, parent: str = LABEL) -> Exec:
    return Exec(Program(path, sha(path)), parent)


@pytest.mark.parametrize("act", DAILY_WORK)
def test_daily_work_is_not_doubted(act: Behaviour) -> None:
    assert KNOWN.suspicion(act) == frozenset()


@pytest.mark.parametrize(
    ("act", "technique", "doubted"),
    [
        (Open(TOKEN, Access.READ, "/bin/sh", secret=True), "T1528", {D.SECRET_READ}),
        (Open(TOKEN, Access.READ, "/usr/bin/python3 -c", secret=True), "T1528", {D.SECRET_READ}),
        (Open("/root/.aws/credentials", Access.READ, "/usr/bin/curl", secret=True), "T1552.001", {D.SECRET_READ}),
        (Open("/proc/<pid>/environ", Access.READ, LABEL, secret=True), "T1552.001", {D.SECRET_READ, D.FILE_READ}),
        (run("/tmp/<tmp>/payload"), "T1105", {D.PROGRAM}),
        (run("/dev/shm/x"), "T1105", {D.PROGRAM}),
        (run("memfd:payload (deleted)"), "T1620", {D.PROGRAM}),
        (run("/usr/bin/curl"), "T1105", {D.PROCESS}),
        (run("/usr/bin/nc.openbsd", "/bin/sh"), "T1059.004", {D.PROGRAM, D.PROCESS}),
        (run("/usr/local/bin/kubectl"), "T1609", {D.PROGRAM}),
        (Load("/tmp/evil.so", sha("e"), LABEL), "T1574.006", {D.LIBRARY}),
        (Connect("/run/docker.sock", 0, Protocol.UNIX, LABEL), "T1611", {D.DESTINATION}),
        (Connect("169.254.169.254", 80, Protocol.TCP, LABEL), "T1552.005", {D.DESTINATION}),
        (Connect("fd00:ec2::254", 80, Protocol.TCP, LABEL), "T1552.005", {D.DESTINATION}),
        (Open("/proc/sys/kernel/core_pattern", Access.WRITE, LABEL), "T1611", {D.FILE_WRITTEN}),
        (Open("/sys/fs/cgroup/rdma/release_agent", Access.WRITE, LABEL), "T1611", {D.FILE_WRITTEN}),
        (Open("/sys/fs/cgroup/pod/memory.max", Access.WRITE, LABEL), "T1562.001", {D.FILE_WRITTEN}),
        (Open("/proc/<pid>/oom_score_adj", Access.WRITE, LABEL), "T1562.001", set()),
        (Syscall("ptrace", "ATTACH", LABEL), "T1055.008", {D.SYSCALL}),
        (Syscall("setns", "", LABEL), "T1611", {D.SYSCALL}),
        (Syscall("kill", "at inscope", LABEL), "T1562.001", {D.SYSCALL}),
        (Syscall("ptrace", "SEIZE at inscope", LABEL), "T1562.001", {D.SYSCALL}),
    ],
)
def test_a_known_technique_is_named_and_doubted(act: Behaviour, technique: str, doubted: set[Dimension]) -> None:
    assert technique in KNOWN.ids(act)
    assert KNOWN.suspicion(act) == doubted


@pytest.mark.parametrize(
    "act",
    [
        Open(TOKEN, Access.READ, LABEL, secret=True),
        run("/usr/bin/curl", "/bin/sh"),
        run("/opt/tmp/tool"),
        run("/usr/bin/sync"),
        Connect("10.169.254.169", 80, Protocol.TCP, LABEL),
        Connect("169.254.169.2540", 80, Protocol.TCP, LABEL),
        Open("/srv/app/.env", Access.READ, "/usr/bin/dash-board", secret=True),
        Syscall("setuid", "", LABEL),
    ],
)
def test_what_only_looks_like_one_is_not_doubted(act: Behaviour) -> None:
    assert KNOWN.suspicion(act) == frozenset()


@given(behaviours)
def test_no_act_is_too_strange_to_match_and_only_its_own_entries_are_doubted(act: Behaviour) -> None:
    KNOWN.suspicion(act)
    ids = KNOWN.ids(act)
    assert len(ids) == len(set(ids))


def test_every_rule_doubts_a_dimension_that_its_kind_can_have() -> None:
    dimensions: dict[str, set[Dimension]] = {
        "exec": {D.PROGRAM, D.PROCESS}, "load": {D.LIBRARY, D.GENERATED_CODE}, "connect": {D.DESTINATION},
        "open": {D.SECRET_READ, D.FILE_READ, D.FILE_WRITTEN}, "syscall": {D.SYSCALL}, "contradiction": set(),
        "code-memory": {D.CODE_MEMORY},
    }  # fmt: skip
    for kind, rules in KNOWN._rules.items():
        for rule in rules:
            assert rule.provisional <= dimensions[kind], rule.name


def test_every_id_looks_like_one_of_attack_or_atlas() -> None:
    ids = [name for rules in KNOWN._rules.values() for rule in rules for name in rule.ids]
    assert all(re.fullmatch(r"(T1\d{3}|AML\.T0\d{3})(\.\d{3})?", name) for name in ids), ids


def test_the_kinds_are_those_of_behaviours() -> None:
    kinds = {kind_of(act) for act in DAILY_WORK} | {"syscall", "contradiction", "code-memory", "listen"}
    assert set(KNOWN._rules) <= kinds


@pytest.mark.parametrize(
    "text",
    [
        "", "technique = 1", "[[technique]]", '[[technique]]\nname="x"\nids="T1"\nkind="exec"', "not toml",
        '[[technique]]\nname="x"\nids=[]\nkind="exec"\nsubject="("',
        '[[technique]]\nname="x"\nids=[]\nkind="exec"\nprovisional=["nothing"]',
        '[[technique]]\nname="x"\nids=[]\nkind="exec"\nsubjekt="x"',
    ],
)  # fmt: skip
def test_malformed_data_is_refused(text: str) -> None:
    with pytest.raises(TechniqueDataError):
        read_techniques(text)


def test_doubt_falls_on_entries_that_the_act_needs() -> None:
    act = run("/tmp/x")
    assert KNOWN.suspicion(act) <= {entry.dimension for entry in entries_of(act)}
