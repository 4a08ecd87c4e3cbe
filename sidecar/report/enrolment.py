"""From a join token to a certificate: a key and a signing request from a worker process, then one call.

The worker is started as early as possible, so that its imports overlap with ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress

import grpc
from inscope.v1 import enrolment_pb2 as pb
from inscope.v1 import enrolment_pb2_grpc as rpc

from sidecar.report.channel import server_options
from sidecar.report.credentials import Credentials
from sidecar.report.join import Join

MAX_ANSWER = 64 << 10
TIMEOUT_S = 10.0


class EnrolmentRefusedError(Exception):
    """The control plane will not enrol us with this token: asking again does not help."""


class KeyMakingError(Exception):
    """The worker made no key: the installation is at fault, the message holds what it wrote."""


class KeyWorker:
    """A running `sidecar.report.enrolment_worker`."""

    def __init__(self) -> None:
        """Start it; nothing is awaited."""
        self._output, theirs = os.pipe()
        flags = ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *flags, "-m", "sidecar.report.enrolment_worker"],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, theirs, 1),
                ],
            )
        finally:
            os.close(theirs)

    async def key_and_request(self) -> tuple[bytes, bytes]:
        """The key (PEM) and the signing request (DER).

        Raises:
            KeyMakingError: the worker failed.
        """
        try:
            answer = await _read_all(self._output)
        finally:
            os.close(self._output)
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)  # noqa: ASYNC222 -- its output has ended, so it is ending now
        try:
            fields = json.loads(answer)
            return fields["key"].encode(), bytes.fromhex(fields["csr"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyMakingError(f"no key was made (see the lines above): {error}") from error


async def _read_all(descriptor: int) -> bytes:
    """Read a pipe to its end without a thread."""
    os.set_blocking(descriptor, False)
    loop, collected = asyncio.get_running_loop(), b""
    while len(collected) <= MAX_ANSWER:
        readable = asyncio.Event()
        loop.add_reader(descriptor, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(descriptor)
        piece = os.read(descriptor, MAX_ANSWER)
        if not piece:
            break
        collected += piece
    return collected


async def enrol(join: Join, key_pem: bytes, csr_der: bytes) -> Credentials:
    """Buy a certificate with the join token.

    Raises:
        EnrolmentRefusedError: the token or the request is not acceptable.
        grpc.aio.AioRpcError: the control plane could not be asked; asking again may help.
    """
    trust = grpc.ssl_channel_credentials(root_certificates=join.trust_bundle_pem)
    target = f"{join.host}:{join.enrolment_port}"
    async with grpc.aio.secure_channel(target, trust, options=server_options(join.server_name)) as channel:
        request = pb.EnrolRequest(join_token=join.token, csr_der=csr_der)
        try:
            response = await rpc.EnrolmentStub(channel).Enrol(request, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT):
                raise EnrolmentRefusedError(error.details()) from error
            raise
    if response.instance != join.instance:
        raise EnrolmentRefusedError(f"the certificate is for instance {response.instance!r}, not {join.instance!r}")
    return Credentials(
        key_pem, response.certificate_pem, response.trust_bundle_pem, response.not_after, response.instance
    )
