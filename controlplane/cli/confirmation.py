"""Waiting until every running instance does what was ordered, by the word of its own inscope-init."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inscope.v1 import operator_pb2 as pb
from inscope.workload import Workload

if TYPE_CHECKING:
    from controlplane.cli.control import Control

PATIENCE = 2.0
"""Seconds. An order reaches an instance within half of one: what takes longer than this is worth saying."""

PAUSE = 0.1
"""Seconds between two looks."""

Does = Callable[[pb.InstanceDetail], bool]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The running instances that do it, those that do not (yet), and how many seconds that took."""

    doing: tuple[pb.InstanceDetail, ...]
    waiting: tuple[pb.InstanceDetail, ...]
    seconds: float


async def confirmation(
    control: Control,
    workload: Workload,
    does: Does,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Confirmation:
    """Look until all do it, the others refuse, or `PATIENCE` is over. Whose init never spoke has nothing to do."""
    began = clock()
    while True:
        running = [each for each in (await control.show(workload)).instances if each.live and each.in_force_since]
        doing = tuple(filter(does, running))
        waiting = tuple(each for each in running if each not in doing)
        spent = clock() - began
        if not waiting or spent >= PATIENCE or all(each.refused for each in waiting):
            return Confirmation(doing, waiting, spent)
        await sleep(PAUSE)


def confirmation_lines(said: Confirmation) -> list[str]:
    """What a person is told of it."""
    running = len(said.doing) + len(said.waiting)
    if not running:
        return ["No running instance has said yet what it does; the next begins in it."]
    lines = [f"{len(said.doing)} of {running} running instances do it, by their own word ({said.seconds:.1f} s)."]
    return lines + [f"{each.id} does not: {each.refused or 'it has not said so yet'}" for each in said.waiting]
