"""The one thread that touches the loop and its store: a single writer, fed in order, one call at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from controlplane.store.port import StoreError

if TYPE_CHECKING:
    from controlplane.loop import Loop

log = logging.getLogger(__name__)

T = TypeVar("T")


class LoopThread:
    """Runs acts on a `Loop`. Each stream waits for its own act, so no more of them queue than there are streams."""

    def __init__(self, make: Callable[[], Loop]) -> None:
        """`make` opens the store and builds the loop; it runs in the thread.

        Raises:
            StoreError: the store cannot be opened.
        """
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="loop")
        self._failing = False
        self._loop = self._executor.submit(make).result()

    async def call(self, act: Callable[[Loop], T]) -> T:
        """What `act` returns or raises. Cancelling the wait does not cancel an act that has begun."""
        return await asyncio.wrap_future(self._submit(act))

    def post(self, act: Callable[[Loop], object]) -> None:
        """Run `act` after everything before it, without waiting; a failure is logged."""
        self._submit(act).add_done_callback(_log_failure)

    def close(self, finish: Callable[[Loop], object]) -> None:
        """Let what is queued come to its end, then run `finish`, then stop."""
        self.post(finish)
        self._executor.shutdown(wait=True)

    def _submit(self, act: Callable[[Loop], T]) -> Future[T]:
        return self._executor.submit(self._run, act)

    def _run(self, act: Callable[[Loop], T]) -> T:
        try:
            result = act(self._loop)
        except StoreError as error:
            self._say_failing(error)
            raise
        if self._failing:
            self._failing = False
            log.warning("the store works again")
        return result

    def _say_failing(self, error: StoreError) -> None:
        # Once per outage: every stream meets the same error, again and again.
        if not self._failing:
            self._failing = True
            log.error("the store fails, nothing is acknowledged until it works again: %s", error)


def _log_failure(done: Future[object]) -> None:
    error = done.exception()
    if error is not None and not isinstance(error, StoreError):
        log.error("an act on the loop failed", exc_info=error)
