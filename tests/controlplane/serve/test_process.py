"""`python -m controlplane` as a process: how it starts, who owns its folder, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controlplane.address import SERVER_NAME
from controlplane.pki.authority import private_pem
from inscope.v1 import enrolment_pb2, operator_pb2, words_pb2
from inscope.v1.enrolment_pb2_grpc import EnrolmentStub
from inscope.v1.operator_pb2_grpc import OperatorStub
from inscope.v1.sidecar_pb2_grpc import SidecarStub
from tests.controlplane.serve.plane import Stream
from tests.controlplane.serve.wire import CONTACT, batch, definition, hello

SECONDS = 20.0
OPTIONS = [("grpc.ssl_target_name_override", SERVER_NAME), ("grpc.use_local_subchannel_pool", 1)]
WORKLOAD = words_pb2.Workload(namespace="local", kind="Process", name="t")

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from controlplane.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


def command(state: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "controlplane", "--state", str(state), *arguments]


@contextmanager
def started(state: Path, *arguments: str, file_size: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that has said that it is ready. `file_size` bounds each file it writes: a disk that gets full."""
    reading, writing = os.pipe()
    begin = [sys.executable, "-c", LIMITED, str(file_size)] if file_size else [sys.executable, "-m", "controlplane"]
    argv = [*begin, "--state", str(state), "--ready-fd", str(writing), *arguments]
    process = subprocess.Popen(argv, pass_fds=[writing], stderr=subprocess.PIPE, text=True)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as ready:
            said = ready.read()
        assert said == b"ready\n", process.communicate(timeout=SECONDS)[1]
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Ask it to end; its exit status and what it logged."""
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=SECONDS)
    return process.returncode, log


def endpoint(state: Path) -> dict[str, str]:
    read: dict[str, str] = json.loads((state / "endpoint.json").read_text())
    return read


async def enrolled(state: Path) -> grpc.ChannelCredentials:
    """Enrol as a new sidecar would: a token from the unix socket, then a certificate for it."""
    async with grpc.aio.insecure_channel(f"unix:{state}/control.sock") as local:
        token = await OperatorStub(local).CreateJoinToken(operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD))
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    der = request.public_bytes(serialization.Encoding.DER)
    strangers = grpc.ssl_channel_credentials(token.trust_bundle_pem)
    async with grpc.aio.secure_channel(endpoint(state)["enrolment"], strangers, options=OPTIONS) as channel:
        answer = await EnrolmentStub(channel).Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=der))
    return grpc.ssl_channel_credentials(token.trust_bundle_pem, private_pem(key), answer.certificate_pem)


@asynccontextmanager
async def welcomed(state: Path, credentials: grpc.ChannelCredentials) -> AsyncIterator[Stream]:
    """A sidecar's stream to the process."""
    async with grpc.aio.secure_channel(endpoint(state)["stream"], credentials, options=OPTIONS) as channel:
        stream = Stream(SidecarStub(channel).Stream())
        await stream.send(hello())
        stream.welcome = (await stream.next("welcome")).welcome
        yield stream


async def fill(stream: Stream) -> int:
    """Tell new things until the store can take no more; the last batch that was acknowledged."""
    try:
        for sequence in range(1, 1_000):
            hosts = (f"host-{sequence}-{number}.example" for number in range(100))
            await stream.send(
                batch(
                    sequence,
                    [
                        definition(100 * sequence + number, replace(CONTACT, host=host))
                        for number, host in enumerate(hosts)
                    ],
                )
            )
            await stream.acknowledged(sequence)
    except (AssertionError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
        code, details = await stream.end()
        assert (code, "the store cannot take it" in details) == (grpc.StatusCode.UNAVAILABLE, True), details
        return sequence - 1
    raise AssertionError("the disk never got full")


def test_it_serves_says_where_and_leaves_nothing_behind(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(state) as process:
        where = endpoint(state)
        assert (int(where["pid"]), where["server_name"]) == (process.pid, SERVER_NAME)
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        private = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*") if not path.is_dir()}
        assert set(private.values()) == {0o600}, private
        status, log = ended(process)
    assert (status, "ending: told to" in log) == (0, True), log
    assert not (state / "endpoint.json").exists()
    assert not (state / "control.sock").exists()


def test_a_second_one_on_the_same_folder_says_who_has_it(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        second = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=SECONDS, check=False)
        assert (second.returncode, f"served by process {first.pid} already" in second.stderr) == (3, True)
        assert first.poll() is None
        assert int(endpoint(tmp_path)["pid"]) == first.pid


def test_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        first.kill()
        first.wait()
        with started(tmp_path) as second:
            assert int(endpoint(tmp_path)["pid"]) == second.pid


def test_a_taken_port_ends_it_at_once(tmp_path: Path) -> None:
    with started(tmp_path / "a"):
        taken = endpoint(tmp_path / "a")["stream"]
        argv = command(tmp_path / "b", "--listen", taken)
        second = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (second.returncode, f"cannot listen on {taken}" in second.stderr) == (1, True), second.stderr


def test_it_ends_when_nobody_uses_it(tmp_path: Path) -> None:
    with started(tmp_path, "--idle-exit", "0.2") as process:
        _, log = process.communicate(timeout=SECONDS)
    assert (process.returncode, "unused for 0.2 s" in log) == (0, True)


@pytest.mark.parametrize(
    ("damage", "why"),
    [("inscope.db", "inscope.db"), ("ca/authority.pem", "damaged")],
)
def test_a_damaged_folder_is_reported_in_one_line(tmp_path: Path, damage: str, why: str) -> None:
    with started(tmp_path) as process:
        ended(process)
    for companion in tmp_path.glob(f"{damage}-*"):
        companion.unlink()
    (tmp_path / damage).write_bytes(b"not what it was" * 100)
    again = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (again.returncode, why in again.stderr, "Traceback" in again.stderr) == (1, True, False), again.stderr


@pytest.mark.parametrize("arguments", [["--listen", "nowhere"], ["--idle-exit", "-1"], []])
def test_bad_arguments_are_usage(tmp_path: Path, arguments: list[str]) -> None:
    state = ["--state", str(tmp_path)] if arguments else []
    argv = [sys.executable, "-m", "controlplane", *state, *arguments]
    assert subprocess.run(argv, capture_output=True, timeout=SECONDS, check=False).returncode == 2


def test_the_log_goes_to_its_file(tmp_path: Path) -> None:
    with started(tmp_path, "--log", str(tmp_path / "cp.log")) as process:
        assert ended(process) == (0, "")
    assert "serving" in (tmp_path / "cp.log").read_text()


def test_strangers_that_speak_no_tls_do_not_fill_the_log(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        for where in [endpoint(tmp_path)[name] for name in ("stream", "enrolment")] * 20:
            host, _, port = where.rpartition(":")
            with socket.create_connection((host, int(port))) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\nHost: you\r\n\r\n")
                stranger.recv(1)  # it hangs up when the handshake has failed
        status, log = ended(process)
    said = [line for line in log.splitlines() if "Handshake failed" in line]
    assert (status, len(said)) == (0, 2), log
    assert "gRPC: 39 more, last: Handshake failed" in said[1]


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with started(tmp_path, file_size=400_000) as process:
        credentials = await enrolled(tmp_path)
        async with welcomed(tmp_path, credentials) as stream:
            acknowledged = await fill(stream)
        status, log = ended(process)
    assert (status, log.count("the store fails")) == (0, 1), log
    with started(tmp_path):
        async with welcomed(tmp_path, credentials) as stream:
            assert 0 < acknowledged == stream.welcome.acknowledged


async def test_a_killed_control_plane_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        credentials = await enrolled(tmp_path)
        async with welcomed(tmp_path, credentials) as stream:
            await stream.send(batch(1, [definition(1)]))
            await stream.acknowledged(1)
            process.kill()
            process.wait()
    with started(tmp_path):
        async with welcomed(tmp_path, credentials) as stream:
            assert stream.welcome.acknowledged == 1
            await stream.send(batch(2, [definition(1)]))
            await stream.acknowledged(2)
