"""The HTTPS endpoint that an API server posts its audit events to (`--audit-webhook-config-file`).

A post is answered with 200 once its events were taken. Until then the API server keeps them, and sends them again where
it is told to come back (429 and 5xx). It does no attribution.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.sources.audit.credentials import Admission, Credentials
from controlplane.sources.audit.posted import TooLargeError, exercises_of, unpacked
from controlplane.sources.audit.posts import Answer, Bounds, Connection, Head
from controlplane.sources.audit.recent import Recent
from controlplane.sources.audit.telling import Telling
from controlplane.sources.audit.translate import Translation
from inscope.exercise import Exercise, LogCoverage

LOG = logging.getLogger(__name__)

Take = Callable[[Sequence[Exercise], LogCoverage], Awaitable[None]]
"""What becomes of a post: when it returns, its events are kept. The coverage is of this post alone."""

MAX_REASONS = 100
"""Different reasons that are counted apart."""

_DEFAULT_TRANSLATION, _DEFAULT_BOUNDS = Translation(), Bounds()


class BusyError(Exception):
    """Raised by a `Take` that cannot keep more now; the API server is told to come back after `seconds`."""

    def __init__(self, seconds: int = 1) -> None:
        super().__init__(f"come back in {seconds} s")
        self.seconds = seconds


@dataclass(slots=True)
class Counted:
    """What was answered, by status; events that were taken, and that had been before; what was not understood or says
    nothing of a permission, by the reason. `turned_away` are connections beyond the bound.
    """

    answers: Counter[int] = field(default_factory=Counter)
    turned_away: int = 0
    events: int = 0
    duplicates: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)


def tls(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """A server's context. Certificates that the authority in `clients` signed are accepted, and not demanded: a token
    may be shown instead.

    Raises:
        OSError: a file cannot be read, or holds no certificate (`ssl.SSLError`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


class AuditEndpoint:
    """Serves from `start` to `close`. `scope` is the name of the cluster whose API servers post here."""

    def __init__(
        self,
        scope: str,
        take: Take,
        credentials: Credentials,
        context: ssl.SSLContext,
        translation: Translation = _DEFAULT_TRANSLATION,
        bounds: Bounds = _DEFAULT_BOUNDS,
    ) -> None:
        self.counted = Counted()
        self._scope, self._take = scope, take
        self._credentials, self._context = credentials, context
        self._translation, self._bounds = translation, bounds
        self._recent = Recent()
        self._taking = asyncio.Lock()  # two posts of the same events must not pass each other
        self._held = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, which is a free one where `port` is 0.

        Raises:
            OSError: the address cannot be had.
        """
        self._server = await asyncio.start_server(
            self._connected, host, port, ssl=self._context, ssl_handshake_timeout=self._bounds.head_seconds
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more, let what is being taken be taken, and hang up."""
        if self._server is not None:
            self._server.close()
        async with self._taking:
            for connection in self._connections:
                connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= self._bounds.connections:
            self.counted.turned_away += 1
            writer.close()
            return
        self._connections.add(task)
        try:
            with suppress(OSError, TimeoutError, asyncio.CancelledError):  # it hung up, it was too slow, or we hang up
                await Connection(reader, writer, self, self._bounds).serve()
        finally:
            self._connections.discard(task)
            writer.close()

    # What a connection asks -------------------------------------------------------------------------------------------

    def refusal(self, head: Head, certificate: dict[str, object] | None) -> Answer | None:
        """Who nobody knows learns nothing else."""
        match self._credentials.admit(head.headers.get(b"authorization", b""), certificate):
            case Admission.UNKNOWN:
                return Answer(401, "audit events are taken from those who show a token or a certificate", close=True)
            case Admission.REFUSED:
                return Answer(403, "this certificate may not post audit events", close=True)
        if head.path.partition("?")[0] != self._bounds.path:
            return Answer(404, f"audit events are posted to {self._bounds.path}", close=True)
        if head.method != "POST":
            return Answer(405, "audit events are posted", close=True)
        if head.headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b"gzip"):
            return Answer(415, "as they are, or as gzip", close=True)
        return None

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """One of those that may be busy at once."""
        if self._held >= self._bounds.at_once:
            yield False
            return
        self._held += 1
        try:
            yield True
        finally:
            self._held -= 1

    def answered(self, answer: Answer) -> None:
        """Count it."""
        self.counted.answers[answer.status] += 1

    async def taken(self, head: Head, body: bytes) -> Answer:
        """Read a body and hand on what it tells, each event once."""
        if head.headers.get(b"content-encoding", b"").lower() == b"gzip":
            try:
                body = await asyncio.to_thread(unpacked, body, self._bounds.body)
            except TooLargeError as fault:
                return Answer(413, str(fault))
            except zlib.error as fault:
                return Answer(400, f"no gzip: {fault}")
        async with self._taking:
            return await self._handed_on(body)

    async def _handed_on(self, content: bytes) -> Answer:
        telling = Telling(self._scope, self._translation, self._recent)
        told = await exercises_of(content, telling)
        coverage = telling.coverage()
        self._count(telling, coverage)
        if coverage.malformed and not (coverage.events or coverage.unmapped or telling.duplicates):
            return Answer(400, "; ".join(telling.faults))
        if coverage.events:
            try:
                await self._take(told, coverage)
            except BusyError as busy:
                return Answer(429, str(busy), retry=busy.seconds)
            except Exception:
                LOG.exception("audit events could not be taken; the API server will send them again")
                return Answer(500, "they could not be taken", retry=5)
        self._recent.update(telling.recent)
        self.counted.events += coverage.events
        return Answer(200, "taken")

    def _count(self, telling: Telling, coverage: LogCoverage) -> None:
        self.counted.duplicates += telling.duplicates
        for counter, more in ((self.counted.faults, telling.faults), (self.counted.unmapped, coverage.unmapped)):
            for reason, count in more.items():
                counter[reason if reason in counter or len(counter) < MAX_REASONS else "…"] += count
