"""HTTP/1.1 for one kind of request: a POST with a body, answered with a status. By h11, which does no I/O of its own.

Who asks is decided when the head has come, before a byte of the body is read; a refused body is thrown away unread.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Protocol

import h11

MAX_HEAD = 16 << 10
"""Bytes of a request's head."""

_CHUNK = 64 << 10
_LINGER_BYTES, _LINGER_SECONDS = 256 << 10, 1.0
"""What is thrown away of a refused body: whoever hears of a reset instead would never read the answer."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes are bytes, times seconds. An API server posts at most 400 events at once, and one post after the other."""

    path: str = "/audit"
    body: int = 32 << 20
    connections: int = 64
    at_once: int = 4
    """Posts whose bodies are read or taken at the same time; others are told to come back."""
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and why. `retry`: after how many seconds to come back, 0: not. `close`: the connection ends with it."""

    status: int
    why: str
    retry: int = 0
    close: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """Of a request. Header names are lower case."""

    method: str
    path: str
    headers: dict[bytes, bytes]


class Handler(Protocol):
    """Who answers."""

    def refusal(self, head: Head, certificate: dict[str, object] | None) -> Answer | None:
        """What to answer without reading the body; None where it is to be read."""

    def slot(self) -> AbstractContextManager[bool]:
        """Held while a body is read and taken; false where too many are."""

    async def taken(self, head: Head, body: bytes) -> Answer:
        """What became of it."""

    def answered(self, answer: Answer) -> None:
        """It was sent, or tried to be."""


class Connection:
    """One peer's requests, one after the other."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, bounds: Bounds
    ) -> None:
        self._reader, self._writer = reader, writer
        self._handler, self._bounds = handler, bounds
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)

    async def serve(self) -> None:
        """Until one side hangs up.

        Raises:
            OSError, TimeoutError: the peer went away, or was too slow.
        """
        patience = self._bounds.head_seconds
        while True:
            try:
                async with asyncio.timeout(patience):
                    request = await self._event()
                if not isinstance(request, h11.Request):
                    return
                answer = await self._answer(request)
            except h11.RemoteProtocolError as fault:
                answer = Answer(fault.error_status_hint, "not HTTP as it is spoken here", close=True)
            await self._send(answer)
            if answer.close or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                await self._linger()
                return
            self._http.start_next_cycle()
            patience = self._bounds.idle_seconds

    async def _answer(self, request: h11.Request) -> Answer:
        head = Head(request.method.decode(), request.target.decode("latin-1"), dict(request.headers))
        refused = self._handler.refusal(head, self._writer.get_extra_info("peercert"))
        if refused is not None:
            return refused
        if int(head.headers.get(b"content-length", b"0")) > self._bounds.body:
            return self._too_large()
        with self._handler.slot() as free:
            if not free:
                return Answer(503, "too many posts at once", retry=1, close=True)
            async with asyncio.timeout(self._bounds.body_seconds):
                body = await self._body()
            return self._too_large() if body is None else await self._handler.taken(head, body)

    def _too_large(self) -> Answer:
        return Answer(413, f"a body of more than {self._bounds.body:,} bytes", close=True)

    async def _body(self) -> bytes | None:
        """None where it is more than is read."""
        if self._http.they_are_waiting_for_100_continue:
            await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
        parts, size = list[bytes](), 0
        while isinstance(event := await self._event(), h11.Data):
            size += len(event.data)
            if size > self._bounds.body:
                return None
            parts.append(bytes(event.data))
        return b"".join(parts)

    async def _event(self) -> h11.Event | None:
        """The next one; None where a peer asks for more before it was answered."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_CHUNK))
        return None if isinstance(event, type) else event

    async def _send(self, answer: Answer) -> None:
        self._handler.answered(answer)
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        text = f"{answer.why}\n".encode()
        headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text)))]
        headers += [("retry-after", str(answer.retry))] if answer.retry else []
        headers += [("www-authenticate", "Bearer")] if answer.status == 401 else []
        headers += [("connection", "close")] if answer.close else []
        said = self._http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        said += self._http.send(h11.Data(data=text)) or b""
        await self._write(said + (self._http.send(h11.EndOfMessage()) or b""))

    async def _write(self, data: bytes | None) -> None:
        self._writer.write(data or b"")
        async with asyncio.timeout(self._bounds.head_seconds):
            await self._writer.drain()

    async def _linger(self) -> None:
        left = _LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0 and (thrown := await self._reader.read(_CHUNK)):
                    left -= len(thrown)
