"""Keeps a stream open: enrols once, connects, and connects again with jitter whenever a stream ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc

from inscope.text import printable
from inscope.v1 import sidecar_pb2_grpc as rpc
from sidecar.report.backoff import Backoff
from sidecar.report.channel import server_options
from sidecar.report.credentials import Credentials
from sidecar.report.join import Join
from sidecar.report.outbox import ImpossibleAckError
from sidecar.report.reporter import Reporter
from sidecar.report.stream import PeerError, Session
from sidecar.report.trouble import Trouble, trouble_of

SETTLED_S = 10.0
"""A session that lived this long ends a row of failures, even if nothing was acknowledged in it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world as the connection sees it, so that tests can bring their own.

    `wall` gives seconds since the epoch, `chance` a uniform number in [0, 1), `log` takes one line for an operator.
    """

    wall: Callable[[], float]
    chance: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    log: Callable[[str], None]
    backoff: Backoff = field(default_factory=Backoff)


class Connection:
    """One instance's connection to its control plane."""

    def __init__(self, join: Join, reporter: Reporter, world: Surroundings) -> None:
        self._join = join
        self._reporter = reporter
        self._world = world
        self._failures = 0
        self._told = ""

    @property
    def _target(self) -> str:
        return f"{self._join.host}:{self._join.stream_port}"

    async def keep(self, credentials: Credentials) -> None:
        """Keep a stream open until the goodbye was heard; cancel to end earlier."""
        while not self._reporter.goodbye_heard.is_set():
            if self._world.wall() >= credentials.not_after:
                self._tell(_expired(credentials.not_after))
                await self._world.sleep(self._world.backoff.most)
                continue
            trouble = await self._once(credentials)
            if trouble:
                self._tell(trouble)
                self._failures += 1
                await self._world.sleep(self._world.backoff.delay(self._failures, self._world.chance()))

    async def _once(self, credentials: Credentials) -> Trouble | None:
        """One stream, from opening to end; None where it ended as it should."""
        began, refused = self._world.wall(), False
        async with _channel(self._join, credentials) as channel:
            session = Session(rpc.SidecarStub(channel).Stream(None), self._reporter, self._world.wall)
            try:
                await session.run(self._welcomed)
                if session.said_goodbye:
                    self._reporter.goodbye_heard.set()
            except grpc.aio.AioRpcError as error:
                refused = error.code() is grpc.StatusCode.INVALID_ARGUMENT
                return trouble_of(error.code(), error.details() or "", self._target)
            except (PeerError, ImpossibleAckError) as error:
                return Trouble("peer", f"{self._target} broke the protocol: {printable(str(error))}")
            except TimeoutError:
                return Trouble("silent", f"{self._target} does not answer; observations wait in the spool")
            except Exception as error:  # observing goes on, whatever the transport comes up with
                return Trouble("transport", f"the stream to {self._target} failed: {printable(repr(error))}")
            except asyncio.CancelledError:
                if _cancelled_by_us():
                    raise
                return Trouble("cancelled", f"the stream to {self._target} was cancelled by the transport")
            finally:
                self._reporter.disconnected(refused=refused)
                if session.progressed or self._world.wall() - began > SETTLED_S:
                    self._failures = 0
        return None

    def _welcomed(self) -> None:
        if self._told:
            self._world.log(f"connected to {self._target}")
        self._told = ""

    def _tell(self, trouble: Trouble) -> None:
        """Log a trouble once, however often it is met in a row."""
        if trouble.key != self._told:
            self._told = trouble.key
            self._world.log(trouble.sentence)


def _cancelled_by_us() -> bool:
    """Whether this task is to end; gRPC raises the same error for a call that it gave up."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _channel(join: Join, credentials: Credentials) -> grpc.aio.Channel:
    mutual = grpc.ssl_channel_credentials(
        credentials.trust_bundle_pem, credentials.key_pem, credentials.certificate_pem
    )
    return grpc.aio.secure_channel(f"{join.host}:{join.stream_port}", mutual, options=server_options(join.server_name))


def _expired(not_after: float) -> Trouble:
    when = datetime.fromtimestamp(not_after, UTC).isoformat(timespec="seconds")
    return Trouble("expired", f"this sidecar's certificate expired at {when}: start it anew with a new join token")
