"""From a join token to a stream: real key worker, real TLS, real certificates."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import stat
import time

import pytest

from inscope.workload import InstanceId, Workload
from sidecar.report.credentials import Credentials, load_credentials, save_credentials
from sidecar.report.join import JoinError, read_join
from sidecar.report.outbox import Outbox
from sidecar.report.reporter import Reporter
from sidecar.report.spool import Spool
from sidecar.report.uplink import Uplink
from tests.fakes.certificates import Authority
from tests.fakes.control_plane import FakeControlPlane

KEPT = Credentials(b"key", b"certificate", b"ca", 5.0, "i-1")


@pytest.fixture
async def control():
    fake = FakeControlPlane(Authority())
    await fake.start()
    yield fake
    await fake.stop()


def join_file(tmp_path, fields):
    path = tmp_path / "join.json"
    path.write_text(json.dumps(fields))
    return path


@contextlib.asynccontextmanager
async def uplink(tmp_path, control, **changes):
    lines: list[str] = []
    join = read_join(join_file(tmp_path, control.join_fields() | changes))
    spool = Spool(tmp_path / "spool", lambda: "e")
    reporter = Reporter(join.instance, Outbox(), spool, asyncio.get_running_loop(), time.time, lines.append)
    way = Uplink(join, reporter, tmp_path / "credentials.json", time.time, lambda: 0.5, lines.append)
    task = asyncio.create_task(way.run(None))
    try:
        yield task, lines
    finally:
        task.cancel()


async def test_a_token_buys_an_identity_that_a_second_sidecar_uses_again(tmp_path, control):
    async with uplink(tmp_path, control):
        await control.until(lambda heard: len(heard.hellos) == 1)
    assert control.tokens == set()
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    async with uplink(tmp_path, control):
        await control.until(lambda heard: len(heard.hellos) == 2)


async def test_a_token_that_was_used_is_said_and_not_tried_again(tmp_path, control):
    control.tokens.clear()
    async with uplink(tmp_path, control) as (task, lines):
        await asyncio.wait_for(task, 10)
        assert "refused to enrol" in lines[0]
        assert "the join token was used" in lines[0]


async def test_a_control_plane_that_is_not_there_is_asked_again(tmp_path, control):
    await control.stop()
    async with uplink(tmp_path, control, enrolment_port=1) as (task, lines):
        async with asyncio.timeout(10):
            while not lines:
                await asyncio.sleep(0.01)
        assert "enrolment: the control plane at 127.0.0.1:1 cannot be reached" in lines[0]
        assert not task.done()


async def test_a_certificate_for_somebody_else_is_not_used(tmp_path, control):
    async with uplink(tmp_path, control, instance="i-2") as (task, lines):
        await asyncio.wait_for(task, 10)
        assert "not 'i-2'" in lines[0]


def test_credentials_are_kept_for_their_instance_only(tmp_path):
    path = tmp_path / "c.json"
    save_credentials(path, KEPT)
    assert load_credentials(path, "i-1") == KEPT
    assert load_credentials(path, "i-2") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": 1}', "\x00", "null"])
def test_credentials_that_are_none_are_like_no_credentials(tmp_path, content):
    (tmp_path / "c.json").write_text(content)
    assert load_credentials(tmp_path / "c.json", "i-1") is None


FIELDS = {
    "token": "t",
    "host": "h",
    "enrolment_port": 1,
    "stream_port": 2,
    "trust_bundle_pem": "pem",
    "server_name": "s",
    "instance": "i-1",
    "workload": "local/Process/t",
}


def test_a_join_file_is_read(tmp_path):
    join = read_join(join_file(tmp_path, FIELDS))
    assert (join.instance, join.workload) == (InstanceId("i-1"), Workload("local", "Process", "t"))
    assert join.at("") is join
    assert join.at("other") == dataclasses.replace(join, host="other")


@pytest.mark.parametrize("instance", ["../up", "", "a/b", "a" * 300, ".."])
def test_an_instance_that_is_no_file_name_is_refused(tmp_path, instance):
    with pytest.raises(JoinError):
        read_join(join_file(tmp_path, FIELDS | {"instance": instance}))


@pytest.mark.parametrize("field", FIELDS)
def test_a_join_file_without_a_field_names_it(tmp_path, field):
    fields = {name: value for name, value in FIELDS.items() if name != field}
    with pytest.raises(JoinError, match=field):
        read_join(join_file(tmp_path, fields))


@pytest.mark.parametrize("wrong", [{"stream_port": 0}, {"stream_port": "1"}, {"token": 5}, {"workload": "a/b"}])
def test_a_join_file_with_a_wrong_field_is_refused(tmp_path, wrong):
    with pytest.raises(JoinError):
        read_join(join_file(tmp_path, FIELDS | wrong))


def test_a_missing_join_file_is_told(tmp_path):
    with pytest.raises(JoinError, match="cannot be read"):
        read_join(tmp_path / "none")
