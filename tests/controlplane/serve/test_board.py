"""What is in force, asked of the loop once for many streams, and never stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from controlplane.loop.batch import InForce
from controlplane.serve.board import Board
from inscope.mode import Mode
from inscope.workload import Workload

WORKLOAD, OTHER = Workload("local", "Process", "a"), Workload("local", "Process", "b")


class SlowThread:
    """Answers when it is told to, with what was in force when it was asked."""

    def __init__(self) -> None:
        self.mode = Mode.OBSERVE
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def call(self, act: Callable[[Any], InForce]) -> InForce:
        self.asked += 1
        answer = InForce(self.mode, (), ())
        await self.may_answer.wait()
        return answer


async def test_many_streams_ask_once_per_announcement() -> None:
    thread = SlowThread()
    board = Board(thread)  # type: ignore[arg-type]  # the one method that a board uses
    with board.watching(WORKLOAD) as event:
        assert event.is_set()
        await board.in_force(WORKLOAD)
        await board.in_force(WORKLOAD)
        board.announce([OTHER])
        await board.in_force(WORKLOAD)
        assert thread.asked == 1
        event.clear()
        board.announce([WORKLOAD])
        assert event.is_set()
        await board.in_force(WORKLOAD)
        assert thread.asked == 2


async def test_an_answer_that_was_overtaken_is_not_pinned() -> None:
    thread = SlowThread()
    board = Board(thread)  # type: ignore[arg-type]  # the one method that a board uses
    with board.watching(WORKLOAD):
        thread.may_answer.clear()
        asking = asyncio.ensure_future(board.in_force(WORKLOAD))
        await asyncio.sleep(0)
        thread.mode = Mode.DETECT
        board.announce([WORKLOAD])
        thread.may_answer.set()
        assert (await asking).mode is Mode.OBSERVE
        assert (await board.in_force(WORKLOAD)).mode is Mode.DETECT


async def test_nothing_is_kept_for_a_workload_nobody_watches() -> None:
    thread = SlowThread()
    board = Board(thread)  # type: ignore[arg-type]  # the one method that a board uses
    with board.watching(WORKLOAD):
        await board.in_force(WORKLOAD)
    await board.in_force(WORKLOAD)
    await board.in_force(WORKLOAD)
    assert thread.asked == 3
