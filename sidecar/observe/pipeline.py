"""From the channel to the sink: records become facts at once, facts are handed on in their order once they are hashed.

Bounded: where hashing falls behind the channel is paused, so that what cannot be taken waits in init, and is counted
there when it must go. What still comes over the hard limit is dropped here, newest first, and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, assert_never

from inscope.capability import Capability
from inscope.containment import Containment
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from sidecar.observe.bodies import Counters
from sidecar.observe.claims import Claim
from sidecar.observe.drafts import Draft, OpenFile
from sidecar.observe.facts import Again, Ended, Fact, InForce, Lost, QueuedFact
from sidecar.observe.identities import Identities
from sidecar.observe.init_listener import PeerCredentials
from sidecar.observe.kinds import Stance
from sidecar.observe.known_acts import KnownActs
from sidecar.observe.ledger import Ledger
from sidecar.observe.packets import close_all, close_descriptors
from sidecar.observe.records import NO_FD, HelloRecord, Record
from sidecar.observe.sink import ObservationSink
from sidecar.observe.translate import Translator
from sidecar.observe.verdicts import Answer, verdict_packet
from sidecar.observe.wall_clock import SECOND_NS, Clocks

HIGH_WATER = 2048
"""Facts waiting at which the channel is paused."""

LOW_WATER = 512
"""Facts waiting at which it is read again."""

HARD_LIMIT = 8192
"""Facts waiting over which records are dropped."""

ASKS_MAX = 1024
"""Callers held for a verdict at which one more is refused unseen: several times what an honest init holds."""

DESCRIPTORS_MAX = 192
"""Descriptors waiting to be hashed at which the channel is paused; twice as many, and records are dropped."""

_TURN = 256
"""Facts handed on before the loop gets a turn."""


class Flow(Protocol):
    """The channel, as far as the pipeline holds it back."""

    def tell(self, packets: Sequence[bytes]) -> None: ...
    def become(self, stance: Stance) -> int: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Reconciling(Protocol):
    """Whoever holds claims against the kernel."""

    def claimed(self, claim: Claim) -> None: ...
    async def finish(self) -> None: ...


class Pipeline:
    """Listens to the channel, and hands facts to `sink`.

    Args:
        translator: makes the translator when init first says HELLO; the flag is whether it is resumed.
        clocks: reads our clocks.
        stance: what init is to do; where nobody says, what the sink's mode does.
    """

    def __init__(
        self,
        translator: Callable[[HelloRecord, Clocks, bool, KnownActs], Translator],
        sink: ObservationSink,
        clocks: Callable[[], Clocks],
        stance: Callable[[], Stance] | None = None,
    ) -> None:
        self._make_translator = translator
        self._sink = sink
        self._clocks = clocks
        self._stance = stance or (lambda: stance_of(sink.mode))
        self.mechanisms: int | None = None
        """What works where init is, by its word; None before it has said so."""
        self._translator: Translator | None = None
        self._identities: Identities | None = None
        self._flow: Flow | None = None
        self._reconciling: Reconciling | None = None
        self._init = Ledger(Source.INIT)
        self._sockets = Ledger(Source.SOCKETS)
        self._facts: deque[QueuedFact] = deque()
        self._descriptors = 0
        self._paused = False
        self._waiting = asyncio.Event()
        self._untold = False
        self._known = KnownActs(sink.countable)
        self._answers: dict[Draft, Answer] = {}
        self._deciding: set[asyncio.Task[None]] = set()

    def attach(self, identities: Identities, flow: Flow, reconciling: Reconciling | None) -> None:
        """Say who hashes, what holds the channel back, and who holds claims against the kernel (None: nobody can)."""
        self._identities = identities
        self._flow = flow
        self._reconciling = reconciling

    # The channel's side.

    def connected(self, hello: HelloRecord, peer: PeerCredentials, *, resumed: bool) -> None:
        """Init is there, for the first time or again."""
        self.mechanisms = hello.body.mechanisms
        clocks = self._clocks()
        if self._translator is None:
            self._translator = self._make_translator(hello, clocks, resumed, self._known)
        else:
            self._translator.reconnected(hello, clocks)
        self._init.began(self._translator.began)
        self._sink.covered(self._init.coverage())
        if self._reconciling is not None:
            self._sockets.began(self._translator.began)
            self._sink.covered(self._sockets.coverage())

    def received(self, records: Sequence[Record]) -> None:
        """Take the records of one packet."""
        translator = self._translator
        if translator is None:
            close_descriptors(records)
            return
        translator.resync(self._clocks())
        for record in records:
            self._take(translator, record)
        self._init.lost_before(records[-1].head.lost)
        self._tell_known()
        self._hold_back()
        self._tell_losses()

    def malformed(self, reason: str) -> None:
        """Something was not the protocol."""
        self._lose(LossCause.MALFORMED)
        self._tell_losses()

    def disconnected(self) -> None:
        """Init is gone, or was let go."""
        self._init.ended(self._clocks().wall_ns / SECOND_NS)
        self._sink.covered(self._init.coverage())

    # The others' side.

    def unhashed(self) -> None:
        """A hash could not be had."""
        self._lose(LossCause.HASH_FAILED)

    def unreconciled(self, count: int) -> None:
        """Claims were never seen in the kernel."""
        self._sockets.lose(LossCause.UNRECONCILED, count)
        self._sink.covered(self._sockets.coverage())

    def rejudge(self) -> int:
        """The mode, or what may be counted, has changed. The generation in which init does what is to be done."""
        self._known.rejudge()
        self._tell_known()
        self._let_go()
        return self._flow.become(self._stance()) if self._flow is not None else 0

    def found(self, observation: Observation) -> None:
        """An observation that no record told."""
        self._sink.observed(observation)

    async def run(self) -> None:
        """Hand on facts for ever; cancel to end."""
        while True:
            await self._waiting.wait()
            for _ in range(min(_TURN, len(self._facts))):
                await self._hand_on(self._facts[0])
                self._facts.popleft()
            if not self._facts:
                self._waiting.clear()
            self._let_go()
            self._tell_losses()
            self._tell_known()
            await asyncio.sleep(0)

    # Between them.

    @property
    def _full(self) -> bool:
        return len(self._facts) >= HARD_LIMIT or self._descriptors >= 2 * DESCRIPTORS_MAX

    @property
    def _answers_for_callers(self) -> bool:
        return self._stance() is not Stance.WATCHES

    def _take(self, translator: Translator, record: Record) -> None:
        if record.head.ask and len(self._deciding) >= ASKS_MAX:
            self._refuse_unseen(record)
            return
        facts = translator.translate(record)  # also where it is dropped: who runs what is needed for the next verdict
        if record.head.ask:
            self._hold(translator, record, facts)
        self._queue(self._room_for(facts) if self._full else facts)

    def _refuse_unseen(self, record: Record) -> None:
        close_descriptors([record])
        self._lose(LossCause.SIDECAR_QUEUE)
        if self._flow is not None:
            self._flow.tell([verdict_packet(record, allowed=False)])

    def _room_for(self, facts: Sequence[Fact]) -> Sequence[Fact]:
        """What is kept where too much waits: all but acts, and the end whatever waits."""
        over = len(self._facts) >= 2 * HARD_LIMIT
        kept = [fact for fact in facts if isinstance(fact, Ended) or not (over or isinstance(fact, Draft | Again))]
        for fact in facts:
            if isinstance(fact, Draft) and self._answers.pop(fact, None) is None:
                close_all([want.fd for want in fact.wants if isinstance(want, OpenFile) and want.fd != NO_FD])
        if len(kept) < len(facts):
            self._lose(LossCause.SIDECAR_QUEUE, len(facts) - len(kept))
        return kept

    def _queue(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Claim):
                if self._reconciling is not None:
                    self._reconciling.claimed(fact)
                continue
            if isinstance(fact, Draft) and fact.wants and fact not in self._answers:
                self._descriptors += fact.descriptors
                self._hasher.starts(fact)
            self._facts.append(fact)
        self._waiting.set()

    @property
    def _hasher(self) -> Identities:
        if self._identities is None:
            raise RuntimeError("attach() comes before the first record")
        return self._identities

    async def _hand_on(self, fact: QueuedFact) -> None:
        match fact:
            case Draft():
                await self._hand_on_draft(fact)
            case InForce(generation):
                self._sink.in_force(generation)
            case Lost(times):
                self._lose(LossCause.NO_SIDECAR, times)
            case Again(observation, times):
                self._sink.repeated(observation, times)
            case Capability():
                self._sink.surveyed(fact)
                self._sink.covered(_surveyed(fact))
            case Counters():
                self._init.counted(fact)
                self._sink.covered(self._init.coverage())
            case Ended(status):
                await self._finish(status)
            case _:
                assert_never(fact)

    async def _hand_on_draft(self, draft: Draft) -> None:
        observation: Observation | None = draft.observation
        if draft in self._answers:
            observation = await self._answered(draft)
        elif draft.wants:
            observation = await self._hasher.complete(draft)
            self._descriptors -= draft.descriptors
        if observation is None:
            return
        self._sink.observed(observation)
        if draft.key:
            self._known.met(draft.key, draft, observation)

    def _hold(self, translator: Translator, record: Record, facts: Sequence[Fact]) -> None:
        """Somebody is held for this record: it is judged at once."""
        drafts = [fact for fact in facts if isinstance(fact, Draft)]
        for draft in drafts:
            self._hasher.starts(draft)
        answer = Answer(record, drafts, self._hasher.complete, self._sink.verdict)
        self._descriptors += answer.descriptors
        self._answers |= dict.fromkeys(drafts, answer)
        task = asyncio.ensure_future(self._decide(translator, record, answer))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    async def _decide(self, translator: Translator, record: Record, answer: Answer) -> None:
        allowed = await answer.verdict() is Verdict.ALLOW
        self._descriptors -= answer.descriptors
        translator.decided(record, allowed=allowed)
        self._tell_known()
        if self._flow is not None:
            self._flow.tell([verdict_packet(record, allowed=allowed)])

    async def _answered(self, draft: Draft) -> Observation | None:
        answer = self._answers.pop(draft)
        verdict, observation = await answer.verdict(), await answer.observation(draft)
        if observation is None or verdict is Verdict.ALLOW:
            return observation
        draft.key = 0
        return replace(observation, verdict=verdict)

    async def _finish(self, status: int) -> None:
        if self._reconciling is not None:
            await self._reconciling.finish()
        self._tell_losses()
        self._sink.ended(status)

    def _hold_back(self) -> None:
        high = len(self._facts) >= HIGH_WATER or self._descriptors >= DESCRIPTORS_MAX
        if self._answers_for_callers:  # who is held would wait behind what is only told: that is dropped instead
            return
        if high and not self._paused and self._flow is not None:
            self._paused = True
            self._flow.pause()

    def _let_go(self) -> None:
        low = len(self._facts) <= LOW_WATER and self._descriptors < DESCRIPTORS_MAX
        if (low or self._answers_for_callers) and self._paused and self._flow is not None:
            self._paused = False
            self._flow.resume()

    def _tell_known(self) -> None:
        packets = self._known.to_tell()
        if packets and self._flow is not None:
            self._flow.tell(packets)

    def _lose(self, cause: LossCause, count: int = 1) -> None:
        self._init.lose(cause, count)
        self._untold = True

    def _tell_losses(self) -> None:
        if self._untold and self._translator is not None:
            self._untold = False
            self._sink.covered(self._init.coverage())


def stance_of(mode: Mode, containment: Containment = Containment.FREE) -> Stance:
    """What init does in a mode, and where it is cut off."""
    match containment:
        case Containment.FROZEN:
            return Stance.FREEZES
        case Containment.QUARANTINED:
            return Stance.QUARANTINES
    return Stance.ENFORCES if mode is Mode.ENFORCE else Stance.WATCHES


def _surveyed(capability: Capability) -> SourceCoverage:
    return SourceCoverage(Source.SURVEY, capability.surveyed_at, 0, {})
