"""What the reading commands print and how they end, over a real channel to a fake control plane."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from inscope.codec import alert_to_wire, finding_to_wire
from inscope.mode import Mode
from inscope.v1 import operator_pb2 as pb
from inscope.v1 import sidecar_pb2, words_pb2
from tests.controlplane.cli.conftest import Inscope
from tests.controlplane.cli.samples import ALERT, FINDING, INVENTORY, WORKLOAD
from tests.fakes.operator import FakeOperator, modes_asked, summary_of

NAME = "support-agent"


def detail(mode: Mode = Mode.OBSERVE) -> pb.WorkloadDetail:
    return pb.WorkloadDetail(
        summary=summary_of(WORKLOAD, mode, instances=1, findings=1, lost_runs=1),
        instances=[
            pb.InstanceDetail(
                id="i-1",
                first_seen=1,
                last_seen=2,
                mode=words_pb2.MODE_OBSERVE,
                acknowledged=[words_pb2.ReferenceVersion(kind=words_pb2.REFERENCE_KIND_INVENTORY, version=12)],
                coverage=[
                    words_pb2.SourceCoverage(
                        source="init", since=1, until=2, losses={"init-queue": 3, "unreconciled": 1_042}
                    )
                ],
                exit_status=127,
            )
        ],
        unenrolled=[
            pb.UnenrolledRun(id="i-2", issued=3, expires=603, lost=True, sentence="never enrolled"),
            pb.UnenrolledRun(id="i-3", issued=4, expires=604, lost=False, sentence="not enrolled yet"),
        ],
        linkages={"dynamic": 4, "malformed": 1},
        binaries=[
            sidecar_pb2.BinaryDetail(
                sha256=b"\xaa" * 32,
                path="/lib/x.so",
                build_id="b1d",
                soname="libx.so.1",
                needed=["libc.so.6"],
                linkage="dynamic",
                size=10,
            ),
            sidecar_pb2.BinaryDetail(sha256=b"\xbb" * 32, path="/tmp/odd", linkage="malformed", size=11),
        ],
        gates=[pb.Gate(name="time", met=False, value=0.5, threshold=14, sentence="seen for half a day of 14")],
        references=[
            pb.ReferenceDetail(
                version=words_pb2.ReferenceVersion(kind=words_pb2.REFERENCE_KIND_INVENTORY, version=12),
                dimensions={"program": 2},
                entries=[
                    pb.EntryDetail(
                        entry=words_pb2.Entry(dimension="program", value="sha256:aa /bin/x", label="/bin/x"),
                        first_seen=1,
                        last_seen=2,
                        count=3,
                        sessions=1,
                        instances=["i-1"],
                        source="init",
                        standing="learned",
                    )
                ],
            )
        ],
        mode_changes=[pb.ModeChange(time=2, mode=words_pb2.MODE_DETECT, by="ana", forced=True)],
    )


def test_workloads_as_json(operator: FakeOperator, inscope: Inscope) -> None:
    operator.summaries = [
        summary_of(WORKLOAD, Mode.DETECT, instances=3, findings=2, alerts=1, lost_runs=1, last_exit_status=127)
    ]
    ended = inscope("workloads", "-o", "json")
    assert ended.status == 0
    assert json.loads(ended.out) == [
        {
            "workload": "local/Process/support-agent",
            "mode": "detect",
            "first_seen": "1970-01-01T00:00:01.000000Z",
            "last_seen": "1970-01-01T00:00:02.000000Z",
            "live_instances": 0,
            "instances": 3,
            "findings": 2,
            "alerts": 1,
            "ready": False,
            "lost_runs": 1,
            "last_exit_status": 127,
            "containment": "free",
            "contained_instances": 0,
            "apart": {},
            "log_days": 0,
        }
    ]


def test_findings_as_json(operator: FakeOperator, inscope: Inscope) -> None:
    operator.findings = [FINDING]
    ended = inscope("findings", NAME, "-o", "json")
    assert ended.status == 0
    assert json.loads(ended.out) == [
        {
            "id": "IN-3",
            "kind": "writable-code",
            "workload": "local/Process/support-agent",
            "reference": {"kind": "inventory", "version": 12},
            "capability": {"held": 4, "used": 0, "latent": 4, "examples": ["/tmp/"]},
            "tripwire": {"id": "TW-IN-3", "armed": True, "reason": ""},
            "sentence": FINDING.sentence,
            "since": "2023-11-14T22:13:20.250000Z",
        }
    ]
    (asked,) = operator.asked
    assert isinstance(asked, pb.ListFindingsRequest)
    assert asked.workload.name == NAME


def test_alerts_as_json(operator: FakeOperator, inscope: Inscope) -> None:
    operator.alerts = [ALERT]
    (alert,) = json.loads(inscope("alerts", "-o", "json").out)
    assert alert["behaviour"] == {
        "kind": "exec",
        "subject": "/tmp/x -c",
        "actor": "python",
        "program": {
            "path": "/tmp/x",
            "sha256": "aa" * 32,
            "script": {"origin": "inline", "name": "-c", "sha256": "bb" * 32},
        },
    }
    assert [crossing["finding"] for crossing in alert["crossed"]] == ["IN-3", None]
    assert alert["crossed"][1]["reason"] == "nothing lists who may start whom"
    assert alert["agent"]["workload"] == "local/Process/support-agent"
    assert alert["ancestry"] == [{"pid": 7, "start": 99, "label": "python"}]
    assert (alert["verdict"], alert["rank"], alert["count"], alert["approved"]) == ("allow", 80, 3, "")


def test_show_as_json_is_one_array(operator: FakeOperator, inscope: Inscope) -> None:
    operator.details[NAME] = detail()
    (shown,) = json.loads(inscope("show", NAME, "--entries", "-o", "json").out)
    assert shown["gates"][0]["sentence"] == "seen for half a day of 14"
    assert shown["references"][0]["entries"][0]["value"] == "sha256:aa /bin/x"
    (source,) = shown["instances"][0]["coverage"]
    assert (source["losses"], source["unverified"]) == ({"init-queue": 3}, 1_042)
    assert shown["unenrolled"][0] == {
        "id": "i-2",
        "issued": "1970-01-01T00:00:03.000000Z",
        "expires": "1970-01-01T00:10:03.000000Z",
        "lost": True,
        "sentence": "never enrolled",
    }
    assert shown["linkages"] == {"dynamic": 4, "malformed": 1}
    assert shown["binaries"][0] == {
        "sha256": "aa" * 32,
        "path": "/lib/x.so",
        "size": 10,
        "linkage": "dynamic",
        "build_id": "b1d",
        "soname": "libx.so.1",
        "needed": ["libc.so.6"],
        "interpreter": "",
    }
    assert shown["mode_changes"] == [
        {"time": "1970-01-01T00:00:02.000000Z", "mode": "detect", "by": "ana", "forced": True, "reference": None}
    ]


@pytest.mark.parametrize("command", [["workloads"], ["findings"], ["alerts"]])
def test_nothing_to_tell_is_an_empty_array_and_success(inscope: Inscope, command: list[str]) -> None:
    ended = inscope(*command, "-o", "json")
    assert (ended.status, json.loads(ended.out)) == (0, [])
    assert inscope(*command).status == 0


def test_tables_say_the_same_in_words(operator: FakeOperator, inscope: Inscope) -> None:
    operator.alerts, operator.findings, operator.details[NAME] = [ALERT], [FINDING], detail()
    alerts = inscope("alerts").out
    assert "foreseen by IN-3" in alerts
    assert "not foreseen: nothing lists who may start whom" in alerts
    assert ALERT.sentence in alerts
    findings = inscope("findings").out
    assert "armed" in findings
    assert FINDING.sentence in findings
    shown = inscope("show", NAME, "--entries").out
    for said in ("inventory v12", "3 init-queue", "seen for half a day of 14", "/bin/x", "forced"):
        assert said in shown


def test_show_tells_runs_that_are_lost_and_how_the_others_ended(operator: FakeOperator, inscope: Inscope) -> None:
    operator.details[NAME] = detail()
    shown = [line.split() for line in inscope("show", NAME).out.splitlines()]
    runs = {line[0]: " ".join(line) for line in shown if line and line[0].startswith("i-")}
    assert "lost none everything: never enrolled" in runs["i-2"]
    assert "not enrolled none not enrolled yet" in runs["i-3"]
    assert runs["i-1"].endswith("exit 127 init 3 init-queue 1,042")
    operator.summaries = [summary_of(WORKLOAD, instances=3, lost_runs=2, last_exit_status=126)]
    row = inscope("workloads").out.splitlines()[1].split()
    assert row[4:8] == ["3", "+", "2", "lost"]
    assert row[8] == "126"


def test_show_tells_what_binaries_say_of_themselves(operator: FakeOperator, inscope: Inscope) -> None:
    told = detail()
    operator.details[NAME] = told
    shown = inscope("show", NAME, "--entries").out
    assert "4 dynamic, 1 malformed" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["/lib/x.so", "aa" * 32, "dynamic", "b1d", "libx.so.1"] in rows
    assert ["/tmp/odd", "bb" * 32, "malformed", "-", "-"] in rows
    del told.binaries[:]
    assert "4 dynamic, 1 malformed" in inscope("show", NAME).out


def test_follow_prints_a_json_object_a_line(operator: FakeOperator, inscope: Inscope) -> None:
    operator.alerts = [ALERT, replace(ALERT, id="AL-2")]
    ended = inscope("alerts", "--follow", "-o", "json")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == ["AL-1", "AL-2"]


def test_since_is_sent(operator: FakeOperator, inscope: Inscope) -> None:
    assert inscope("alerts", "--since", "2023-11-14T22:13:20Z").status == 0
    assert operator.asked[0].since == 1_700_000_000
    assert inscope("alerts", "--since", "yesterday").status == 2


def test_an_unknown_workload_is_not_found(inscope: Inscope) -> None:
    ended = inscope("show", "nobody")
    assert (ended.status, ended.out) == (3, "")
    assert "nobody" in ended.err


def test_a_refused_mode_ends_with_1_and_the_gates(operator: FakeOperator, inscope: Inscope) -> None:
    operator.refusal = (grpc.StatusCode.FAILED_PRECONDITION, "seen for half a day of 14")
    operator.details[NAME] = detail()
    ended = inscope("mode", NAME, "detect")
    assert ended.status == 1
    assert "stays in observe: seen for half a day of 14" in ended.err
    assert "time" in ended.out
    (document,) = json.loads(inscope("mode", NAME, "detect", "-o", "json").out)
    assert (document["mode"], document["changed"]) == ("observe", False)


def test_a_forced_mode_is_set(operator: FakeOperator, inscope: Inscope) -> None:
    operator.refusal = (grpc.StatusCode.FAILED_PRECONDITION, "no")
    operator.details[NAME] = detail()
    ended = inscope("mode", NAME, "detect", "--force", "-o", "json")
    assert ended.status == 0
    assert json.loads(ended.out)[0]["mode"] == "detect"
    assert modes_asked(operator.asked) == [(Mode.DETECT, True)]


def test_approving_says_why_not(operator: FakeOperator, inscope: Inscope) -> None:
    operator.alerts = [ALERT]
    assert inscope("approve", "AL-1", "--reason", "known").status == 0
    assert operator.asked[-1].reason == "known"
    operator.refusal = (grpc.StatusCode.FAILED_PRECONDITION, "a contradiction can never be in scope")
    assert inscope("approve", "AL-1", "--reason", "known").status == 1
    assert inscope("approve", "AL-1").status == 2


def two_way(proof: str, *blanks: pb.Blank) -> pb.TwoWayResponse:
    finding = pb.TwoWayFinding(finding=finding_to_wire(FINDING), proof=proof, proof_reason="because")
    return pb.TwoWayResponse(findings=[finding], alerts=[alert_to_wire(ALERT)], blanks=blanks)


def test_two_way_is_one_object(operator: FakeOperator, inscope: Inscope) -> None:
    operator.answer = two_way("fired")
    ended = inscope("two-way", "--prove", "-o", "json")
    document = json.loads(ended.out)
    assert ended.status == 0
    assert set(document) == {"findings", "alerts", "blanks"}
    assert document["findings"][0]["proof"] == {"result": "fired", "reason": "because"}
    assert operator.asked[0].prove


@pytest.mark.parametrize(
    "answer", [two_way("failed"), two_way("", pb.Blank(what="IN-3", why="no tripwire"))], ids=["failed", "blank"]
)
def test_two_way_with_blanks_or_failed_proofs_ends_with_1(
    operator: FakeOperator, inscope: Inscope, answer: pb.TwoWayResponse
) -> None:
    operator.answer = answer
    assert inscope("two-way").status == 1
    assert inscope("two-way", "-o", "json").status == 1


def test_two_way_tells_proofs_in_words(operator: FakeOperator, inscope: Inscope) -> None:
    operator.answer = two_way("failed")
    out = inscope("two-way", "--prove").out
    assert "failed: because" in out
    assert "1 findings, 1 armed · 1 alerts · 0 blanks · 0 of 1 armed tripwires fired when proved, 1 failed" in out


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, 5),
        (grpc.StatusCode.UNAUTHENTICATED, 5),
        (grpc.StatusCode.INVALID_ARGUMENT, 2),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 4),
        (grpc.StatusCode.INTERNAL, 4),
    ],
)
def test_each_refusal_has_its_exit_code(
    operator: FakeOperator, inscope: Inscope, code: grpc.StatusCode, status: int
) -> None:
    operator.refusal = (code, "because of this")
    ended = inscope("alerts", "--follow")
    assert ended.status == status
    assert "because of this" in ended.err


def test_an_answer_that_is_none_is_the_control_planes_fault(operator: FakeOperator, inscope: Inscope) -> None:
    operator.summaries = [pb.WorkloadSummary()]
    ended = inscope("workloads")
    assert ended.status == 4
    assert "not an answer" in ended.err


def test_a_control_plane_that_is_not_there_is_unreachable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from controlplane.cli.__main__ import main

    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("not a certificate")
    status = main(["workloads", "--control-plane", "127.0.0.1:9", "--credentials", str(tmp_path)])
    assert (status, capsys.readouterr().out) == (4, "")


def test_credentials_that_are_not_there_are_not_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from controlplane.cli.__main__ import main

    assert main(["workloads", "--control-plane", "127.0.0.1:9", "--credentials", str(tmp_path)]) == 3
    assert "ca.pem" in capsys.readouterr().err


def test_the_version_of_a_reference_is_shown_with_its_kind() -> None:
    from controlplane.cli.tables import version_text

    assert version_text(INVENTORY) == "inventory v12"
