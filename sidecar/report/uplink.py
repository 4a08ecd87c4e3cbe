"""The way to the control plane: an identity, then a stream that is kept open. Imports gRPC: import it late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from sidecar.report.connection import Connection, Surroundings
from sidecar.report.enrolment import EnrolmentRefusedError
from sidecar.report.identity import buy_identity, kept_identity
from sidecar.report.join import Join
from sidecar.report.key_worker import KeyMakingError, KeyWorker
from sidecar.report.reporter import Reporter


class Uplink:
    """One instance's way. `credentials` is the file that keeps the identity."""

    def __init__(
        self,
        join: Join,
        reporter: Reporter,
        credentials: Path,
        wall: Callable[[], float],
        chance: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._join = join
        self._reporter = reporter
        self._credentials = credentials
        self._world = Surroundings(wall, chance, asyncio.sleep, log)

    async def run(self, worker: KeyWorker | None) -> None:
        """Keep the control plane informed until cancelled. `worker` makes the key; it was started where one is needed.

        A refused enrolment ends it: asking again would not help. Observations stay in the spool.
        """
        try:
            kept = kept_identity(self._credentials, self._join, self._world.wall())
            identity = kept or await buy_identity(self._credentials, self._join, worker or KeyWorker(), self._world)
        except EnrolmentRefusedError as error:
            self._world.log(f"the control plane refused to enrol this sidecar; observations wait in the spool: {error}")
        except KeyMakingError as error:
            self._world.log(str(error))
        else:
            await Connection(self._join, self._reporter, self._world).keep(identity)
