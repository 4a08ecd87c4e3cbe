"""What init need not tell again: acts that it knows by key, and counts. Pure; `to_tell` is for whoever sends.

An act is met when its record was handed on. If it may be counted from then on, init is told its key, and says later
how often it was repeated. Who acts is part of a key as a number: processes that run the same program, by its label,
have the same, so what one of them did is known of all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256

from inscope.behaviour import Behaviour, Exec, Load
from inscope.observation import Observation
from sidecar.normalise.interpreters import is_interpreter
from sidecar.observe.bodies import Head, Repeat
from sidecar.observe.drafts import Draft, OpenFile
from sidecar.observe.encode import encode_actor, encode_known
from sidecar.observe.header import HEADER
from sidecar.observe.processes import FileId, Process
from sidecar.observe.protocol import PACKET_MAX

KNOWN_MAX = HEADER.constants["KNOWN_MAX"]
"""Acts that init can hold; what it has no room for it goes on telling."""

_AT_ONCE = 2048
"""Acts in one message, which then fills half a packet."""

TIMES_MAX = 1 << 32
"""Repeats that one count can honestly be: more cannot be done in the hours that init may be unable to tell them."""

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


@dataclass(slots=True)
class _Session:
    """What one connection of init has told and been told. `messages` and `news` are those that it has not got yet."""

    acts: dict[int, _Act] = field(default_factory=dict)
    told: OrderedDict[tuple[int, int], int] = field(default_factory=OrderedDict)
    messages: list[bytes] = field(default_factory=list)
    news: list[tuple[int, int]] = field(default_factory=list)
    generation: int = 0


class KnownActs:
    """The acts of one init. Keys mean something only to it, and are known to it only while its connection lasts."""

    def __init__(self, countable: Countable) -> None:
        self._countable = countable
        self._session = _Session()

    def forget(self) -> None:
        """Another connection begins: init has forgotten too."""
        self._session = _Session()

    def acts(self, process: Process, head: Head, *, anew: bool = False) -> None:
        """A process was met in a record: init learns what it runs, once for each program.

        `anew`: init has put away what it knew of it, as at each exec that it tells.
        """
        who = (process.pid, process.start)
        number = number_of(process.label)
        told = self._session.told
        if number and (anew or told.get(who) != number):
            told[who] = number
            self._session.messages.append(encode_actor(head, number))
            if len(told) > KNOWN_MAX:
                told.popitem(last=False)

    def ran(self, key: int) -> Ran | None:
        """What a process runs that did the exec with this key."""
        act = self._session.acts.get(key)
        behaviour = act.observation.behaviour if act and act.observation else None
        return Ran(behaviour.program.label, act.image) if act and isinstance(behaviour, Exec) else None

    def met(self, key: int, draft: Draft, observation: Observation) -> None:
        """A record with this key was handed on, as `observation`."""
        file = draft.program if isinstance(draft.program, OpenFile) else None
        if file and isinstance(observation.behaviour, Exec) and is_interpreter(file.path):
            return
        if _repeatable(observation):
            image = (file.file.device, file.file.inode) if file else _NOWHERE
            self._learn(key, _Act(observation, bool(file and file.file.writable), image))

    def says_nothing(self, key: int) -> None:
        """The act with this key is none to tell, and never will be."""
        self._learn(key, _Act(None))

    def _learn(self, key: int, act: _Act) -> None:
        acts = self._session.acts
        if key in acts or len(acts) >= KNOWN_MAX:
            return
        acts[key] = act
        if self._may_count(act):
            self._session.news.append((key, _number_after(act)))

    def repeated(self, repeats: Iterable[Repeat], time: float) -> Iterator[tuple[Observation, int]]:
        """What init counted, as observations of `time` (seconds since the epoch) and how often each was made."""
        for repeat in repeats:
            act = self._session.acts.get(repeat.key)
            if act and act.observation and repeat.times:
                yield replace(act.observation, time=time), min(repeat.times, TIMES_MAX)

    def foreign(self, repeats: Iterable[Repeat]) -> int:
        """How many of these nobody can say any more what they were: an earlier sidecar had called them known."""
        return sum(min(repeat.times, TIMES_MAX) for repeat in repeats if repeat.key not in self._session.acts)

    def rejudge(self) -> None:
        """What may be counted has changed: init gets the whole set anew."""
        session = self._session
        session.generation += 1
        session.news.clear()
        acts = [(key, _number_after(act)) for key, act in session.acts.items() if self._may_count(act)]
        parts = [acts[at : at + _AT_ONCE] for at in range(0, len(acts), _AT_ONCE)] or [[]]
        for part in parts:
            session.messages.append(encode_known(session.generation, part, last=part is parts[-1]))

    def to_tell(self) -> list[bytes]:
        """The packets that init has not got yet, in their order."""
        session = self._session
        messages, session.messages = session.messages, []
        for at in range(0, len(session.news), _AT_ONCE):
            messages.append(encode_known(session.generation, session.news[at : at + _AT_ONCE], last=True))
        session.news.clear()
        return _packed(messages)

    def _may_count(self, act: _Act) -> bool:
        return act.observation is None or self._countable(act.observation.behaviour, act.writable)


def _packed(messages: Iterable[bytes]) -> list[bytes]:
    """As few packets as may be: init's socket holds some hundred, however small, and who fills it is cut off."""
    packets: list[bytearray] = []
    for message in messages:
        if not packets or len(packets[-1]) + len(message) > PACKET_MAX:
            packets.append(bytearray())
        packets[-1] += message
    return [bytes(packet) for packet in packets]


def _number_after(act: _Act) -> int:
    behaviour = act.observation.behaviour if act.observation else None
    return number_of(behaviour.program.label) if isinstance(behaviour, Exec) else 0


@lru_cache(KNOWN_MAX)
def number_of(label: str) -> int:
    """A program's number; 0 for one that is not known. The next sidecar gives the same: init's keys may outlive us."""
    return int.from_bytes(sha256(label.encode()).digest()[:8], "little") if label else 0


def _repeatable(observation: Observation) -> bool:
    """Who runs a script is told each time: its arguments are no part of a key. So is what could not be hashed."""
    match observation.behaviour:
        case Exec(program):
            return program.script is None and bool(program.sha256)
        case Load(sha256=content):
            return bool(content)
        case _:
            return True
