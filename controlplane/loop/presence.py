"""An instance's row as its stream opens, goes on and closes. Pure."""

from __future__ import annotations

from dataclasses import replace

from controlplane.store.port import InstanceRow
from inscope.coverage import SourceCoverage
from inscope.effect import Effect


def reopened(row: InstanceRow) -> InstanceRow:
    """The sources that were connected when the stream closed went on while it was away."""
    return replace(row, coverage=tuple(_resumed(source, row.last_seen) for source in row.coverage))


def _resumed(source: SourceCoverage, closed: float) -> SourceCoverage:
    return replace(source, until=0.0) if source.until == closed else source


def closed(row: InstanceRow, now: float) -> InstanceRow:
    """Whatever was still connected ended with the stream."""
    row = seen(row, now)
    ended = tuple(replace(each, until=row.last_seen) if each.connected else each for each in row.coverage)
    return replace(row, coverage=ended)


def seen(row: InstanceRow, now: float) -> InstanceRow:
    """It was there at `now`; a clock that goes back takes nothing away."""
    return replace(row, last_seen=max(row.last_seen, now))


def in_effect(row: InstanceRow, effect: Effect, now: float) -> InstanceRow:
    """What its init does is this. Hearing the same again does not make it newer."""
    same = bool(row.in_force_since) and (row.mode, row.containment) == (effect.mode, effect.containment)
    return replace(
        row,
        mode=effect.mode,
        containment=effect.containment,
        in_force_since=row.in_force_since if same else now,
        lapsed=max(row.lapsed, effect.lapsed),
    )
