"""A real control plane on loopback for tests, and real clients that talk to it: TLS, sockets and gRPC are not faked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controlplane.address import SERVER_NAME, Address
from controlplane.loop import Loop
from controlplane.pki.authority import Authority, create_authority, private_pem
from controlplane.pki.identity import OperatorPeer, Peer, SidecarPeer
from controlplane.serve.board import Board
from controlplane.serve.control_plane import ControlPlane, Sockets
from controlplane.serve.followers import Followers
from controlplane.serve.hub import Hub
from controlplane.serve.loop_thread import LoopThread
from controlplane.serve.stream import StreamSettings
from controlplane.store.port import Store
from controlplane.store.sqlite import open_store
from controlplane.telemetry.port import Silence, Telemetry
from inscope.v1 import sidecar_pb2 as pb
from inscope.v1.enrolment_pb2_grpc import EnrolmentStub
from inscope.v1.operator_pb2_grpc import OperatorStub
from inscope.v1.sidecar_pb2_grpc import SidecarStub
from inscope.workload import Instance, InstanceId, Workload
from tests.controlplane.serve.wire import hello

WORKLOAD = Workload("local", "Process", "support-agent")
INSTANCE = Instance(InstanceId("i-1"), WORKLOAD)
PATIENCE = 20.0
"""Seconds after which a test fails that would wait for ever."""

ANYWHERE = Address("127.0.0.1", 0)
QUICK = StreamSettings(hello_timeout=5.0, ack_delay=0.01, debounce=0.01, rest=0.01)


@dataclass
class Clock:
    """The control plane's clock, which a test may move."""

    offset: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass
class Running:
    """A control plane under test, with its own CA."""

    plane: ControlPlane
    hub: Hub
    authority: Authority
    clock: Clock
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    def operator(self) -> OperatorStub:
        """A stub on the unix socket."""
        return OperatorStub(self.keep(grpc.aio.insecure_channel(f"unix:{self.plane.sockets.unix}")))

    def enrolment(self) -> EnrolmentStub:
        """A stranger's stub."""
        credentials = grpc.ssl_channel_credentials(self.authority.bundle_pem)
        return EnrolmentStub(self.dial(self.plane.sockets.enrolment, credentials))

    def mutual(self, peer: Peer, *, authority: Authority | None = None, at: float | None = None) -> grpc.aio.Channel:
        """A channel to the mTLS socket for `peer`, certified by `authority` (by default ours) at the time `at`."""
        signer = authority or self.authority
        key = ec.generate_private_key(ec.SECP256R1())
        now = time.time() if at is None else at
        issued = signer.sign_peer(peer, key.public_key(), timedelta(hours=1), now)
        bundle = self.authority.bundle_pem
        return self.dial(
            self.plane.sockets.stream, grpc.ssl_channel_credentials(bundle, private_pem(key), issued.chain_pem)
        )

    def dial(self, address: Address, credentials: grpc.ChannelCredentials) -> grpc.aio.Channel:
        """A TLS channel of its own connection."""
        options = [("grpc.ssl_target_name_override", SERVER_NAME), ("grpc.use_local_subchannel_pool", 1)]
        return self.keep(grpc.aio.secure_channel(str(address), credentials, options=options))

    def keep(self, channel: grpc.aio.Channel) -> grpc.aio.Channel:
        """Close it when the test ends."""
        self.channels.append(channel)
        return channel

    def sidecar(self, instance: Instance = INSTANCE) -> SidecarStub:
        """A stub with that instance's certificate."""
        return SidecarStub(self.mutual(SidecarPeer(instance)))

    def certified_operator(self, name: str = "ada") -> OperatorStub:
        """A stub with an operator's certificate."""
        return OperatorStub(self.mutual(OperatorPeer(name)))

    async def stream(self, instance: Instance = INSTANCE, epoch: str = "e1") -> Stream:
        """A stream that has been welcomed."""
        stream = Stream(self.sidecar(instance).Stream())
        await stream.send(hello(epoch))
        stream.welcome = (await stream.next("welcome")).welcome
        return stream


class Stream:
    """A sidecar's end of a stream."""

    def __init__(self, call: grpc.aio.StreamStreamCall[pb.SidecarMessage, pb.ControlMessage]) -> None:
        self.call = call
        self.welcome = pb.Welcome()

    async def send(self, message: pb.SidecarMessage | pb.Batch) -> None:
        """Send a message; a batch is wrapped."""
        await self.call.write(pb.SidecarMessage(batch=message) if isinstance(message, pb.Batch) else message)

    async def next(self, kind: str) -> pb.ControlMessage:
        """The next message of that kind; others are skipped."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.call.read()
                assert isinstance(message, pb.ControlMessage), f"the stream ended before a {kind}"
                if message.WhichOneof("message") == kind:
                    return message

    async def acknowledged(self, sequence: int) -> None:
        """Wait until that batch is durable."""
        while (await self.next("ack")).ack.sequence < sequence:
            pass

    async def end(self) -> tuple[grpc.StatusCode, str]:
        """Read to the end; how it ended."""
        try:
            async with asyncio.timeout(PATIENCE):
                while await self.call.read() is not grpc.aio.EOF:
                    pass
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return await self.call.code(), await self.call.details() or ""


@asynccontextmanager
async def serving(
    state: Path,
    build: Callable[[Store], Loop] = Loop,
    *,
    authority: Authority | None = None,
    settings: StreamSettings = QUICK,
    telemetry: Telemetry = Silence(),  # noqa: B008 - it has no state
    listen: Address = ANYWHERE,
) -> AsyncIterator[Running]:
    """Serve the folder's store with the real loop, or one that `build` makes of it."""
    authority = authority or create_authority(time.time())
    thread = LoopThread(lambda: open_store(state / "inscope.db"), build)
    clock = Clock()
    hub = Hub(thread, Board(thread), Followers(), telemetry, clock)
    sockets = Sockets(listen, ANYWHERE, state / "control.sock")
    try:
        credentials = authority.server_credentials([], time.time())
        plane = ControlPlane(hub, authority, credentials, sockets, owner="tester", settings=settings)
        running = Running(plane, hub, authority, clock)
        await plane.start()
        try:
            yield running
        finally:
            for channel in running.channels:
                await channel.close()
            await plane.stop(0.1)
    finally:
        thread.close()


def csr() -> bytes:
    """A good certificate request."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


@contextmanager
def refused(code: grpc.StatusCode, why: str = "") -> Iterator[None]:
    """The call ends with that status, and its text says `why`."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert (caught.value.code(), why in (caught.value.details() or "")) == (code, True), caught.value
