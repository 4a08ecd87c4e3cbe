"""Made-up crossings: made from what was surveyed, otherwise random, and never in scope."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.detect.proof import crossing_of
from controlplane.posture.latent import Latent, latent_of
from controlplane.posture.scope import Scope
from controlplane.posture.used import Used, used
from inscope.behaviour import Behaviour, Exec, Listen
from inscope.capability import CAPABILITY_RULES, Capability, CapabilityKind
from inscope.reference import Entry, Evidence, Standing, entries_of, missing
from tests.controlplane.acts import DAILY_WORK, MEMBERS, T0, survey

K = CapabilityKind
SEEN = Evidence(T0, T0, 1, 1, ("first",), "init")
DOUBTED = Evidence(T0, T0, 1, 1, ("first",), "init", Standing.PROVISIONAL)
KNOWN: dict[Entry, Evidence] = {entry: SEEN for act in DAILY_WORK for entry in entries_of(act)}


def fresh(seed: int) -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: hashlib.sha256(f"{seed}/{next(numbers)}".encode()).hexdigest()


def latent(kind: K, members: frozenset[str] | None = None) -> Latent:
    held = {each.kind: each for each in survey()}
    if members is not None:
        held[kind] = Capability(kind, members, T0)
    return next(each for each in latent_of(held, KNOWN, used(KNOWN)) if each.kind is kind)


def invented(kind: K, seed: int, members: frozenset[str] | None = None) -> Behaviour:
    act = crossing_of(latent(kind, members), used(KNOWN), fresh(seed))
    assert act is not None
    return act


@pytest.mark.parametrize("kind", CAPABILITY_RULES)
@given(seed=st.integers())
def test_a_made_up_act_is_never_in_scope(kind: K, seed: int) -> None:
    assert missing(invented(kind, seed), Scope(KNOWN))


@pytest.mark.parametrize("kind", CAPABILITY_RULES)
def test_no_two_made_up_acts_are_the_same(kind: K) -> None:
    assert len({invented(kind, seed) for seed in range(30)}) == 30


@given(st.integers(), st.frozensets(st.sampled_from(["/bin/a", "/bin/b", "/bin/c"]), min_size=1))
def test_what_is_made_up_is_one_of_the_latent_members(seed: int, members: frozenset[str]) -> None:
    act = invented(K.EXECUTABLES, seed, members)
    assert isinstance(act, Exec)
    assert act.program.path in members


@given(st.integers())
def test_a_port_that_is_used_is_never_made_up(seed: int) -> None:
    use = Used(listeners={"1024/tcp", "1026/tcp"})
    act = crossing_of(latent(K.PORTS, frozenset({"1024-1026"})), use, fresh(seed))
    assert isinstance(act, Listen)
    assert act.port == 1025


def test_where_nothing_is_left_to_cross_nothing_is_made_up() -> None:
    assert crossing_of(latent(K.PORTS, frozenset({"80"})), Used(listeners={"80/tcp"}), fresh(1)) is None
    assert crossing_of(latent(K.INTERPRETERS), Used(), fresh(1)) is None


def test_a_doubted_entry_is_done_again() -> None:
    for act in DAILY_WORK:
        for entry in entries_of(act):
            doubted = latent_of({}, {entry: DOUBTED}, Used())[0]
            again = crossing_of(doubted, Used(), fresh(1))
            assert again is not None
            assert entry in entries_of(again)


def test_every_surveyed_kind_can_be_proved() -> None:
    assert set(MEMBERS) == set(CAPABILITY_RULES)
