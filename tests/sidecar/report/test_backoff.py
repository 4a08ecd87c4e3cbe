"""Full jitter: never more than the ceiling, which doubles up to its bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.report.backoff import Backoff


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_it_stays_between_nothing_and_its_bound(failures, chance):
    assert 0 <= Backoff().delay(failures, chance) <= 30.0


def test_the_ceiling_doubles():
    assert [Backoff(0.2, 1.0).delay(failures, 1.0) for failures in (1, 2, 3, 4, 5)] == [0.2, 0.4, 0.8, 1.0, 1.0]
