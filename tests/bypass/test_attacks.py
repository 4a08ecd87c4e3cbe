"""Every attack, as it is declared: seen in observe, an alert in detect, and in enforce the end that its file says.

An end that is better than declared fails as one that is worse does, so that the table stays true. What is won only now
and then can prove only that it is not worse.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inscope.mode import Mode
from sidecar.judge.local import LocalReference, deviates
from tests.bypass.attack import Attack, Room, State, all_attacks
from tests.bypass.trial import Outcome, Trials

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

ATTACKS = all_attacks()
_WORST_LAST = list(State)
_NOT_FILTERED = (Room.ROOT, Room.USER)

TrialsIn = Callable[[Room], Trials]
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


TURNS = 3
"""Runs in which a race that nobody hinders must be won once."""


async def unhindered(trials: Trials, attack: Attack, room: Room, mode: Mode) -> Outcome:
    """The first of a few runs that succeeded and showed, or the last."""
    outcome = await trials.attacked(attack, mode)
    for _ in range(TURNS - 1 if room in attack.works else 0):
        if outcome.succeeded and attack.seen in (outcome.kinds or {""}):
            break
        outcome = await trials.attacked(attack, mode)
    return outcome


def is_seen(attack: Attack, room: Room, outcome: Outcome) -> None:
    if room in attack.works:
        assert outcome.succeeded or attack.race, f"it does not work where nothing is denied\n{outcome.told()}"
    if not attack.seen and not attack.race:
        assert not outcome.deviations, f"it is seen\n{outcome.told()}"
    elif attack.seen and (room in attack.works or room in _NOT_FILTERED):
        assert attack.seen in outcome.kinds, f"no {attack.seen} out of reference was seen\n{outcome.told()}"


@each_attack
@pytest.mark.parametrize("room", _NOT_FILTERED)
async def test_in_observe_it_is_seen_and_not_hindered(attack: Attack, room: Room, trials_in: TrialsIn) -> None:
    is_seen(attack, room, await unhindered(trials_in(room), attack, room, Mode.OBSERVE))


@each_attack
async def test_in_detect_it_is_a_deviation(attack: Attack, trials_in: TrialsIn) -> None:
    outcome = await unhindered(trials_in(Room.USER), attack, Room.USER, Mode.DETECT)
    is_seen(attack, Room.USER, outcome)
    nothing = LocalReference(Mode.DETECT)
    assert all(deviates(one.behaviour, nothing) for one in outcome.deviations)


@each_attack
@pytest.mark.parametrize("room", Room)
async def test_in_enforce_it_ends_as_declared(attack: Attack, room: Room, trials_in: TrialsIn) -> None:
    outcome = await trials_in(room).attacked(attack, Mode.ENFORCE)
    declared = attack.enforce[room]
    assert outcome.begun, outcome.told()
    if attack.race or room not in attack.works:
        assert _WORST_LAST.index(outcome.state) <= _WORST_LAST.index(declared), outcome.told()
    else:
        assert outcome.state is declared, outcome.told()


@each_attack
async def test_in_enforce_what_is_in_scope_is_harmed_only_where_declared(attack: Attack, trials_in: TrialsIn) -> None:
    outcome = await trials_in(Room.USER).benign(attack, Mode.ENFORCE)
    assert bool(outcome.deviations) == bool(attack.refused), outcome.told()
    assert outcome.run.status == 0
