"""What the container holds, gathered from the parts that init sends, as capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from inscope.capability import Capability, CapabilityKind
from sidecar.normalise.interpreters import is_interpreter
from sidecar.normalise.paths import Generaliser, cut
from sidecar.normalise.text import text_of
from sidecar.observe.kinds import SurveyKind
from sidecar.observe.patterns import WatchList
from sidecar.observe.records import SurveyRecord

_KINDS: Mapping[int, CapabilityKind] = {
    SurveyKind.EXECUTABLES: CapabilityKind.EXECUTABLES,
    SurveyKind.LIBRARIES: CapabilityKind.LIBRARIES,
    SurveyKind.SECRETS: CapabilityKind.SECRETS,
    SurveyKind.WRITABLE_CODE: CapabilityKind.WRITABLE_CODE,
    SurveyKind.EGRESS: CapabilityKind.EGRESS,
    SurveyKind.PORTS: CapabilityKind.PORTS,
    SurveyKind.SYSCALLS: CapabilityKind.SYSCALLS,
}
_TEXTS = frozenset({CapabilityKind.EGRESS, CapabilityKind.PORTS, CapabilityKind.SYSCALLS})
"""Kinds whose members are words, not paths."""

MAX_MEMBERS = 60_000
"""Members of one kind; what is over makes the survey incomplete. Init stops at fewer."""


@dataclass(slots=True)
class _Gathering:
    members: set[str] = field(default_factory=set)
    interpreters: set[str] = field(default_factory=set)
    whole: bool = True


class Surveyor:
    """Collects the parts of each kind until its last."""

    def __init__(self, generaliser: Generaliser, watch_list: WatchList) -> None:
        self._generaliser = generaliser
        self._watch_list = watch_list
        self._open: dict[CapabilityKind, _Gathering] = {}
        self.libraries: frozenset[str] = frozenset()

    def surveyed(self, record: SurveyRecord, time: float) -> list[Capability]:
        """Take one part; gives what became complete with it. A kind that nobody knows is left out."""
        kind = _KINDS.get(record.part.survey)
        if kind is None:
            return []
        gathering = self._open.setdefault(kind, _Gathering())
        self._gather(kind, gathering, record.members)
        if not record.part.last:
            return []
        del self._open[kind]
        return self._capabilities(kind, gathering, time, complete=bool(record.part.complete) and gathering.whole)

    def _gather(self, kind: CapabilityKind, gathering: _Gathering, members: tuple[bytes, ...]) -> None:
        name = self._namer(kind)
        for member in members:
            if len(gathering.members) >= MAX_MEMBERS:
                gathering.whole = False
                return
            if kind is CapabilityKind.SECRETS and not self._watch_list.is_secret(member):
                continue
            general = name(text_of(member))
            gathering.members.add(general)
            if kind is CapabilityKind.EXECUTABLES and is_interpreter(text_of(member)):
                gathering.interpreters.add(general)

    def _namer(self, kind: CapabilityKind) -> Callable[[str], str]:
        return cut if kind in _TEXTS else self._generaliser.path

    def _capabilities(
        self, kind: CapabilityKind, gathering: _Gathering, time: float, *, complete: bool
    ) -> list[Capability]:
        held = Capability(kind, frozenset(gathering.members), time, complete)
        if kind is CapabilityKind.LIBRARIES:
            self.libraries = held.members
        if kind is not CapabilityKind.EXECUTABLES:
            return [held]
        interpreters = frozenset(gathering.interpreters)
        return [held, Capability(CapabilityKind.INTERPRETERS, interpreters, time, complete)]
