"""The token bucket."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from controlplane.serve.rate import Rate


def test_a_burst_then_a_steady_pace() -> None:
    rate = Rate(per_second=2.0, burst=3.0)
    assert [rate.allow(10.0) for _ in range(4)] == [True, True, True, False]
    assert [rate.allow(10.5), rate.allow(10.5), rate.allow(11.0)] == [True, False, True]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_no_clock_gets_more_out_of_it_than_burst_and_pace(times: list[float]) -> None:
    rate = Rate(per_second=5.0, burst=10.0)
    passed = sum(rate.allow(time) for time in times)
    forward = sum(max(after - before, 0.0) for before, after in itertools.pairwise(times))
    assert passed <= 10 + 5 * forward + 1e-6
