"""The three sockets, each its own gRPC server with the services that may be called there.

| socket | who gets in | services |
|---|---|---|
| mTLS | a certificate of our CA; its kind decides which service | Sidecar, Operator, health, reflection |
| enrolment | anybody, over TLS | Enrolment, health |
| unix | whom the file's permissions let (its owner) | Operator, health, reflection |
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from controlplane.address import UNIX_PATH_MAX, Address
from controlplane.pki.authority import Authority, Credentials
from controlplane.pki.identity import OperatorPeer, SidecarPeer
from controlplane.serve.activity import Activity
from controlplane.serve.enrolment import Enrolment
from controlplane.serve.guard import Allowed, Guard
from controlplane.serve.hub import Hub
from controlplane.serve.operators import Operators, Reachable, certified_caller
from controlplane.serve.sidecars import Sidecars
from controlplane.serve.stream import DEFAULT_SETTINGS, StreamSettings
from inscope.v1 import enrolment_pb2_grpc, operator_pb2_grpc, sidecar_pb2_grpc

SIDECAR, OPERATOR, ENROLMENT = "inscope.v1.Sidecar", "inscope.v1.Operator", "inscope.v1.Enrolment"
ALLOWED: Allowed = {SIDECAR: SidecarPeer, OPERATOR: OperatorPeer}

MAX_MESSAGE = 16 << 20
"""A survey of 100,000 paths is the largest message a sidecar sends: about 10 MiB."""

MAX_STRANGER_MESSAGE = 64 << 10
MAX_STRANGERS = 64
"""Enrolments under way at once."""

OPTIONS = (
    ("grpc.so_reuseport", 0),  # it is on by default: a taken port would be shared without a word
    ("grpc.max_concurrent_streams", 128),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Not `min_recv_ping_interval…`, which is ignored and ends in "Too many pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


class CannotListenError(Exception):
    """A socket could not be opened: its address is taken, not ours, or not usable. The message says which."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where to listen."""

    stream: Address
    enrolment: Address
    unix: Path


class ControlPlane:
    """Serves from `start` to `stop`; `sockets` has the ports that were really taken."""

    def __init__(
        self,
        hub: Hub,
        authority: Authority,
        credentials: Credentials,
        sockets: Sockets,
        *,
        owner: str,
        settings: StreamSettings = DEFAULT_SETTINGS,
    ) -> None:
        """Open the sockets; nothing is answered yet. `owner` is who the unix socket belongs to.

        Raises:
            CannotListenError: one of them cannot be opened.
        """
        self.activity = Activity()
        self._hub = hub
        self._authority = authority
        self._settings = settings
        self._closing = asyncio.Event()
        self._mutual = self._server(MAX_MESSAGE, ALLOWED)
        self._strangers = self._server(MAX_STRANGER_MESSAGE, None, MAX_STRANGERS)
        self._local = self._server(MAX_MESSAGE, None)
        self._health = health.aio.HealthServicer()
        self.sockets = self._listen(sockets, credentials)
        self._register(owner)

    async def start(self) -> None:
        """Begin to answer."""
        for service in ("", SIDECAR, OPERATOR, ENROLMENT):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        for server in self._servers:
            await server.start()

    async def stop(self, grace: float = 2.0) -> None:
        """End the streams, let other calls finish within `grace` seconds, and close the sockets."""
        await self._health.enter_graceful_shutdown()
        self._closing.set()
        await asyncio.gather(*(server.stop(grace) for server in self._servers))
        self.sockets.unix.unlink(missing_ok=True)

    @property
    def _servers(self) -> Sequence[grpc.aio.Server]:
        return self._mutual, self._strangers, self._local

    def _server(self, largest: int, allowed: Allowed | None, calls: int | None = None) -> grpc.aio.Server:
        return grpc.aio.server(
            interceptors=[Guard(self.activity, self._closing, allowed)],
            options=[*OPTIONS, ("grpc.max_receive_message_length", largest), ("grpc.max_send_message_length", -1)],
            maximum_concurrent_rpcs=calls,
        )

    def _listen(self, sockets: Sockets, credentials: Credentials) -> Sockets:
        pair = [(credentials.key_pem, credentials.chain_pem)]
        mutual = grpc.ssl_server_credentials(pair, self._authority.bundle_pem, require_client_auth=True)
        stream = _bind_tls(self._mutual, sockets.stream, mutual)
        enrolment = _bind_tls(self._strangers, sockets.enrolment, grpc.ssl_server_credentials(pair))
        _bind_unix(self._local, sockets.unix)
        return Sockets(stream, enrolment, sockets.unix)

    def _register(self, owner: str) -> None:
        ports = self.sockets.stream.port, self.sockets.enrolment.port
        reachable = Reachable(*ports, self._authority.bundle_pem)
        sidecar_pb2_grpc.add_SidecarServicer_to_server(Sidecars(self._hub, self._settings), self._mutual)
        certified = Operators(self._hub, reachable, certified_caller)
        operator_pb2_grpc.add_OperatorServicer_to_server(certified, self._mutual)
        local = Operators(self._hub, reachable, lambda context: owner)
        operator_pb2_grpc.add_OperatorServicer_to_server(local, self._local)
        enrolment_pb2_grpc.add_EnrolmentServicer_to_server(Enrolment(self._hub, self._authority), self._strangers)
        for server in self._servers:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        for server, names in ((self._mutual, (SIDECAR, OPERATOR)), (self._local, (OPERATOR,))):
            reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)


def _bind_tls(server: grpc.aio.Server, address: Address, credentials: grpc.ServerCredentials) -> Address:
    try:
        port = server.add_secure_port(str(address), credentials)
    except RuntimeError as error:
        raise CannotListenError(
            f"cannot listen on {address}: it is taken, or not an address of this machine"
        ) from error
    return Address(address.host, port)


def _bind_unix(server: grpc.aio.Server, path: Path) -> None:
    if len(os.fsencode(path)) > UNIX_PATH_MAX:
        raise CannotListenError(f"the path of {path} is too long for a unix socket ({UNIX_PATH_MAX} bytes)")
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        raise CannotListenError(f"cannot listen on {path}") from error
    path.chmod(0o600)  # the folder is 0700: nobody got in before this
