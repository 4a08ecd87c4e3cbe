"""The trace of an alert's path: contiguous stages under one whole, whatever the clocks say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.telemetry.path import Path, Stage, stages

TIMES = st.floats(0, 4e9, allow_nan=False)


def test_each_stage_lasts_from_the_end_of_the_one_before() -> None:
    assert stages(Path(10.0, 11.0, 12.5, 13.0, 13.25)) == (
        Stage("observed", 10.0, 13.25),
        Stage("judged", 10.0, 11.0),
        Stage("received", 11.0, 12.5),
        Stage("stored", 12.5, 13.0),
        Stage("alerted", 13.0, 13.25),
    )


def test_a_sidecar_whose_clock_is_ahead_makes_no_negative_span() -> None:
    assert stages(Path(100.0, 101.0, 50.0, 51.0, 52.0))[2] == Stage("received", 101.0, 101.0)


@given(st.builds(Path, TIMES, TIMES, TIMES, TIMES, TIMES))
def test_stages_are_contiguous_and_fill_the_whole(path: Path) -> None:
    whole, *inner = stages(path)
    assert all(stage.start <= stage.end for stage in (whole, *inner))
    assert [stage.start for stage in inner] == [whole.start, *(stage.end for stage in inner[:-1])]
    assert inner[-1].end == whole.end
