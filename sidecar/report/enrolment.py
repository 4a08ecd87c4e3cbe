"""From a join token to a certificate: one call, over TLS in which only the control plane shows one."""

from __future__ import annotations

import grpc

from inscope.v1 import enrolment_pb2 as pb
from inscope.v1 import enrolment_pb2_grpc as rpc
from sidecar.report.channel import server_options
from sidecar.report.credentials import Credentials
from sidecar.report.join import Join

TIMEOUT_S = 10.0


class EnrolmentRefusedError(Exception):
    """The control plane will not enrol us with this token: asking again does not help."""


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
