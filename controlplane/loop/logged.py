"""What an authority's log tells becomes what is known: attributed to workloads, then learned or judged.

The acts happened elsewhere and were authorised there. They are learned and judged by the time at which they happened,
by the references that logs tell of, and a day of a log is their session.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network

from controlplane.detect.alert import AlertKey, Scene
from controlplane.detect.judge import judge
from controlplane.loop.memory import Memory
from controlplane.loop.remembered import Remembered
from controlplane.loop.settings import LoopSettings
from controlplane.posture.attribution import Attribution, attribute
from controlplane.posture.learn import Lesson, learn
from controlplane.posture.window import Window
from controlplane.store.port import LogDay, Order, WorkloadRow
from inscope.alert import Alert
from inscope.behaviour import CredentialUse, LoggedBehaviour, Outcome, PermissionUse, RoleAssumption
from inscope.containment import Containment
from inscope.coverage import Source
from inscope.exercise import Exercise, Identity
from inscope.grant import qualified
from inscope.mode import Mode
from inscope.observation import Observation, Sighting
from inscope.permission import Authority
from inscope.reaction import Reaction
from inscope.reference import TOLD_BY_LOGS, Dimension
from inscope.workload import InstanceId, Workload

_PRIVATE_BITS, _PUBLIC_BITS, _IPV6_BITS = 16, 24, 48


@dataclass(frozen=True, slots=True)
class LoggedAct:
    """One thing that a log tells of one workload; `among` are others that it may have been."""

    time: float
    behaviour: LoggedBehaviour
    among: tuple[Workload, ...] = ()


@dataclass(slots=True)
class Taken:
    """What became of a batch. `others` were of identities that are no workload's, by the reason why; `duplicates` had
    been taken before.
    """

    taken: int = 0
    duplicates: int = 0
    others: dict[str, int] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    changed: set[Workload] = field(default_factory=set)


MAX_REASONS = 100
"""Different reasons that are told of one batch."""

OTHER_REASONS = "…"
"""Stands for all others."""


class Logged:
    """Where batches of a log go in. `issued` follows credentials to whom they were given, newest last."""

    def __init__(self, memory: Memory, settings: LoopSettings) -> None:
        self._memory = memory
        self._settings = settings
        self._issued: OrderedDict[str, tuple[Workload, ...]] = OrderedDict()
        self._attributions: dict[tuple[str, Authority, str, str], Attribution] = {}

    def take(self, source: Source, scope: str, exercises: Sequence[Exercise], now: float) -> Taken:
        """Everything a batch does, in one transaction."""
        taken = Taken()
        with self._memory.changing_any():
            new = self._memory.store.take_events(f"{source}/{scope}", [each.id for each in exercises])
            taken.duplicates = len(exercises) - len(new)
            for workload, acts in self._attributed(scope, exercises, new, taken, now).items():
                self._witness(workload, source, scope, acts, taken, now)
        return taken

    def witness(self, workload: Workload, source: Source, scope: str, acts: Sequence[LoggedAct], now: float) -> Taken:
        """Acts of a workload that need no attribution, in order."""
        taken = Taken()
        with self._memory.changing_any():
            self._witness(workload, source, scope, acts, taken, now)
        return taken

    def forget(self) -> None:
        """Who runs as whom may have changed."""
        self._attributions.clear()

    # Attribution --------------------------------------------------------------------------------------------------

    def _attributed(
        self, scope: str, exercises: Iterable[Exercise], new: set[str], taken: Taken, now: float
    ) -> Mapping[Workload, list[LoggedAct]]:
        acts: defaultdict[Workload, list[LoggedAct]] = defaultdict(list)
        for each in sorted(exercises, key=lambda each: each.time):  # who was given a credential, before its use
            if each.id not in new:
                continue
            new.discard(each.id)  # the same event twice in one batch
            mine, why = self._whose(scope, each)
            taken.taken += 1
            if not mine:
                why = why if why in taken.others or len(taken.others) < MAX_REASONS else OTHER_REASONS
                taken.others[why] = taken.others.get(why, 0) + 1
            time = Window(0.0, now).clamp(each.time)
            for workload in mine:
                among = tuple(other for other in mine if other != workload)
                acts[workload] += [LoggedAct(time, done, among) for done in _behaviours(scope, each)]
        return acts

    def _whose(self, scope: str, each: Exercise) -> tuple[tuple[Workload, ...], str]:
        identity = each.identity
        mine, why = self._issued.get(identity.credential, ()), ""
        if not mine:
            found = self._attribution(scope, identity)
            mine, why = found.workloads, found.why
            ignored = [one.namespace for one in mine if one.namespace in self._settings.ignored_namespaces]
            if ignored:
                return (), f"namespace {ignored[0]} is not watched"
        if each.issued and mine:
            self._issued[each.issued] = mine
            self._issued.move_to_end(each.issued)
            if len(self._issued) > self._settings.max_credentials:
                self._issued.popitem(last=False)
        return mine, why

    def _attribution(self, scope: str, identity: Identity) -> Attribution:
        who = (scope, identity.authority, identity.principal, identity.pod)
        known = self._attributions.get(who)
        if known is None:
            if len(self._attributions) >= self._settings.max_credentials:
                self._attributions.clear()
            known = self._attributions[who] = attribute(identity, scope, self._memory.directory)
        return known

    # Learning and judging -----------------------------------------------------------------------------------------

    def _witness(
        self, workload: Workload, source: Source, scope: str, acts: Sequence[LoggedAct], taken: Taken, now: float
    ) -> None:
        state = self._known(workload, min(act.time for act in acts))
        learned = 0
        for day, sightings in _by_day(source, scope, acts).items():
            learned += self._learn(state, source, day, sightings, now)
            self._count(state, day, sightings)
        alerts = self._judge(state, acts, now)
        self._react(state, [alert for key, alert in alerts.items() if key not in state.alerts], acts, now)
        self._memory.put_alerts(state, alerts)
        state.row = replace(state.row, last_seen=max(state.row.last_seen, *(act.time for act in acts)))
        self._memory.store.put_workload(state.row)
        if learned:
            self._memory.refresh(state, now)
        taken.alerts += alerts.values()
        taken.changed.add(workload)

    def _known(self, workload: Workload, first: float) -> Remembered:
        state = self._memory.known(workload)
        if state is None:
            self._memory.store.put_workload(WorkloadRow(workload, Mode.OBSERVE, first, first))
        return state or self._memory.state(workload)

    def _learn(
        self, state: Remembered, source: Source, day: InstanceId, sightings: Sequence[Sighting], now: float
    ) -> int:
        room = self._settings.max_entries - len(state.entries)
        began = min(each.observation.time for each in sightings)
        adding = state.learning_kinds & TOLD_BY_LOGS
        lesson = Lesson(day, began, Window(0.0, now), room, adding, source)
        learned = learn(state.entries, sightings, lesson, self._memory.techniques.suspicion)
        self._memory.put_entries(state, learned.evidence, learned.grown)
        return len(learned.added)

    def _count(self, state: Remembered, day: InstanceId, sightings: Sequence[Sighting]) -> None:
        before = state.log_days.get(day)
        first = min(each.observation.time for each in sightings)
        last = max(each.last_time for each in sightings)
        row = LogDay(
            state.row.workload,
            day,
            min(first, before.first_seen) if before else first,
            max(last, before.last_seen) if before else last,
            sum(each.count for each in sightings) + (before.events if before else 0),
        )
        self._memory.store.put_log_day(row)
        state.log_days[day] = row

    def _judge(self, state: Remembered, acts: Sequence[LoggedAct], now: float) -> dict[AlertKey, Alert]:
        judged = state.judged_kinds & TOLD_BY_LOGS
        if not judged:
            return {}
        alerts: dict[AlertKey, Alert] = {}
        for among, sightings in _by_candidates(acts).items():
            scene = Scene(
                workload=state.row.workload,
                versions=state.versions,
                watch=state.watch,
                learning=state.learning_from_logs(now),
                techniques=self._memory.techniques,
                window=Window(0.0, now),
                judged=judged,
                among=among,
            )
            for some, kept_back in _refused_last(sightings, self._settings.max_alerts // 4):
                room = self._settings.max_alerts - len(state.alerts) - len(alerts) - kept_back
                known = state.alerts | alerts if alerts else state.alerts
                alerts |= judge(some, state.scope, known, scene, self._memory.next_alert, room).alerts
        return alerts

    def _react(self, state: Remembered, raised: Sequence[Alert], acts: Iterable[LoggedAct], now: float) -> None:
        """Contain what can still be contained, in enforce and where that was asked for. What was refused was contained
        already, and what may have been another workload's is nobody's to be cut off for.
        """
        if self._settings.on_crossing is not Reaction.QUARANTINE:
            return
        certain = {act.behaviour for act in acts if not act.among} if raised else set()
        grave = [each for each in raised if each.behaviour in certain and self._calls_for_containment(state, each)]
        if grave and state.containments.get("", Containment.FREE) is Containment.FREE:
            first = grave[0]
            order = Order(now, state.row.workload, "quarantine", "", f"tripwire of {first.id}", first.sentence)
            self._memory.put_containment(state, Containment.QUARANTINED, order)

    def _calls_for_containment(self, state: Remembered, alert: Alert) -> bool:
        enforced = any(state.mode_of(crossing.reference.kind) is Mode.ENFORCE for crossing in alert.crossed)
        attempted = {crossing.entry.dimension for crossing in alert.crossed} == {Dimension.ATTEMPT}
        return enforced and not attempted


def _behaviours(scope: str, each: Exercise) -> Iterator[LoggedBehaviour]:
    """What was done, by whom as we name them, and from where the credential for it came."""
    identity = each.identity
    authority = identity.authority
    match each.behaviour:
        case PermissionUse(permission, principal, outcome, granted_by):
            yield PermissionUse(permission, qualified(authority, scope, principal), outcome, granted_by)
        case RoleAssumption(role, principal, means, outcome):
            mine, its = (qualified(authority, scope, name) for name in (principal, role))
            yield RoleAssumption(its, mine, means, outcome)
    if identity.address:
        presented = qualified(authority, scope, identity.principal)
        yield CredentialUse(presented, network_of(identity.address), identity.client)


@lru_cache(maxsize=65_536)
def network_of(address: str) -> str:
    """The range that stands for an address: pods come and go within one. What is no address (a service's name, by
    which a cloud says that it acted itself) stays as it is.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.is_loopback:
        return "loopback"
    bits = _IPV6_BITS if parsed.version == 6 else _PRIVATE_BITS if parsed.is_private else _PUBLIC_BITS
    return str(ip_network((parsed, bits), strict=False))


def _by_day(source: Source, scope: str, acts: Sequence[LoggedAct]) -> dict[InstanceId, list[Sighting]]:
    """The sightings of each day, oldest day first; `acts` are in order."""
    days: defaultdict[int, list[LoggedAct]] = defaultdict(list)
    for act in acts:
        days[int(act.time // DAY)].append(act)
    named = ((_day(source, scope, day * DAY), mine) for day, mine in days.items())
    return {day: _sightings(day, mine) for day, mine in named}


DAY = 86_400


def _day(source: Source, scope: str, time: float) -> InstanceId:
    date = datetime.fromtimestamp(time, UTC).date().isoformat()
    return InstanceId("/".join(filter(None, (source, scope, date))))


def _by_candidates(acts: Iterable[LoggedAct]) -> dict[tuple[Workload, ...], list[Sighting]]:
    """The sightings of each set of candidates: an alert names them; `acts` are in order."""
    groups: defaultdict[tuple[Workload, ...], list[LoggedAct]] = defaultdict(list)
    for act in acts:
        groups[act.among].append(act)
    return {among: _sightings(InstanceId(""), mine) for among, mine in groups.items()}


def _refused_last(sightings: Iterable[Sighting], kept_back: int) -> Iterator[tuple[list[Sighting], int]]:
    """What was done, then what was refused, for which some of the room is kept back: whoever asks for thousands of
    things that it may not do is not to silence what it then does.
    """
    done: list[Sighting] = []
    refused: list[Sighting] = []
    for each in sightings:
        outcome = getattr(each.observation.behaviour, "outcome", Outcome.ALLOWED)
        (refused if outcome is Outcome.DENIED else done).append(each)
    yield done, 0
    yield refused, kept_back


def _sightings(instance: InstanceId, acts: Iterable[LoggedAct]) -> list[Sighting]:
    """Each behaviour once, with how often it was done; `acts` are in order."""
    times: dict[LoggedBehaviour, list[float]] = {}
    for act in acts:
        seen = times.get(act.behaviour)
        if seen is None:
            times[act.behaviour] = [act.time, act.time, 1]
        else:
            seen[1] = act.time
            seen[2] += 1
    return [
        Sighting(Observation(instance, first, behaviour), int(count), last)
        for behaviour, (first, last, count) in times.items()
    ]
