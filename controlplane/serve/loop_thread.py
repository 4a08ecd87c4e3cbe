"""The one thread that touches the loop and its store: a single writer, fed in order, one call at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from controlplane.loop import Loop
from controlplane.store.port import Store, StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")


class LoopThread:
    """Runs acts on a `Loop`. Each stream waits for its own act, so no more of them queue than there are streams."""

    def __init__(self, open_store: Callable[[], Store], build: Callable[[Store], Loop] = Loop) -> None:
        """Both run in the thread.

        Raises:
            StoreError: the store cannot be opened.
        """
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="loop")
        self._failing = False
        self._store = self._executor.submit(open_store).result()
        self._loop = self._executor.submit(build, self._store).result()

    async def call(self, act: Callable[[Loop], T], *, commits: bool = False) -> T:
        """What `act` returns or raises. Cancelling the wait does not cancel an act that has begun.

        `commits`: it keeps a batch, so that its success shows that the store works (reading works on a full disk too).
        """
        result = await asyncio.wrap_future(self._executor.submit(self._run, act))
        if commits and self._failing:
            self._failing = False
            log.warning("the store works again")
        return result

    def post(self, act: Callable[[Loop], object]) -> None:
        """Run `act` after everything before it, without waiting; a failure is logged."""
        self._executor.submit(self._run, act).add_done_callback(_log_failure)

    def close(self) -> None:
        """Let what is queued come to its end, then close the store."""
        self.post(lambda loop: self._store.close())
        self._executor.shutdown(wait=True)

    def _run(self, act: Callable[[Loop], T]) -> T:
        try:
            return act(self._loop)
        except StoreError as error:
            self._say_failing(error)
            raise

    def _say_failing(self, error: StoreError) -> None:
        # Once per outage: every stream meets the same error, again and again.
        if not self._failing:
            self._failing = True
            log.error("the store fails, nothing is acknowledged until it works again: %s", error)


def _log_failure(done: Future[object]) -> None:
    error = done.exception()
    if error is not None and not isinstance(error, StoreError):
        log.error("an act on the loop failed", exc_info=error)
