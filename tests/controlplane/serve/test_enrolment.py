"""From a one-time token to a certificate, and everything that does not lead there."""

from __future__ import annotations

import time

import grpc
import pytest
from cryptography import x509

from controlplane.serve.enrolment import BURST
from inscope.v1 import enrolment_pb2, operator_pb2, words_pb2
from tests.controlplane.serve.plane import Running, csr, refused

WORKLOAD = words_pb2.Workload(cluster="eu", namespace="prod", kind="Deployment", name="agent")


async def token_for(running: Running) -> operator_pb2.JoinToken:
    return await running.operator().CreateJoinToken(operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD))


async def test_a_token_becomes_a_certificate_for_its_instance_and_workload(running: Running) -> None:
    token = await token_for(running)
    answer = await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr()))
    leaf, ca = x509.load_pem_x509_certificates(answer.certificate_pem)
    leaf.verify_directly_issued_by(ca)
    (name,) = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    expected = f"spiffe://inscope.local/cluster/eu/workload/prod/Deployment/agent/instance/{token.instance}"
    assert name.value == expected
    assert (answer.instance, answer.workload) == (token.instance, WORKLOAD)
    assert answer.not_after == pytest.approx(time.time() + 86_400, abs=5)
    assert (token.server_name, answer.trust_bundle_pem) == ("inscope-controlplane", token.trust_bundle_pem)


async def test_a_token_is_good_once(running: Running) -> None:
    token = await token_for(running)
    request = enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr())
    await running.enrolment().Enrol(request)
    with refused(grpc.StatusCode.PERMISSION_DENIED, "was used already"):
        await running.enrolment().Enrol(request)


@pytest.mark.parametrize("token", ["", "guess", "x" * 10_000])
async def test_an_unknown_token_is_refused(running: Running, token: str) -> None:
    with refused(grpc.StatusCode.PERMISSION_DENIED, "the join token is unknown"):
        await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token, csr_der=csr()))


async def test_a_bad_request_does_not_use_up_the_token(running: Running) -> None:
    token = await token_for(running)
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "not valid PKCS#10"):
        await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=b"\x30\x00"))
    await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr()))


async def test_a_stranger_cannot_send_much(running: Running) -> None:
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(csr_der=bytes(100_000)))


async def test_a_flood_of_attempts_is_slowed(running: Running) -> None:
    stub = running.enrolment()
    codes = set()
    for _ in range(int(BURST) + 50):
        try:
            await stub.Enrol(enrolment_pb2.EnrolRequest(join_token="guess"))
        except grpc.aio.AioRpcError as error:
            codes.add(error.code())
    assert codes == {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}


async def test_an_enrolled_workload_is_known_before_its_first_stream(running: Running) -> None:
    token = await token_for(running)
    await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr()))
    (summary,) = (await running.operator().ListWorkloads(operator_pb2.ListWorkloadsRequest())).workloads
    assert (summary.workload, summary.instances, summary.live_instances) == (WORKLOAD, 1, 0)
