"""How much is usual: records per hour of each table (or any number per hour of anything), learned and judged. Pure.

An hour is a window of event time. Of windows that are exchangeable, one more exceeds the greatest of `n` with
probability 1/(n+1); so the threshold is a margin times the greatest that was seen, pooled over all hours, for an hour
of the week has two to four samples a month. A subject that was never seen has no threshold: any use of it is new,
whatever its volume.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from inscope.behaviour import Outcome, PermissionUse
from inscope.exercise import Exercise

HOUR = 3_600.0

MARGIN = 1.5
"""Times the greatest window: simulated, it gives 0.57 false alarms per metric in four weeks."""

FLOOR = 10
"""A threshold is no less: from one record an hour to two is no deviation."""

MAX_SUBJECTS = 10_000
"""Subjects that are learned of one owner; of more none is judged, and `Volumes.unkept` counts them."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What is counted: who does what with what, and where. For a database: principal, database, action, table."""

    principal: str
    service: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Usual:
    """What is known of one subject. `windows` are those in which anything was; `most` is the greatest of them, of the
    hour that began at `at`. `unsaid` acts did not say how many records they were about.
    """

    windows: int
    most: int
    at: float
    last: float
    unsaid: int = 0

    @property
    def threshold(self) -> int:
        """More than this in an hour deviates."""
        return max(math.ceil(MARGIN * self.most), FLOOR)


@dataclass(frozen=True, slots=True)
class Volumes:
    """What is usual of one owner."""

    usual: Mapping[Subject, Usual] = field(default_factory=dict)
    unkept: int = 0


@dataclass(frozen=True, slots=True)
class Hour:
    """One window of one subject: from `began` on for an hour, so many `records` in so many acts."""

    subject: Subject
    began: float
    records: int
    acts: int
    unsaid: int = 0


@dataclass(frozen=True, slots=True)
class Excess:
    """An hour that was more than usual, or, where `usual` is None, the first of its subject."""

    hour: Hour
    usual: Usual | None

    @property
    def chance(self) -> float:
        """At most how probable it was, had nothing changed."""
        return 1.0 / (self.usual.windows + 1) if self.usual else 1.0

    def __str__(self) -> str:
        """As a sentence puts it, with its numbers."""
        hour, subject, usual = self.hour, self.hour.subject, self.usual
        what = f"{subject.action} on {subject.resource} in {subject.service} by {subject.principal}"
        many = f"{hour.records:,} record{'' if hour.records == 1 else 's'} in an hour"
        if usual is None:
            return f"{what}: {many}, and never before"
        hours = f"{usual.windows:,} hour{'' if usual.windows == 1 else 's'} with any"
        return f"{what}: {many}, of which the most was {usual.most:,} in {hours} (threshold {usual.threshold:,})"


def hours_of(exercises: Iterable[Exercise]) -> list[Hour]:
    """What was allowed, summed by subject and hour of event time, oldest first. Where no act says how many records it
    was about, the hour has 0 of them and all its acts are `unsaid`: unobservable is not none.
    """
    found: dict[tuple[Subject, float], Hour] = {}
    for each in exercises:
        use = each.behaviour
        if not isinstance(use, PermissionUse) or use.outcome is not Outcome.ALLOWED:
            continue
        permission = use.permission
        subject = Subject(use.principal, permission.service, permission.action, permission.resource)
        began = each.time // HOUR * HOUR
        before = found.get((subject, began)) or Hour(subject, began, 0, 0)
        found[subject, began] = replace(
            before,
            records=before.records + max(each.records, 0),
            acts=before.acts + 1,
            unsaid=before.unsaid + (each.records < 0),
        )
    return sorted(found.values(), key=lambda hour: (hour.began, hour.subject))


def together(hours: Iterable[Hour]) -> list[Hour]:
    """The same windows as one: what batches of one hour add up to, in whatever order they come."""
    found: dict[tuple[Subject, float], Hour] = {}
    for hour in hours:
        before = found.get((hour.subject, hour.began))
        found[hour.subject, hour.began] = hour if before is None else _sum(before, hour)
    return sorted(found.values(), key=lambda hour: (hour.began, hour.subject))


def learned(volumes: Volumes, hours: Iterable[Hour], room: int = MAX_SUBJECTS) -> Volumes:
    """With windows that are over, each once and whole."""
    usual, unkept = dict(volumes.usual), volumes.unkept
    for hour in together(hours):
        before = usual.get(hour.subject)
        if before is None and len(usual) >= room:
            unkept += 1
        else:
            usual[hour.subject] = _with(before, hour)
    return Volumes(usual, unkept)


def judged(volumes: Volumes, hours: Iterable[Hour]) -> list[Excess]:
    """The hours that deviate, those that are not over yet too: more of them will not be less.

    One whose acts all do not say their number is judged as to its subject only.
    """
    excesses = []
    for hour in together(hours):
        usual = volumes.usual.get(hour.subject)
        if usual is None:
            if not volumes.unkept:  # else it may be one of those
                excesses.append(Excess(hour, None))
        elif hour.records > usual.threshold and _says(usual):
            excesses.append(Excess(hour, usual))
    return excesses


def _says(usual: Usual) -> bool:
    """Whether records were ever counted of it: with none, there is no greatest."""
    return usual.most > 0 or not usual.unsaid


def _with(before: Usual | None, hour: Hour) -> Usual:
    if before is None:
        return Usual(1, hour.records, hour.began, hour.began, hour.unsaid)
    greater = hour.records > before.most
    return Usual(
        before.windows + 1,
        hour.records if greater else before.most,
        hour.began if greater else before.at,
        max(before.last, hour.began),
        before.unsaid + hour.unsaid,
    )


def _sum(one: Hour, other: Hour) -> Hour:
    return Hour(one.subject, one.began, one.records + other.records, one.acts + other.acts, one.unsaid + other.unsaid)
