"""A control plane in a few lines, over real gRPC and real TLS: it remembers what it was sent and does as it is told."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import grpc

from inscope.v1 import enrolment_pb2, enrolment_pb2_grpc, sidecar_pb2, sidecar_pb2_grpc
from tests.fakes.certificates import SERVER_NAME, Authority

TOKEN = "join-me"


@dataclass
class Heard:
    """What came in over all streams."""

    hellos: list[sidecar_pb2.Hello] = field(default_factory=list)
    batches: list[sidecar_pb2.Batch] = field(default_factory=list)
    acks: list[sidecar_pb2.ReferenceAck] = field(default_factory=list)
    goodbyes: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class FakeControlPlane(sidecar_pb2_grpc.SidecarServicer, enrolment_pb2_grpc.EnrolmentServicer):
    """Commits batches by (epoch, sequence) as the real one does. `answer`: a status to refuse streams with."""

    def __init__(self, authority: Authority, instance: str = "i-1") -> None:
        self.authority = authority
        self.instance = instance
        self.heard = Heard()
        self.changed = asyncio.Condition()
        self.durable: dict[str, int] = {}
        self.acknowledge = True
        self.answer: tuple[grpc.StatusCode, str] | None = None
        self.refuse_behaviour: str | None = None
        self.mute = False
        self.push: sidecar_pb2.ReferencePush | None = None
        self.stream_port = 0
        self.enrolment_port = 0
        self.tokens = {TOKEN}
        self._servers: list[grpc.aio.Server] = []

    async def start(self, stream_port: int = 0) -> None:
        key, certificate = self.authority.server()
        mutual = grpc.ssl_server_credentials([(key, certificate)], self.authority.pem, require_client_auth=True)
        plain = grpc.ssl_server_credentials([(key, certificate)])
        streams, enrolment = (grpc.aio.server(options=[("grpc.so_reuseport", 0)]) for _ in range(2))
        sidecar_pb2_grpc.add_SidecarServicer_to_server(self, streams)
        enrolment_pb2_grpc.add_EnrolmentServicer_to_server(self, enrolment)
        self.stream_port = streams.add_secure_port(f"127.0.0.1:{stream_port}", mutual)
        self.enrolment_port = enrolment.add_secure_port("127.0.0.1:0", plain)
        self._servers = [streams, enrolment]
        for server in self._servers:
            await server.start()

    async def stop(self) -> None:
        for server in self._servers:
            await server.stop(0)

    async def until(self, condition, timeout: float = 20.0) -> None:
        """Wait until `condition(heard)` holds."""
        async with asyncio.timeout(timeout), self.changed:
            await self.changed.wait_for(lambda: condition(self.heard))

    def join_fields(self) -> dict[str, object]:
        return {
            "token": TOKEN,
            "host": "127.0.0.1",
            "enrolment_port": self.enrolment_port,
            "stream_port": self.stream_port,
            "trust_bundle_pem": self.authority.pem.decode(),
            "server_name": SERVER_NAME,
            "instance": self.instance,
            "workload": "local/Process/t",
        }

    async def cut(self) -> None:
        """End every live stream, as a crash would."""
        await self.stop()
        await self.start(self.stream_port)

    # The services.

    async def Enrol(self, request, context):  # noqa: N802 -- the name is the schema's
        if request.join_token not in self.tokens:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "the join token was used")
        self.tokens.discard(request.join_token)
        return enrolment_pb2.EnrolResponse(
            certificate_pem=self.authority.sign(request.csr_der, self.instance),
            trust_bundle_pem=self.authority.pem,
            not_after=time.time() + 86_400,
            instance=self.instance,
        )

    async def Stream(self, requests, context):  # noqa: N802 -- the name is the schema's
        if self.answer:
            await context.abort(*self.answer)
        async for message in self._conversation(requests, context):
            yield message

    async def _conversation(self, requests, context):
        behaviours: dict[int, str] = {}
        epoch = ""
        async for message in requests:
            match message.WhichOneof("message"):
                case "hello" if not self.mute:
                    epoch = message.hello.epoch
                    await self._note(self.heard.hellos, message.hello)
                    yield sidecar_pb2.ControlMessage(
                        welcome=sidecar_pb2.Welcome(acknowledged=self.durable.get(epoch, 0), mode=1)
                    )
                    if self.push:
                        yield sidecar_pb2.ControlMessage(reference=self.push)
                case "batch":
                    if not await self._take(epoch, message.batch, behaviours):
                        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a row is not acceptable")
                    if self.acknowledge:
                        yield sidecar_pb2.ControlMessage(ack=sidecar_pb2.Ack(sequence=message.batch.sequence))
                case "reference_ack":
                    await self._note(self.heard.acks, message.reference_ack)
                case "goodbye":
                    await self._note(self.heard.goodbyes, message.goodbye.exit_status)

    async def _take(self, epoch, batch, behaviours) -> bool:
        for one in batch.definitions:
            behaviours[one.id] = one.behaviour.syscall.name
        ids, counts = memoryview(batch.ids).cast("I"), memoryview(batch.counts).cast("I")
        if self.refuse_behaviour in (behaviours[number] for number in ids):
            return False
        if batch.sequence > self.durable.get(epoch, 0):
            assert batch.sequence == self.durable.get(epoch, 0) + 1, "a gap in the sequence"
            self.durable[epoch] = batch.sequence
            for number, count in zip(ids, counts, strict=True):
                name = behaviours[number]
                self.heard.counts[name] = self.heard.counts.get(name, 0) + count
        await self._note(self.heard.batches, batch)
        return True

    async def _note(self, where: list, what: object) -> None:
        async with self.changed:
            where.append(what)
            self.changed.notify_all()
