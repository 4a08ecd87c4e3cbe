"""The Sidecar service: a stream speaks for whom its certificate names, and each instance has one at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator

import grpc
import grpc.aio

from controlplane.pki.identity import SidecarPeer, UnknownPeerError
from controlplane.pki.peer import peer_of
from controlplane.serve.hub import Hub
from controlplane.serve.rate import Rate
from controlplane.serve.status import RefusedError
from controlplane.serve.stream import DEFAULT_SETTINGS, SidecarStream, StreamSettings
from inscope.codec import CodecError
from inscope.v1 import sidecar_pb2 as pb
from inscope.v1.sidecar_pb2_grpc import SidecarServicer
from inscope.workload import Instance, InstanceId

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[pb.SidecarMessage, pb.ControlMessage]


class GrpcChannel:
    """`stream.Channel` over gRPC's context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self) -> pb.SidecarMessage | None:
        """The next message; None at the end."""
        message = await self._context.read()
        return message if isinstance(message, pb.SidecarMessage) else None

    async def write(self, message: pb.ControlMessage) -> None:
        """Send one message."""
        await self._context.write(message)


class Sidecars(SidecarServicer):
    """All live streams."""

    def __init__(self, hub: Hub, settings: StreamSettings = DEFAULT_SETTINGS) -> None:
        self._hub = hub
        self._settings = settings
        self._live: set[InstanceId] = set()
        self._complaints = Rate(per_second=1.0, burst=20.0)  # a hostile sidecar must not fill the log

    async def Stream(  # type: ignore[override]  # noqa: N802 - the schema's name; gRPC takes coroutines that write, too
        self, request_iterator: AsyncIterator[pb.SidecarMessage], context: Context
    ) -> None:
        """One sidecar's stream, from Hello to Goodbye."""
        instance = _instance_of(context)
        if instance.id in self._live:
            raise RefusedError(grpc.StatusCode.ALREADY_EXISTS, f"instance {instance.id} has a live stream already")
        self._live.add(instance.id)
        try:
            await self._serve(instance, GrpcChannel(context))
        finally:
            self._live.discard(instance.id)

    async def _serve(self, instance: Instance, channel: GrpcChannel) -> None:
        stream = SidecarStream(instance, channel, self._hub, self._settings)
        try:
            await stream.run()
        except CodecError as error:
            # Nothing of it is acknowledged, so nothing is lost yet: the sidecar has it, and counts it if it gives up.
            if self._complaints.allow(time.monotonic()):
                log.warning("%s sent what is not acceptable: %s", instance.id, error)
            raise
        finally:
            if stream.entered:
                now = self._hub.clock()
                # Not waited for: the task may be cancelled. A next stream's `enter` queues behind it all the same.
                self._hub.thread.post(lambda loop: loop.leave(instance.id, now))


def _instance_of(context: Context) -> Instance:
    peer = peer_of(context.auth_context())
    if not isinstance(peer, SidecarPeer):
        raise UnknownPeerError("only a sidecar may open a stream")
    return peer.instance
