"""What a stretch of a log tells, each event once, and what of it was not understood, by its reason."""

from __future__ import annotations

from collections.abc import Container

from controlplane.sources.audit.decision import Unmapped
from controlplane.sources.audit.envelope import Found
from controlplane.sources.audit.recent import Recent
from controlplane.sources.audit.translate import BadEventError, Translation, event_id
from controlplane.sources.kubernetes import level_of
from controlplane.sources.splitting import Broken
from controlplane.sources.tally import Tally
from inscope.behaviour import PermissionUse
from inscope.coverage import Source
from inscope.exercise import Exercise, LogCoverage

MAX_SEEN = 20_000
"""Kinds of requests of one log: an agent that asks for services of its own making fills no memory."""

_NOTHING: tuple[Exercise, ...] = ()


class Telling:
    """`told` are ids of events that are not to be told again; `recent` are those of this stretch."""

    def __init__(self, scope: str, translation: Translation, told: Container[str] = ()) -> None:
        self.recent = Recent()
        self.faults: dict[str, int] = {}
        self.duplicates = 0
        self._tally = Tally(Source.KUBERNETES_AUDIT, scope)
        self._translation = translation
        self._told = told
        self._requests: set[tuple[str, str, str]] = set()

    def take(self, found: Found | Broken) -> tuple[Exercise, ...]:
        """The exercises of what was found; none where it was told before, says nothing, or is broken."""
        match found:
            case Broken(reason):
                return self._fault(reason)
            case BadEventError():
                return self._fault(str(found))
            case Unmapped(name):
                return self._passed(name)
        number = event_id(found)
        if number in self.recent or number in self._told:
            self.duplicates += 1
            return _NOTHING
        try:
            told = self._translation.exercises(found)
        except BadEventError as fault:
            return self._fault(str(fault))
        if isinstance(told, Unmapped):
            return self._passed(told.name)
        self.recent.add(number)
        self._tally.event(told[0].time)
        for each in told:
            self._see(each)
        return told

    def coverage(self) -> LogCoverage:
        """Of what was taken so far. Both times are 0 where that is nothing."""
        return self._tally.coverage()

    def _see(self, each: Exercise) -> None:
        if not isinstance(each.behaviour, PermissionUse):
            return
        used = each.behaviour.permission
        request = (used.service, used.resource, used.action)
        if request not in self._requests and len(self._requests) < MAX_SEEN:
            self._requests.add(request)
            self._tally.seen.add((used.service, level_of(*request)))

    def _fault(self, reason: str) -> tuple[Exercise, ...]:
        self.faults[reason] = self.faults.get(reason, 0) + 1
        self._tally.malformed += 1
        return _NOTHING

    def _passed(self, name: str) -> tuple[Exercise, ...]:
        self._tally.unknown(name)
        return _NOTHING
