"""What init need not tell again: acts that it knows by key, and counts. Pure; `to_tell` is for whoever sends.

An act is met when its record was handed on. If it may be counted from then on, init is told its key, and says later
how often it was repeated. Who acts is part of a key as a number: processes that run the same program, by its label,
have the same, so what one of them did is known of all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from inscope.behaviour import Behaviour, Exec, Load
from inscope.observation import Observation
from sidecar.observe.bodies import Head, Repeat
from sidecar.observe.drafts import Draft, OpenFile
from sidecar.observe.encode import encode_actor, encode_known
from sidecar.observe.header import HEADER
from sidecar.observe.processes import FileId, Process

KNOWN_MAX = HEADER.constants["KNOWN_MAX"]
"""Acts that init can hold; what it has no room for it goes on telling."""

_AT_ONCE = 2048
"""Acts in one packet, which then is half full."""

_NOWHERE: FileId = (0, 0)

Countable = Callable[[Behaviour, bool], bool]
"""Whether a behaviour may be counted without being told; the flag says that the workload can write the file."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process runs after a known exec."""

    label: str
    image: FileId


@dataclass(frozen=True, slots=True)
class _Act:
    """`observation` is None for an act that says nothing, such as a read of what is no secret."""

    observation: Observation | None
    writable: bool = False
    image: FileId = _NOWHERE


class KnownActs:
    """The acts of one init. Numbers and keys mean something only to it, and only while its connection lasts."""

    def __init__(self, countable: Countable) -> None:
        self._countable = countable
        self._acts: OrderedDict[int, _Act] = OrderedDict()
        self._told: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._packets: list[bytes] = []
        self._news: list[tuple[int, int]] = []
        self._generation = 0

    def forget(self) -> None:
        """Another connection begins: init has forgotten too."""
        self.__init__(self._countable)  # type: ignore[misc]  # the same object, as new

    def acts(self, process: Process, head: Head) -> None:
        """A process was met in a record: init learns what it runs, once for each program."""
        who = (process.pid, process.start)
        number = number_of(process.label)
        if number and self._told.get(who) != number:
            self._told[who] = number
            self._packets.append(encode_actor(head, number))
            if len(self._told) > KNOWN_MAX:
                self._told.popitem(last=False)

    def ran(self, key: int) -> Ran | None:
        """What a process runs that did the exec with this key."""
        act = self._acts.get(key)
        behaviour = act.observation.behaviour if act and act.observation else None
        return Ran(behaviour.program.label, act.image) if act and isinstance(behaviour, Exec) else None

    def met(self, key: int, draft: Draft | None, observation: Observation | None) -> None:
        """A record with this key was handed on, as `observation`; None where there is nothing in it to tell."""
        file = draft.program.file if draft and isinstance(draft.program, OpenFile) else None
        image = (file.device, file.inode) if file else _NOWHERE
        act = _Act(observation, bool(file and file.writable), image)
        if key in self._acts or not _repeatable(observation) or len(self._acts) >= KNOWN_MAX:
            return
        self._acts[key] = act
        if self._may_count(act):
            self._news.append((key, self._number_after(act)))

    def repeated(self, repeats: Iterable[Repeat], time: float) -> Iterator[tuple[Observation, int]]:
        """What init counted, as observations of `time` (seconds since the epoch) and how often each was made."""
        for repeat in repeats:
            act = self._acts.get(repeat.key)
            if act and act.observation and repeat.times:
                yield replace(act.observation, time=time), repeat.times

    def rejudge(self) -> None:
        """What may be counted has changed: init gets the whole set anew."""
        self._generation += 1
        self._news.clear()
        acts = [(key, self._number_after(act)) for key, act in self._acts.items() if self._may_count(act)]
        parts = [acts[at : at + _AT_ONCE] for at in range(0, len(acts), _AT_ONCE)] or [[]]
        for part in parts:
            self._packets.append(encode_known(self._generation, part, last=part is parts[-1]))

    def to_tell(self) -> list[bytes]:
        """The packets that init has not got yet, in their order."""
        packets, self._packets = self._packets, []
        for at in range(0, len(self._news), _AT_ONCE):
            packets.append(encode_known(self._generation, self._news[at : at + _AT_ONCE], last=True))
        self._news.clear()
        return packets

    def _may_count(self, act: _Act) -> bool:
        return act.observation is None or self._countable(act.observation.behaviour, act.writable)

    def _number_after(self, act: _Act) -> int:
        behaviour = act.observation.behaviour if act.observation else None
        return number_of(behaviour.program.label) if isinstance(behaviour, Exec) else 0


@lru_cache(KNOWN_MAX)
def number_of(label: str) -> int:
    """A program's number; 0 for one that is not known. The next sidecar gives the same: init's keys may outlive us."""
    return int.from_bytes(sha256(label.encode()).digest()[:8], "little") if label else 0


def _repeatable(observation: Observation | None) -> bool:
    """An interpreter's arguments say what it runs, and are no part of a key; nor is what could not be hashed."""
    behaviour = observation.behaviour if observation else None
    if isinstance(behaviour, Exec):
        return behaviour.program.script is None and bool(behaviour.program.sha256)
    return not isinstance(behaviour, Load) or bool(behaviour.sha256)
