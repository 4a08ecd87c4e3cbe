"""Who gets in on which socket, and what is told to whom: real TLS on loopback."""

from __future__ import annotations

import socket
import stat
import time
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from controlplane.address import Address
from controlplane.pki.authority import create_authority
from controlplane.pki.identity import OperatorPeer, SidecarPeer
from controlplane.serve.control_plane import CannotListenError
from inscope.v1 import enrolment_pb2, operator_pb2
from inscope.v1.enrolment_pb2_grpc import EnrolmentStub
from inscope.v1.operator_pb2_grpc import OperatorStub
from inscope.v1.sidecar_pb2_grpc import SidecarStub
from tests.controlplane.serve.plane import INSTANCE, Running, Stream, refused, serving
from tests.controlplane.serve.wire import hello

LIST = operator_pb2.ListWorkloadsRequest()
SERVING = health_pb2.HealthCheckResponse.SERVING


async def test_an_operators_certificate_opens_the_operator_service(running: Running) -> None:
    assert list((await running.certified_operator().ListWorkloads(LIST)).workloads) == []


async def test_a_sidecars_certificate_does_not(running: Running) -> None:
    operator = OperatorStub(running.mutual(SidecarPeer(INSTANCE)))
    with refused(grpc.StatusCode.PERMISSION_DENIED, "a certificate of a sidecar may not call inscope.v1.Operator"):
        await operator.ListWorkloads(LIST)


async def test_an_operators_certificate_opens_no_stream(running: Running) -> None:
    stream = Stream(SidecarStub(running.mutual(OperatorPeer("ada"))).Stream())
    assert await stream.end() == (
        grpc.StatusCode.PERMISSION_DENIED,
        "a certificate of an operator may not call inscope.v1.Sidecar",
    )


async def test_a_certificate_of_another_ca_gets_no_connection(running: Running) -> None:
    operator = OperatorStub(running.mutual(OperatorPeer("mallory"), authority=create_authority(time.time())))
    with refused(grpc.StatusCode.UNAVAILABLE):
        await operator.ListWorkloads(LIST)


async def test_an_expired_certificate_gets_no_connection(running: Running) -> None:
    yesterday = time.time() - timedelta(days=1).total_seconds()
    with refused(grpc.StatusCode.UNAVAILABLE):
        await OperatorStub(running.mutual(OperatorPeer("ada"), at=yesterday)).ListWorkloads(LIST)


async def test_no_certificate_gets_no_connection(running: Running) -> None:
    stranger = running.dial(running.plane.sockets.stream, grpc.ssl_channel_credentials(running.authority.bundle_pem))
    with refused(grpc.StatusCode.UNAVAILABLE):
        await OperatorStub(stranger).ListWorkloads(LIST)


async def test_plain_text_gets_no_connection(running: Running) -> None:
    plain = running.keep(grpc.aio.insecure_channel(str(running.plane.sockets.stream)))
    with refused(grpc.StatusCode.UNAVAILABLE):
        await OperatorStub(plain).ListWorkloads(LIST)


async def test_a_client_that_trusts_another_ca_does_not_talk_to_us(running: Running) -> None:
    other = create_authority(time.time())
    channel = running.dial(running.plane.sockets.enrolment, grpc.ssl_channel_credentials(other.bundle_pem))
    with refused(grpc.StatusCode.UNAVAILABLE):
        await EnrolmentStub(channel).Enrol(enrolment_pb2.EnrolRequest())


async def test_a_stranger_finds_nothing_but_enrolment_and_health(running: Running) -> None:
    stranger = running.dial(running.plane.sockets.enrolment, grpc.ssl_channel_credentials(running.authority.bundle_pem))
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        await OperatorStub(stranger).ListWorkloads(LIST)
    assert (await Stream(SidecarStub(stranger).Stream()).end())[0] == grpc.StatusCode.UNIMPLEMENTED
    check = health_pb2_grpc.HealthStub(stranger).Check(health_pb2.HealthCheckRequest())
    assert (await check).status == SERVING


async def test_enrolment_is_not_offered_on_the_other_sockets(running: Running) -> None:
    for channel in (running.mutual(SidecarPeer(INSTANCE)), local_channel(running)):
        with refused(grpc.StatusCode.UNIMPLEMENTED):
            await EnrolmentStub(channel).Enrol(enrolment_pb2.EnrolRequest())


async def test_health_answers_for_each_service(running: Running) -> None:
    for service in ("", "inscope.v1.Operator", "inscope.v1.Sidecar"):
        for channel in (running.mutual(OperatorPeer("ada")), local_channel(running)):
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == SERVING


async def test_reflection_lists_what_a_socket_serves(running: Running) -> None:
    assert await reflected(local_channel(running)) == {
        "inscope.v1.Operator",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert "inscope.v1.Sidecar" in await reflected(running.mutual(OperatorPeer("ada")))


async def test_only_the_owner_can_reach_the_unix_socket(running: Running) -> None:
    mode = running.plane.sockets.unix.stat().st_mode
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)


async def test_a_taken_port_is_an_error_and_not_shared(running: Running, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(CannotListenError, match=str(running.plane.sockets.stream.port)):
        async with serving(other, listen=running.plane.sockets.stream):
            pass


async def test_a_port_that_somebody_else_took_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotListenError, match="is taken"):
        async with serving(tmp_path, listen=Address("127.0.0.1", taken.getsockname()[1])):
            pass


async def test_a_path_too_long_for_a_socket_says_so(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    with pytest.raises(CannotListenError, match="too long"):
        async with serving(deep):
            pass


async def test_stopping_ends_streams_with_the_reason_and_removes_the_socket(running: Running) -> None:
    stream = await running.stream()
    await running.plane.stop()
    assert await stream.end() == (grpc.StatusCode.UNAVAILABLE, "the control plane is shutting down")
    assert not running.plane.sockets.unix.exists()


async def test_a_stream_is_activity_and_health_is_not(running: Running) -> None:
    activity = running.plane.activity
    await health_pb2_grpc.HealthStub(local_channel(running)).Check(health_pb2.HealthCheckRequest())
    assert not activity.under_way
    stream = Stream(running.sidecar().Stream())
    await stream.send(hello())
    await stream.next("welcome")
    assert activity.under_way == 1


def local_channel(running: Running) -> grpc.aio.Channel:
    return running.keep(grpc.aio.insecure_channel(f"unix:{running.plane.sockets.unix}"))


async def reflected(channel: grpc.aio.Channel) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    await call.done_writing()
    answer = await call.read()
    return {service.name for service in answer.list_services_response.service}
