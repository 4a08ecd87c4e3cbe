"""Capability minus use: numbers, sentences, and ids that stay."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from controlplane.posture.finding import Desk, Witness, findings, sentence
from controlplane.posture.latent import MAX_PROVISIONAL, Latent, latent_of, unused
from controlplane.posture.used import used
from inscope.behaviour import Behaviour, Connect, Exec, Listen, Load, Program, Protocol, Syscall
from inscope.capability import CAPABILITY_RULES, Capability, CapabilityKind
from inscope.finding import MAX_EXAMPLES, Finding, Tripwire
from inscope.reference import Entry, Evidence, ReferenceKind, Standing, entries_of
from tests.controlplane.acts import AGENT, DAILY_WORK, DAY, LABEL, MEMBERS, RUN_AGENT, T0, sha, survey

K = CapabilityKind
SEEN = Evidence(T0, T0, 1, 1, ("first",), "init")


def entries(acts: Iterable[Behaviour]) -> dict[Entry, Evidence]:
    return {entry: SEEN for act in acts for entry in entries_of(act)}


def latent(acts: Iterable[Behaviour], capabilities: Iterable[Capability] = survey()) -> list[Latent]:
    known = entries(acts)
    return latent_of({each.kind: each for each in capabilities}, known, used(known))


def said(acts: Iterable[Behaviour], kind: K, capability: Capability | None = None, lost: int = 0) -> str:
    held = survey() if capability is None else (capability,)
    mine = [each for each in latent(acts, held) if each.kind is kind]
    return sentence(mine[0], Witness(3 * DAY, lost), lambda _: "a technique") if mine else ""


def desk(numbers: Iterable[int] | None = None, now: float = T0) -> Desk:
    counter = iter(numbers) if numbers is not None else itertools.count(1)
    return Desk(
        workload=AGENT,
        versions={ReferenceKind.INVENTORY: 12},
        witness=Witness(3 * DAY),
        now=now,
        number=lambda _: next(counter),
        arm=lambda each: Tripwire(each.watch, armed=True),
        doubt=lambda _: "a technique",
    )


def test_sentences_say_it_in_numbers() -> None:
    assert said(DAILY_WORK, K.EXECUTABLES) == "2 of 4 executables within reach were never run in 3 days"
    assert said(DAILY_WORK, K.LIBRARIES) == "1 of 2 libraries within reach was never loaded in 3 days"
    assert said(DAILY_WORK, K.SECRETS) == "1 of 2 readable secrets was never read in 3 days"
    assert said(DAILY_WORK, K.SYSCALLS) == "2 of 2 rare system calls permitted were never made in 3 days"
    assert said(DAILY_WORK, K.EGRESS) == (
        "egress is unrestricted: 1 destination was contacted in 3 days, any other is reachable"
    )
    assert said(DAILY_WORK, K.PORTS) == ("can listen on any port of 1024-65535: no ports were listened on in 3 days")
    assert said(DAILY_WORK, K.INTERPRETERS) == (
        "/usr/bin/python3 will run any script given to it: 1 script was run in 3 days, any other is new code"
    )
    assert said(DAILY_WORK, K.WRITABLE_CODE) == (
        "can write and execute in 2 folders (/data and /tmp): no code from there ever ran in 3 days"
    )


def test_use_is_counted_where_the_set_is_open() -> None:
    acts = [
        *DAILY_WORK,
        Exec(Program("/tmp/build/cc", sha("cc")), LABEL),
        Load("/data/plugin.so", sha("plugin"), LABEL),
        Load("/tmp/jit/x.so", sha("jit"), LABEL, writer=LABEL),
        Connect("b", 1, Protocol.TCP, LABEL),
        Listen("::", 8000, Protocol.TCP, LABEL),
    ]
    use = {each.kind: each.held.used for each in latent(acts)}
    assert (use[K.WRITABLE_CODE], use[K.EGRESS], use[K.PORTS], use[K.INTERPRETERS]) == (3, 2, 1, 1)


def test_nothing_is_found_that_is_not_latent() -> None:
    everything = [*DAILY_WORK, Syscall("ptrace", "", LABEL), Syscall("bpf", "x", LABEL)]
    assert K.SYSCALLS not in {each.kind for each in latent(everything)}


def test_nothing_is_found_that_was_not_surveyed() -> None:
    assert latent(DAILY_WORK, ()) == []
    assert [each.kind for each in latent(DAILY_WORK, [Capability(K.EGRESS, frozenset({"unrestricted"}), T0)])] == [
        K.EGRESS
    ]
    assert latent(DAILY_WORK, [Capability(kind, frozenset(), T0) for kind in CAPABILITY_RULES]) == []


def test_an_interpreter_that_never_ran_is_no_way_for_scripts_yet() -> None:
    assert said([], K.INTERPRETERS) == ""
    assert unused(Capability(K.INTERPRETERS, frozenset(MEMBERS[K.INTERPRETERS]), T0), used(entries([RUN_AGENT]))) == {
        "/usr/bin/python3"
    }


@given(
    st.frozensets(st.sampled_from([f"/bin/{name}" for name in "abcdefghijklmnopq"])),
    st.sets(st.sampled_from("abcdefghijklmnopq")),
)
def test_held_is_used_plus_latent(members: frozenset[str], ran: set[str]) -> None:
    acts = [Exec(Program(f"/bin/{name}", sha(name)), "") for name in ran]
    found = latent(acts, [Capability(K.EXECUTABLES, members, T0)])
    idle = members - {f"/bin/{name}" for name in ran}
    assert [(each.held.held, each.held.used + each.held.latent, each.held.latent) for each in found] == (
        [(len(members), len(members), len(idle))] if idle else []
    )
    assert all(set(each.held.examples) <= idle and len(each.held.examples) <= MAX_EXAMPLES for each in found)


def test_a_cut_survey_and_lost_records_are_said() -> None:
    cut = Capability(K.EXECUTABLES, frozenset({"/usr/bin/nc"}), T0, complete=False)
    assert said(DAILY_WORK, K.EXECUTABLES, cut, lost=4).endswith(
        "; the survey was cut at its bound, so that more may be held; 4 records of what happened meanwhile were lost"
    )


def test_unobservable_is_never_unused() -> None:
    mine = latent(DAILY_WORK)
    for each in mine:
        told = sentence(each, Witness(3 * DAY, blind="init never connected"), lambda _: "")
        assert told.endswith("whether that was used is unobservable: init never connected")
        assert "never run" not in told


def test_each_provisional_entry_is_a_finding_up_to_a_bound() -> None:
    doubted = Evidence(T0, T0, 3, 1, ("first",), "init", Standing.PROVISIONAL)
    many = {entries_of(Connect(f"h{number}", 1, Protocol.TCP, ""))[0]: doubted for number in range(MAX_PROVISIONAL + 9)}
    found = latent_of({}, many, used(many))
    assert len(found) == MAX_PROVISIONAL
    assert len({each.watch for each in found}) == MAX_PROVISIONAL
    assert sentence(found[0], Witness(DAY), lambda _: "it looks like T1") == (
        "destination h0:1/tcp was seen 3 times while learning, but it looks like T1: "
        "it is not in scope until someone approves it"
    )


def test_ids_carry_the_reference_and_stay_while_the_thing_does() -> None:
    first = findings(latent(DAILY_WORK), (), desk())
    assert {each.id.partition("-")[0]: each.reference.kind for each in first} == {
        "IN": ReferenceKind.INVENTORY, "EN": ReferenceKind.ENVELOPE
    }  # fmt: skip
    later = findings(latent([*DAILY_WORK, Exec(Program("/usr/bin/nc", sha("nc")), "")]), first, desk([], T0 + DAY))
    assert {each.kind: (each.id, each.since) for each in first} == {each.kind: (each.id, each.since) for each in later}
    assert {each.reference.version for each in later if each.id.startswith("IN")} == {12}


def test_what_is_no_longer_latent_is_gone_and_comes_back_as_new() -> None:
    first = findings(latent(DAILY_WORK), (), desk())
    calls = [Syscall("ptrace", "", LABEL), Syscall("bpf", "", LABEL)]
    gone = findings(latent([*DAILY_WORK, *calls]), first, desk([]))
    assert kinds(first) - kinds(gone) == {K.SYSCALLS}
    back = findings(latent(DAILY_WORK), gone, desk([77], T0 + DAY))
    assert [(each.id, each.since) for each in back if each.kind is K.SYSCALLS] == [("EN-77", T0 + DAY)]


def kinds(found: Iterable[Finding]) -> set[K]:
    return {each.kind for each in found}
