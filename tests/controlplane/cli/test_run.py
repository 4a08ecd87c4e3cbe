"""What `run` settles with the control plane before it hands over, and that nothing runs where it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import grpc
import pytest

from controlplane.cli.commands import run
from controlplane.cli.handover import parse_environment
from controlplane.cli.run_folder import (
    DELIVERABLE_SECONDS,
    KEPT_SECONDS,
    left_behind,
    make_run_folder,
    sweep,
)
from controlplane.cli.watcher import denies, join_document
from inscope.mode import Mode
from inscope.v1 import operator_pb2 as pb
from inscope.v1 import words_pb2
from inscope.workload import Workload
from tests.fakes.operator import FakeOperator, modes_asked, summary_of

AGENT = Workload("local", "Process", "agent")


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Where a run would become inscope-init: what it would be given. No sidecar is started."""
    given: list[list[str]] = []

    def become(program: Path, arguments: list[str], _: object) -> None:
        given.append([str(program), *arguments])
        raise OSError(2, "stops here")

    monkeypatch.setattr(run, "become", become)
    monkeypatch.setattr("controlplane.cli.watcher.start_detached", lambda *_, **__: None)
    monkeypatch.setenv("INSCOPE_INIT", "/bin/true")
    return given


def test_a_new_workload_begins_as_its_token_says(
    operator: FakeOperator, state: Path, handed_over: list[list[str]]
) -> None:
    from controlplane.cli.__main__ import main

    main(["run", "--state", str(state), "--name", "agent", "--writes", "all", "--", "cmd", "--", "-x"])
    (asked,) = operator.asked
    assert isinstance(asked, pb.CreateJoinTokenRequest)
    assert (asked.workload.name, asked.mode) == ("agent", 0)
    ((init, front, option, socket, *rest),) = handed_over
    assert (init, front, option) == ("/bin/true", "--front", "--socket")
    assert socket.startswith(str(state / "run"))
    assert rest == ["--reads", "watched", "--writes", "all", "--", "cmd", "--", "-x"]


def started(state: Path, *options: str) -> int:
    from controlplane.cli.__main__ import main

    return main(["run", "--state", str(state), "--name", "agent", *options, "--", "cmd"])


def test_a_new_workload_does_not_begin_in_detect_unless_forced(
    operator: FakeOperator, state: Path, handed_over: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(state, "--mode", "detect") == 125
    assert "observe it first" in capsys.readouterr().err
    assert handed_over == []
    started(state, "--mode", "detect", "--force")
    (asked,) = operator.asked
    assert isinstance(asked, pb.CreateJoinTokenRequest)
    assert asked.mode == 2
    assert len(handed_over) == 1


def test_a_known_workload_is_brought_to_the_mode(
    operator: FakeOperator, state: Path, handed_over: list[list[str]]
) -> None:
    operator.summaries = [summary_of(AGENT, Mode.OBSERVE)]
    started(state, "--mode", "detect", "--force")
    assert modes_asked(operator.asked) == [(Mode.DETECT, True)]
    assert len(handed_over) == 1


def test_a_mode_that_already_is_is_not_asked_for(
    operator: FakeOperator, state: Path, handed_over: list[list[str]]
) -> None:
    operator.summaries = [summary_of(AGENT, Mode.DETECT)]
    started(state, "--mode", "detect")
    assert modes_asked(operator.asked) == []
    assert len(handed_over) == 1


def test_a_gate_that_is_not_met_means_that_nothing_runs(
    operator: FakeOperator, state: Path, handed_over: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    operator.summaries = [summary_of(AGENT, Mode.OBSERVE)]
    operator.refusal = (grpc.StatusCode.FAILED_PRECONDITION, "seen for half a day of 14")
    assert started(state, "--mode", "detect") == 125
    err = capsys.readouterr().err
    assert "seen for half a day of 14" in err
    assert "Nothing was run." in err
    assert handed_over == []


def test_a_new_workload_is_enforced_only_by_force(
    operator: FakeOperator, state: Path, handed_over: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(state, "--mode", "enforce") == 125
    assert "is new and has learned nothing" in capsys.readouterr().err
    assert handed_over == []


def test_without_init_nothing_runs(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSCOPE_INIT", "/nonexistent")
    assert started(state) == 125


def test_a_run_whose_sidecar_does_not_start_takes_its_announcement_back(
    operator: FakeOperator, state: Path, handed_over: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "run").write_text("in the way of the run's folder")
    assert started(state) == 125
    assert "Nothing was run." in capsys.readouterr().err
    assert handed_over == []
    announced, withdrawn = operator.asked
    assert isinstance(announced, pb.CreateJoinTokenRequest)
    assert isinstance(withdrawn, pb.WithdrawJoinTokenRequest)
    assert withdrawn.token == "once"


def test_the_join_file_has_what_the_sidecar_reads() -> None:
    token = pb.JoinToken(
        token="once", enrolment_port=1, stream_port=2, trust_bundle_pem=b"pem", server_name="cp", instance="i-1"
    )
    assert join_document(token, AGENT, "127.0.0.1") == {
        "token": "once",
        "host": "127.0.0.1",
        "enrolment_port": 1,
        "stream_port": 2,
        "trust_bundle_pem": "pem",
        "server_name": "cp",
        "instance": "i-1",
        "workload": "local/Process/agent",
        "mode": "observe",
        "containment": "free",
    }


@pytest.mark.parametrize(
    ("token", "refuses"),
    [
        (pb.JoinToken(), False),
        (pb.JoinToken(mode=words_pb2.MODE_DETECT), False),
        (pb.JoinToken(mode=words_pb2.MODE_ENFORCE), True),
        (pb.JoinToken(mode=words_pb2.MODE_OBSERVE, containment=words_pb2.CONTAINMENT_QUARANTINED), True),
    ],
)
def test_who_is_enforced_or_contained_is_so_before_a_sidecar_says_it(token: pb.JoinToken, refuses: bool) -> None:
    assert denies(token) is refuses


def test_each_run_has_a_folder_of_its_own_for_nobody_else(tmp_path: Path) -> None:
    first, second = make_run_folder(tmp_path), make_run_folder(tmp_path)
    assert first.path != second.path
    assert first.path.stat().st_mode & 0o777 == 0o700
    assert len(str(first.socket)) - len(str(tmp_path)) < 30


def test_the_folder_of_a_run_that_is_over_is_swept_away(tmp_path: Path) -> None:
    ended, live, undelivered = (make_run_folder(tmp_path) for _ in range(3))
    (undelivered.path / "spool").mkdir()
    (undelivered.path / "spool" / "0000000000000001.seg").write_bytes(b"a batch")
    later = ended.path.stat().st_ctime + KEPT_SECONDS + 1
    os.close(ended.lock)
    os.close(undelivered.lock)
    sweep(tmp_path, later - 2)
    assert ended.path.exists(), "its log may be wanted"
    sweep(tmp_path, later)
    assert [folder.path.exists() for folder in (ended, live, undelivered)] == [False, True, True]


@pytest.mark.parametrize(
    ("block", "parsed"),
    [
        (b"A=1\0B=x=y\0", {b"A": b"1", b"B": b"x=y"}),
        (b"A=1\0A=2\0", {b"A": b"1"}),
        (b"E=\0\xff=\xfe\0", {b"E": b"", b"\xff": b"\xfe"}),
        (b"no equals\0=no name\0", {}),
        (b"", {}),
    ],
)
def test_the_environment_is_read_byte_for_byte(block: bytes, parsed: dict[bytes, bytes]) -> None:
    assert parse_environment(block) == parsed


def test_what_a_run_could_not_deliver_is_found_for_a_day(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path)
    (folder.path / "0000000000000001.seg").write_bytes(b"a batch")
    made = folder.path.stat().st_ctime
    assert left_behind(tmp_path, made + 1) == [], "its sidecar lives"
    os.close(folder.lock)
    assert left_behind(tmp_path, made + DELIVERABLE_SECONDS + 1) == []
    (found,) = left_behind(tmp_path, made + 1)
    assert found.path == folder.path
    assert left_behind(tmp_path, made + 1) == [], "it is held by whoever found it"
