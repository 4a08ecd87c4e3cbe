"""Answers init about the callers that it holds: as soon as an act is judged, whatever was told before it still waits.

One answer for each record that asks. What cannot be judged (unreadable arguments, an error of ours) is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from errno import EACCES

from inscope.behaviour import Behaviour
from inscope.observation import Observation
from inscope.verdict import Verdict
from sidecar.observe.drafts import Draft
from sidecar.observe.encode import encode_verdict
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Flag
from sidecar.observe.records import Record

HOLD_S = HEADER.constants["HOLD_MS"] / 1000
"""What is not judged by then was refused by init."""

_UNREADABLE = int(Flag.UNREADABLE)

Judge = Callable[[Behaviour], Awaitable[Verdict]]
Complete = Callable[[Draft], Awaitable[Observation | None]]


class Answer:
    """The judgement of one record's drafts, under way: `drafts` maps each to its observation once it is there."""

    def __init__(self, record: Record, drafts: Sequence[Draft], complete: Complete, judge: Judge) -> None:
        self._record = record
        self._complete = complete
        self._judge = judge
        self.descriptors = sum(draft.descriptors for draft in drafts)
        self._tasks = {draft: asyncio.ensure_future(self._of(draft)) for draft in drafts}

    async def observation(self, draft: Draft) -> Observation | None:
        """The completed observation of one of its drafts."""
        return (await self._tasks[draft])[0]

    async def verdict(self) -> Verdict:
        """What becomes of all of it: `ALLOW`, or why it was refused."""
        found = {(await task)[1] for task in self._tasks.values()}
        if Verdict.QUARANTINE in found:
            return Verdict.QUARANTINE
        refused = self._record.head.flags & _UNREADABLE or found - {Verdict.ALLOW}
        return Verdict.DENY if refused else Verdict.ALLOW

    async def _of(self, draft: Draft) -> tuple[Observation | None, Verdict]:
        try:
            async with asyncio.timeout(HOLD_S):
                return await self._judged(draft)
        except Exception:  # whatever went wrong: somebody waits for an answer, and it is not yes
            return draft.observation, Verdict.DENY

    async def _judged(self, draft: Draft) -> tuple[Observation | None, Verdict]:
        observation = await self._complete(draft) if draft.wants else draft.observation
        if observation is None:  # the same as what was judged before
            return None, Verdict.ALLOW
        return observation, await self._judge(observation.behaviour)


def verdict_packet(record: Record, *, allowed: bool) -> bytes:
    """What init is told."""
    return encode_verdict(record.head.ask, 0 if allowed else EACCES)
