"""What every service works with: the loop's thread, who listens, and where time and randomness come from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controlplane.serve.board import Board
from controlplane.serve.followers import Followers
from controlplane.serve.loop_thread import LoopThread
from controlplane.telemetry.port import SILENCE, Telemetry
from inscope.alert import Alert
from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class Hub:
    """Shared by all services of one process. `clock` is seconds since the epoch."""

    thread: LoopThread
    board: Board
    followers: Followers
    telemetry: Telemetry = SILENCE
    clock: Callable[[], float] = time.time
    random: Callable[[int], bytes] = os.urandom

    def tell(self, changed: Iterable[Workload], alerts: Iterable[Alert] = ()) -> None:
        """Let everybody who waits for it know what an act on the loop has changed."""
        self.board.announce(changed)
        self.followers.publish(alerts)
