"""All of observing put together: init's channel, the pipeline behind it, the kernel's sockets to check claims."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from inscope.workload import InstanceId
from sidecar.normalise.paths import default_generaliser
from sidecar.observe.enforceable import why_not_enforce
from sidecar.observe.fingerprinter import Fingerprinter
from sidecar.observe.identities import Identities
from sidecar.observe.images import Images
from sidecar.observe.init_channel import InitChannel
from sidecar.observe.kinds import Stance
from sidecar.observe.known_acts import KnownActs
from sidecar.observe.patterns import default_watch_list
from sidecar.observe.pipeline import Pipeline, stance_of
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.reconcile import Reconciler
from sidecar.observe.records import HelloRecord
from sidecar.observe.secret import FirstSecret
from sidecar.observe.sink import ObservationSink
from sidecar.observe.sock_diag import SockDiag, SockDiagError
from sidecar.observe.translate import Translator
from sidecar.observe.wall_clock import Clocks

PROCESS_LOG = "processes"
"""Name of the file beside the secret."""

_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_EPHEMERAL_FROM = 32768


def read_clocks() -> Clocks:
    """The machine's clocks."""
    return Clocks(time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def first_ephemeral_port() -> int:
    """The first port that this network namespace gives out by itself."""
    try:
        return int(_PORT_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL_FROM


class Observer:
    """Watches one instance through its inscope-init.

    Args:
        socket_path: where init connects; `socket_mode` must let the agent's uid in where it is another.
        secret_path: remembers who init is across restarts of the sidecar; beside it, `PROCESS_LOG` remembers what the
            agent's processes run. One folder per run of the agent.
        log: takes one line for an operator.
        stance: what init is to do; where nobody says, what the sink's mode does.
    """

    def __init__(
        self,
        instance: InstanceId,
        socket_path: Path,
        secret_path: Path,
        fingerprinter: Fingerprinter,
        sink: ObservationSink,
        log: Callable[[str], None],
        *,
        socket_mode: int = 0o600,
        stance: Callable[[], Stance] | None = None,
    ) -> None:
        self._instance = instance
        self._generaliser = default_generaliser()
        self._watch_list = default_watch_list()
        self._process_log = ProcessLog(secret_path.with_name(PROCESS_LOG), log)
        self._pipeline = Pipeline(self._translator, sink, read_clocks, stance)
        self._channel = InitChannel(
            socket_path,
            self._pipeline,
            FirstSecret(secret_path, log),
            self._watch_list.wire(),
            mode=socket_mode,
            stance=stance() if stance else stance_of(sink.mode),
        )
        self._sockets = _sock_diag(log)
        self._reconciler = self._make_reconciler()
        identities = Identities(fingerprinter, self._pipeline.unhashed)
        self._pipeline.attach(identities, self._channel, self._reconciler)

    def open(self) -> None:
        """Listen for init. Raises OSError where the socket cannot be made."""
        self._channel.open()

    async def run(self) -> None:
        """Observe for ever; cancel to end."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pipeline.run())
            if self._reconciler is not None:
                tasks.create_task(self._reconciler.run())

    def rejudge(self) -> int:
        """The mode, or what may be counted without being told, has changed. The generation in which init does it."""
        return self._pipeline.rejudge()

    def obstacle(self) -> str:
        """Why init could not enforce where it is; empty where it can, or has not said yet what works there."""
        mechanisms = self._pipeline.mechanisms
        return why_not_enforce(mechanisms) if mechanisms is not None else ""

    def release(self) -> None:
        """Everything up to the agent's end is durable: let init go."""
        self._channel.release()

    def close(self) -> None:
        """Stop listening."""
        self._channel.close()
        self._process_log.close()
        if self._sockets is not None:
            self._sockets.close()

    def _make_reconciler(self) -> Reconciler | None:
        if self._sockets is None:
            return None
        pipeline = self._pipeline
        return Reconciler(self._instance, self._sockets, pipeline.found, pipeline.unreconciled, time.monotonic)

    def _translator(self, hello: HelloRecord, clocks: Clocks, resumed: bool, known: KnownActs) -> Translator:
        return Translator(
            self._instance,
            hello,
            clocks,
            resumed=resumed,
            generaliser=self._generaliser,
            watch_list=self._watch_list,
            ephemeral_from=first_ephemeral_port(),
            images=Images(),
            process_log=self._process_log,
            known=known,
        )


def _sock_diag(log: Callable[[str], None]) -> SockDiag | None:
    try:
        return SockDiag()
    except SockDiagError as error:
        log(f"connects cannot be held against the kernel's sockets: {error}")
        return None
