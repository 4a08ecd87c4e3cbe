"""Acts made from entries need those entries."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hypothesis import given

from controlplane.detect.reenact import behaviour_of
from inscope.behaviour import Access, Behaviour, Open
from inscope.reference import entries_of
from tests.controlplane.acts import DAILY_WORK
from tests.controlplane.strategies import behaviours


def counter() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):064x}"


@given(behaviours)
def test_a_reenacted_entry_is_needed_again_or_is_not_reenacted(act: Behaviour) -> None:
    for entry in entries_of(act):
        again = behaviour_of(entry, counter())
        assert again is None or entry in entries_of(again)


def test_ordinary_entries_can_all_be_reenacted() -> None:
    acts = [*DAILY_WORK, Open("/run/secrets/x", Access.WRITE, "/bin/sh", secret=True)]
    for entry in (entry for act in acts for entry in entries_of(act)):
        assert behaviour_of(entry, counter()) is not None, entry
