"""Whether a reference is ready to be judged by, or enforced: gates, each a number against a threshold, in one sentence.

Novelty is an incidence Good-Turing estimate: (entries seen in exactly one unit) / (units) is the expected number of new
entries in the next unit. A unit is an hour of one instance, or a shorter run as a whole, since acts come in bursts that
are not independent. On blocks of new intents it is 8 to 14 times too optimistic, so it is never the only gate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controlplane.posture.wording import counted, duration
from inscope.coverage import NOT_LOST, LossCause, SourceCoverage
from inscope.reference import Entry, Evidence, Standing

DAY = 86_400.0
HOUR = 3_600.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday

EXPLAINED = NOT_LOST | {LossCause.HASH_FAILED}
"""Losses of proof and not of the act: the act itself is in the record, as unhashed or as not cross-checked."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Thresholds. The defaults are the design's: two weeks, few surprises, a quiet last week, nothing lost; before
    `enforce`, a week in detect in which nothing would have been denied.
    """

    days: float = 14.0
    weekdays: int = 7
    novelty: float = 0.05
    window_days: float = 7.0
    budget: int = 7
    sessions: int = 2
    detect_days: float = 7.0
    denials: int = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `name` is time, novelty, prequential, coverage, detect or dry-run; `value` and `threshold` are
    in its own unit."""

    name: str
    met: bool
    value: float
    threshold: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Session:
    """One instance that delivered something: from when until when, and how many acts of it are missing."""

    first_seen: float
    last_seen: float
    lost: int


@dataclass(frozen=True, slots=True)
class Record:
    """What the gates look at. Times are seconds since the epoch, by the control plane's clock.

    `lost_runs` are when those runs were announced of which nothing was ever heard.
    """

    first_seen: float
    now: float
    entries: Mapping[Entry, Evidence]
    sessions: Sequence[Session]
    lost_runs: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """How it did since it is judged and not learned from. `judged_since` is 0 while it observes; `denials` counts the
    acts of the gate's window that enforce would have denied and that nobody approved.
    """

    judged_since: float
    denials: int


def gates(record: Record, settings: GateSettings = GateSettings()) -> tuple[Gate, ...]:
    """Those for leaving observe, in the order of the design."""
    return (
        time_gate(record, settings),
        novelty_gate(record, settings),
        prequential_gate(record, settings),
        coverage_gate(record, settings),
    )


def enforce_gates(record: Record, trial: Trial, settings: GateSettings = GateSettings()) -> tuple[Gate, ...]:
    """Those for enforcing: judged for a week, nothing that would have been denied by mistake, nothing lost."""
    return detect_gate(record.now, trial, settings), dry_run_gate(trial, settings), coverage_gate(record, settings)


def detect_gate(now: float, trial: Trial, settings: GateSettings) -> Gate:
    """Judged for long enough that a week's habits were met."""
    days = max(now - trial.judged_since, 0.0) / DAY if trial.judged_since else 0.0
    spent = f"in detect for {duration(days * DAY)}" if trial.judged_since else "never in detect"
    sentence = f"{spent} of the {settings.detect_days:g} days required"
    return Gate("detect", days >= settings.detect_days, days, settings.detect_days, sentence)


def dry_run_gate(trial: Trial, settings: GateSettings) -> Gate:
    """What enforce would have denied lately is approved, or there is nothing of it."""
    sentence = (
        f"enforce would have denied {counted(trial.denials, 'act')} of the last {settings.window_days:g} days that "
        f"nobody approved, at most {settings.denials} wanted (`mode W enforce --dry-run` lists them)"
    )
    met = trial.denials <= settings.denials
    return Gate("dry-run", met, float(trial.denials), float(settings.denials), sentence)


def time_gate(record: Record, settings: GateSettings) -> Gate:
    """Watched for long enough, and on every day of the week (UTC)."""
    days = max(record.now - record.first_seen, 0.0) / DAY
    unseen = _unseen_weekdays(record.sessions)
    met = days >= settings.days and len(_WEEKDAYS) - len(unseen) >= settings.weekdays
    sentence = f"watched for {duration(days * DAY)} of the {settings.days:g} days required"
    if unseen and settings.weekdays:
        sentence += f", never on a {', '.join(unseen)}"
    return Gate("time", met, days, settings.days, sentence)


def novelty_gate(record: Record, settings: GateSettings) -> Gate:
    """How many new entries the next unit is expected to bring."""
    units = sum(_units(session) for session in record.sessions)
    once = sum(1 for evidence in record.entries.values() if _seen_once(evidence))
    if not units:
        return Gate("novelty", False, -1.0, settings.novelty, "nothing was observed yet")
    value = once / units
    sentence = (
        f"{counted(once, 'entry', 'entries')} seen in only one of {counted(units, 'unit')} (an hour of an instance): "
        f"{value:.3f} new entries expected in the next, at most {settings.novelty:g} wanted"
    )
    return Gate("novelty", value <= settings.novelty, value, settings.novelty, sentence)


def prequential_gate(record: Record, settings: GateSettings) -> Gate:
    """The alerts that the reference, frozen before the window, would have raised in it."""
    opened = record.now - settings.window_days * DAY
    new = sum(1 for evidence in record.entries.values() if evidence.first_seen > opened)
    sentence = (
        f"frozen {settings.window_days:g} days ago the reference would have raised {counted(new, 'alert')} since, "
        f"at most {settings.budget} wanted"
    )
    return Gate("prequential", new <= settings.budget, float(new), float(settings.budget), sentence)


def coverage_gate(record: Record, settings: GateSettings) -> Gate:
    """Nothing lost in the window that is not accounted for, no run of it whole, and more than one session seen."""
    opened = record.now - settings.window_days * DAY
    lost = sum(session.lost for session in record.sessions if session.last_seen >= opened)
    runs = sum(1 for announced in record.lost_runs if announced >= opened)
    sessions = len(record.sessions)
    sentence = (
        f"{counted(lost, 'record')} lost by instances of the last {settings.window_days:g} days (none wanted), "
        f"{counted(sessions, 'session')} seen (at least {settings.sessions} wanted)"
    )
    if runs:
        sentence += f", {counted(runs, 'whole run')} lost (none wanted)"
    met = not lost and not runs and sessions >= settings.sessions
    return Gate("coverage", met, float(lost + runs), 0.0, sentence)


def unexplained(coverage: Iterable[SourceCoverage]) -> int:
    """Acts that are missing from the record, for whatever cause."""
    return sum(count for source in coverage for cause, count in source.losses.items() if cause not in EXPLAINED)


def _seen_once(evidence: Evidence) -> bool:
    if evidence.standing is not Standing.LEARNED:
        return False  # provisional ones are findings, approved ones are vouched for: neither is to be waited for
    return evidence.sessions <= 1 and evidence.last_seen - evidence.first_seen < HOUR


def _units(session: Session) -> int:
    return max(1, math.ceil((session.last_seen - session.first_seen) / HOUR))


def _unseen_weekdays(sessions: Iterable[Session]) -> list[str]:
    seen: set[int] = set()
    for session in sessions:
        first, last = int(session.first_seen // DAY), int(session.last_seen // DAY)
        seen.update((day + _EPOCH_WEEKDAY) % 7 for day in range(first, min(last, first + 6) + 1))
    return [name for index, name in enumerate(_WEEKDAYS) if index not in seen]
