"""One open stream to the control plane: hello, welcome, then batches out and acknowledgements and references in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc

from inscope.codec import CodecError, version_to_wire
from inscope.codec.stream import PROTOCOL, effect_to_wire
from inscope.effect import Effect
from inscope.v1 import sidecar_pb2 as pb
from sidecar.report.batch import Batch
from sidecar.report.pushed_reference import reference_from_wire
from sidecar.report.reporter import CannotEnforceError, Reporter
from sidecar.report.wire import Definitions, batch_to_wire

VERSION = "0.1.0"
WELCOME_S = 20.0
"""Seconds for the connection and the answer to the hello."""

OUTGOING_MAX = 64
"""Messages that wait to be written. The outbox has few batches in flight, so that only a broken stream comes near."""

ANSWERS_MAX = 4
"""Answers to references among them: a control plane that does not read them is not read either."""

STATUS_S = 2.0
"""Seconds for the status of a stream that cannot be written to."""

Call = grpc.aio.StreamStreamCall[pb.SidecarMessage, pb.ControlMessage]


class PeerError(Exception):
    """The control plane broke the protocol: its fault."""


class Session:
    """One open stream. The reporter writes into it without waiting; `run` moves it."""

    def __init__(self, call: Call, reporter: Reporter, wall: Callable[[], float]) -> None:
        self._call = call
        self._reporter = reporter
        self._wall = wall
        self._outgoing: asyncio.Queue[pb.SidecarMessage | None] = asyncio.Queue(OUTGOING_MAX)
        self._answers = asyncio.Semaphore(ANSWERS_MAX)
        self._definitions = Definitions()
        self.progressed = False
        self.said_goodbye = False

    # What the reporter does (`Link`).

    def send_batch(self, batch: Batch, sequence: int) -> None:
        """Encode now, because ids are given in the order of sending; write when the stream takes it."""
        self._say(pb.SidecarMessage(batch=batch_to_wire(batch, self._definitions, sequence)))
        if self._definitions.spent:
            self.renew()

    def say_goodbye(self, exit_status: int) -> None:
        """The last message; the stream is half-closed behind it."""
        self.said_goodbye = True
        self._say(pb.SidecarMessage(goodbye=pb.Goodbye(exit_status=exit_status)))
        self._say(None)

    def say_effect(self, effect: Effect) -> None:
        """What init really does."""
        self._say(pb.SidecarMessage(effect=effect_to_wire(effect)))

    def renew(self) -> None:
        """End this stream once everything written so far is out; another is opened."""
        self._say(None)

    def _say(self, message: pb.SidecarMessage | None) -> None:
        """Where there is no room the stream is given up: what was not acknowledged is told again on the next."""
        try:
            self._outgoing.put_nowait(message)
        except asyncio.QueueFull:
            self.said_goodbye = False
            self._call.cancel()

    # What the connection does.

    async def run(self, welcomed: Callable[[], None]) -> None:
        """Speak until the stream ends; `welcomed` is called once it is open.

        Raises:
            grpc.aio.AioRpcError: it ended with a status.
            PeerError: the control plane broke the protocol.
            TimeoutError: it did not answer the hello.
        """
        async with asyncio.timeout(WELCOME_S):
            await self._call.write(pb.SidecarMessage(hello=self._hello()))
            await self._expect_welcome()
        welcomed()
        reader, writer = asyncio.create_task(self._read()), asyncio.create_task(self._write())
        try:
            await _until_over(reader, writer)
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    def _hello(self) -> pb.Hello:
        held = [version_to_wire(version) for version in self._reporter.reference.versions]
        return pb.Hello(version=VERSION, protocol=PROTOCOL, epoch=self._reporter.epoch, held=held, clock=self._wall())

    async def _expect_welcome(self) -> None:
        message = await self._next()
        if message is None or message.WhichOneof("message") != "welcome":
            raise PeerError("the control plane's first message was not a welcome")
        self._reporter.welcomed(self, message.welcome.acknowledged)

    async def _next(self) -> pb.ControlMessage | None:
        message = await self._call.read()
        return message if isinstance(message, pb.ControlMessage) else None  # grpc.aio.EOF

    async def _write(self) -> None:
        while message := await self._outgoing.get():
            await self._call.write(message)
            if message.HasField("reference_ack"):
                self._answers.release()
        await self._call.done_writing()

    async def _read(self) -> None:
        while message := await self._next():
            match message.WhichOneof("message"):
                case "ack":
                    self._reporter.acknowledged(message.ack.sequence)
                    self.progressed = True
                case "reference":
                    await self._answers.acquire()
                    self._take_reference(message.reference)
                case other:
                    raise PeerError(f"unexpected {other or 'empty message'}")

    def _take_reference(self, push: pb.ReferencePush) -> None:
        rejected = ""
        try:
            self._reporter.take(reference_from_wire(self._reporter.reference, push))
        except (CodecError, CannotEnforceError) as error:
            rejected = str(error)
        versions = [version_to_wire(version) for version in self._reporter.reference.versions]
        answer = pb.ReferenceAck(nonce=push.nonce, versions=versions, rejected=rejected)
        self._say(pb.SidecarMessage(reference_ack=answer))


async def _until_over(reader: asyncio.Task[None], writer: asyncio.Task[None]) -> None:
    """The reader sees how the stream ends. A writer that fails must not leave it waiting for what cannot come."""
    await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    failed = writer.done() and not writer.cancelled() and writer.exception()
    await asyncio.wait({reader}, timeout=STATUS_S if failed else None)
    if not reader.done():
        raise PeerError(f"nothing can be written any more: {failed}")
    reader.result()
