"""A tripwire fired: who, what it crossed, which finding foresaw it or why none did. Reads as one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.behaviour import Behaviour
from inscope.observation import Ancestor
from inscope.reference import Entry, ReferenceVersion
from inscope.verdict import Verdict
from inscope.workload import Agent, Workload


@dataclass(frozen=True, slots=True)
class Crossing:
    """One reference that the act left. `finding` is an id, or None with the `reason` why no finding foresaw it."""

    reference: ReferenceVersion
    entry: Entry
    finding: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One deviating behaviour of one workload; repeats raise `count` and `last_seen`. `rank` is 0 (low) to 100."""

    id: str
    time: float
    last_seen: float
    workload: Workload
    agent: Agent
    tripwire: str
    crossed: tuple[Crossing, ...]
    behaviour: Behaviour
    ancestry: tuple[Ancestor, ...]
    verdict: Verdict
    techniques: tuple[str, ...]
    rank: int
    sentence: str
    count: int
    trace_id: str
    approved: str = ""
