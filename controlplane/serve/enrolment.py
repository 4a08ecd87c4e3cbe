"""The Enrolment service: a one-time token and a key become a certificate. The only thing a stranger may call."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from controlplane.loop import Loop
from controlplane.pki.authority import SIDECAR_LIFETIME, Authority
from controlplane.pki.csr import public_key_of
from controlplane.pki.identity import SidecarPeer
from controlplane.serve.hub import Hub
from controlplane.serve.rate import Rate
from controlplane.serve.status import RefusedError
from controlplane.store.port import JoinTokenRow
from inscope.codec import workload_to_wire
from inscope.v1 import enrolment_pb2 as pb
from inscope.v1.enrolment_pb2_grpc import EnrolmentServicer
from inscope.workload import Instance

MAX_TOKEN = 256
ATTEMPTS_PER_SECOND = 50.0
BURST = 100.0
"""A token has 256 bits and cannot be guessed; this bounds what strangers cost (a signature check: 0.1 ms)."""

Context = grpc.aio.ServicerContext[Any, Any]


def token_sha256(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def introduce(loop: Loop, digest: str, now: float) -> JoinTokenRow | None:
    """Use up the token; its instance is known from now on, and a new workload starts in the token's mode.

    The certificate says nothing of a mode, so this is the last time that anybody can.
    """
    row = loop.redeem_token(digest, now)
    if row:
        loop.enter(Instance(row.instance, row.workload), row.mode, now)
        loop.leave(row.instance, now)
    return row


class Enrolment(EnrolmentServicer):
    """`monotonic` paces the attempts; certificates are dated by the hub's clock."""

    def __init__(self, hub: Hub, authority: Authority, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._authority = authority
        self._monotonic = monotonic
        self._rate = Rate(ATTEMPTS_PER_SECOND, BURST)

    async def Enrol(self, request: pb.EnrolRequest, context: Context) -> pb.EnrolResponse:  # noqa: N802 - the schema's
        """Certify the request's key for the instance that the token was made for."""
        if not self._rate.allow(self._monotonic()):
            raise RefusedError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many enrolments at once; try again in a second")
        # The key first: a request that cannot be signed must not use up the token.
        key = public_key_of(request.csr_der)
        instance = await self._redeem(request.join_token)
        issued = self._authority.sign_peer(SidecarPeer(instance), key, SIDECAR_LIFETIME, self._hub.clock())
        return pb.EnrolResponse(
            certificate_pem=issued.chain_pem,
            trust_bundle_pem=self._authority.bundle_pem,
            not_after=issued.not_after,
            instance=instance.id,
            workload=workload_to_wire(instance.workload),
        )

    async def _redeem(self, token: str) -> Instance:
        row = None
        if 0 < len(token) <= MAX_TOKEN:
            digest, now = token_sha256(token), self._hub.clock()
            row = await self._hub.thread.call(lambda loop: introduce(loop, digest, now))
        if row is None:
            why = "the join token is unknown, was used already, or has expired; ask for a new one"
            raise RefusedError(grpc.StatusCode.PERMISSION_DENIED, why)
        return Instance(row.instance, row.workload)
