"""The path of one alert, from the act to the answer, as times. Pure: what a trace of it looks like is decided here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, slots=True)
class Path:
    """When the act was observed and judged (the sidecar's clock), received, stored and alerted on (ours).

    Seconds since the epoch.
    """

    observed: float
    judged: float
    received: float
    stored: float
    alerted: float


@dataclass(frozen=True, slots=True)
class Stage:
    """One span: it lasts from the end of the stage before it to its own. `observed` spans the whole path."""

    name: str
    start: float
    end: float


def stages(path: Path) -> tuple[Stage, ...]:
    """The path's spans in order, the enclosing one first.

    Two clocks are involved: where they disagree, a stage that would end before it began lasts nothing.
    """
    times = list(_never_backward(path))
    names = [field.name for field in fields(Path)]
    inner = [Stage(name, start, end) for name, start, end in zip(names[1:], times, times[1:], strict=False)]
    return (Stage(names[0], times[0], times[-1]), *inner)


def _never_backward(path: Path) -> Iterator[float]:
    latest = 0.0
    for time in astuple(path):
        latest = max(latest, time)
        yield latest
