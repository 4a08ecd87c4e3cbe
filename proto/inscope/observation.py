"""A fact: an instance did a behaviour at a time, with its process ancestry. Never edited."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.behaviour import Behaviour
from inscope.verdict import Verdict
from inscope.workload import InstanceId

MAX_ANCESTRY = 16
"""Ancestors kept per observation, nearest first."""


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One process of a lineage. `(pid, start)` is the identity: pids are reused. `start` is in clock ticks of boot."""

    pid: int
    start: int
    label: str


@dataclass(frozen=True, slots=True)
class Observation:
    """`time` is seconds since the epoch by the observer's clock; `ancestry` begins with the acting process."""

    instance: InstanceId
    time: float
    behaviour: Behaviour
    ancestry: tuple[Ancestor, ...] = ()
    verdict: Verdict = Verdict.ALLOW
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What travels of repeated acts: the first `observation`, `count` ≥ 1 times in all, the last at `last_time`."""

    observation: Observation
    count: int
    last_time: float
