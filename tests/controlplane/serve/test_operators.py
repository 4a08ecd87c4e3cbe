"""Questions and orders of operators, over the unix socket and over mTLS."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import grpc
import pytest

from controlplane.serve.followers import MAX_BEHIND
from controlplane.serve.operators import TOKEN_SECONDS
from inscope.alert import Alert
from inscope.behaviour import Contradiction
from inscope.codec import alert_from_wire
from inscope.v1 import enrolment_pb2, operator_pb2, words_pb2
from inscope.v1.operator_pb2_grpc import OperatorStub
from tests.controlplane.serve.plane import Running, Stream, csr, refused
from tests.controlplane.serve.wire import CONTACT, batch, definition

WORKLOAD = words_pb2.Workload(namespace="local", kind="Process", name="support-agent")
NOBODY = words_pb2.Workload(namespace="local", kind="Process", name="nobody")
FORCED = operator_pb2.SetModeRequest(workload=WORKLOAD, mode=words_pb2.MODE_DETECT, force=True)


async def watched(running: Running) -> Stream:
    """A workload that has learned one destination."""
    stream = await running.stream()
    await stream.send(batch(1, [definition(1)]))
    await stream.acknowledged(1)
    return stream


async def alerting(running: Running) -> tuple[OperatorStub, Stream, Alert]:
    """A workload in detect that has left its reference once."""
    stream = await watched(running)
    operator = running.operator()
    await operator.SetMode(FORCED)
    await stream.send(batch(2, [definition(2, replace(CONTACT, host="evil.example"))]))
    await stream.acknowledged(2)
    (alert,) = (await operator.ListAlerts(operator_pb2.ListAlertsRequest())).alerts
    return operator, stream, alert_from_wire(alert)


async def test_a_watched_workload_is_listed(running: Running) -> None:
    stream = await watched(running)
    (summary,) = (await running.operator().ListWorkloads(operator_pb2.ListWorkloadsRequest())).workloads
    assert (summary.workload, summary.mode, summary.live_instances, summary.instances) == (
        WORKLOAD,
        words_pb2.MODE_OBSERVE,
        1,
        1,
    )
    assert not stream.call.done()


async def test_a_workload_is_shown_with_gates_and_on_request_its_entries(running: Running) -> None:
    stream = await watched(running)
    operator = running.operator()
    brief = await operator.ShowWorkload(operator_pb2.ShowWorkloadRequest(workload=WORKLOAD))
    full = await operator.ShowWorkload(operator_pb2.ShowWorkloadRequest(workload=WORKLOAD, entries=True))
    assert [gate.name for gate in full.gates] == ["time", "novelty", "prequential", "coverage"]
    assert sum(len(reference.entries) for reference in brief.references) == 0
    (entry,) = (entry for reference in full.references for entry in reference.entries)
    assert (entry.entry.value, entry.count, entry.standing) == ("db.internal:5432/tcp", 1, "learned")
    assert not stream.call.done()


async def test_nobody_is_not_found(running: Running) -> None:
    with refused(grpc.StatusCode.NOT_FOUND, "local/Process/nobody"):
        await running.operator().ShowWorkload(operator_pb2.ShowWorkloadRequest(workload=NOBODY))
    with refused(grpc.StatusCode.NOT_FOUND, "AL-9"):
        await running.operator().ApproveAlert(operator_pb2.ApproveAlertRequest(id="AL-9", reason="known"))


async def test_what_is_not_a_workload_is_the_callers_fault(running: Running) -> None:
    request = operator_pb2.ShowWorkloadRequest(workload=words_pb2.Workload(namespace="../etc", kind="x", name="y"))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "not a name of a workload"):
        await running.operator().ShowWorkload(request)


async def test_an_unmet_gate_refuses_with_its_numbers(running: Running) -> None:
    await watched(running)
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "of the 14 days required"):
        await running.operator().SetMode(operator_pb2.SetModeRequest(workload=WORKLOAD, mode=words_pb2.MODE_DETECT))


async def test_enforce_has_gates_of_its_own_and_force_is_recorded(running: Running) -> None:
    await watched(running)
    request = operator_pb2.SetModeRequest(workload=WORKLOAD, mode=words_pb2.MODE_ENFORCE)
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "never in detect of the 7 days required"):
        await running.operator().SetMode(request)
    request.force = True
    answer = await running.operator().SetMode(request)
    assert [gate.name for gate in answer.gates] == ["detect", "dry-run", "coverage"]
    detail = await running.operator().ShowWorkload(operator_pb2.ShowWorkloadRequest(workload=WORKLOAD))
    assert (detail.summary.mode, detail.mode_changes[-1].forced) == (words_pb2.MODE_ENFORCE, True)
    assert [gate.name for gate in detail.enforce_gates] == ["detect", "dry-run", "coverage"]


async def test_no_mode_at_all_is_the_callers_fault(running: Running) -> None:
    await watched(running)
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "mode"):
        await running.operator().SetMode(operator_pb2.SetModeRequest(workload=WORKLOAD))


async def test_who_changed_the_mode_is_on_record_for_either_socket(running: Running) -> None:
    await watched(running)
    await running.certified_operator("ada").SetMode(FORCED)
    back = operator_pb2.SetModeRequest(workload=WORKLOAD, mode=words_pb2.MODE_OBSERVE)
    await running.operator().SetMode(back)
    shown = await running.operator().ShowWorkload(operator_pb2.ShowWorkloadRequest(workload=WORKLOAD))
    assert [(change.mode, change.by, change.forced) for change in shown.mode_changes] == [
        (words_pb2.MODE_DETECT, "ada", True),
        (words_pb2.MODE_OBSERVE, "tester", False),
    ]


async def test_an_alert_is_approved_with_a_reason_and_then_in_scope(running: Running) -> None:
    operator, stream, alert = await alerting(running)
    request = operator_pb2.ApproveAlertRequest(id=alert.id, reason="the new mirror")
    assert (await operator.ApproveAlert(request)).approved == "tester: the new mirror"
    push = (await stream.next("reference")).reference
    while "evil.example:5432/tcp" not in {entry.value for entry in push.entries}:
        push = (await stream.next("reference")).reference


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1_001, "a\x1b[31m"])
async def test_an_approval_needs_a_readable_reason(running: Running, reason: str) -> None:
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "reason"):
        await running.operator().ApproveAlert(operator_pb2.ApproveAlertRequest(id="AL-1", reason=reason))


async def test_what_can_never_be_in_scope_is_not_approved(running: Running) -> None:
    operator, stream, _ = await alerting(running)
    await stream.send(batch(3, [definition(3, Contradiction("a:1", "b:2", "/bin/sh"))]))
    await stream.acknowledged(3)
    alerts = (await operator.ListAlerts(operator_pb2.ListAlertsRequest(workload=WORKLOAD))).alerts
    (lie,) = (alert for alert in alerts if alert.behaviour.HasField("contradiction"))
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "can never be in scope"):
        await operator.ApproveAlert(operator_pb2.ApproveAlertRequest(id=lie.id, reason="please"))


async def test_findings_and_both_directions_are_told(running: Running) -> None:
    operator, stream, alert = await alerting(running)
    egress = words_pb2.Capability(kind="egress", members=["unrestricted"], surveyed_at=1.7e9, complete=True)
    await stream.send(batch(3, capabilities=[egress]))
    await stream.acknowledged(3)
    (finding,) = (await operator.ListFindings(operator_pb2.ListFindingsRequest(workload=WORKLOAD))).findings
    assert finding.kind == "egress"
    answer = await operator.TwoWay(operator_pb2.TwoWayRequest(prove=True))
    assert [each.finding.id for each in answer.findings] == [finding.id]
    assert [each.id for each in answer.alerts] == [alert.id]


async def test_a_follower_gets_what_there_is_then_what_comes_and_nothing_twice(running: Running) -> None:
    operator, stream, alert = await alerting(running)
    following = operator.FollowAlerts(operator_pb2.ListAlertsRequest(workload=WORKLOAD))
    assert alert_from_wire(await following.read()) == alert
    await stream.send(batch(3, rows=[(2, 2, 0)]))
    await stream.send(batch(4, [definition(3, replace(CONTACT, host="worse.example"))]))
    told = [await following.read(), await following.read()]
    assert [(each.behaviour.connect.host, each.count) for each in told] == [("evil.example", 3), ("worse.example", 1)]


async def test_a_follower_of_one_workload_hears_of_no_other(running: Running) -> None:
    operator, stream, _ = await alerting(running)
    other = operator.FollowAlerts(operator_pb2.ListAlertsRequest(workload=NOBODY))
    everything = operator.FollowAlerts(operator_pb2.ListAlertsRequest())
    await everything.read()
    await stream.send(batch(3, rows=[(2, 1, 0)]))
    assert (await everything.read()).count == 2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await other.read()


async def test_a_follower_that_does_not_keep_up_is_told(running: Running) -> None:
    operator, _, alert = await alerting(running)
    following = operator.FollowAlerts(operator_pb2.ListAlertsRequest())
    await following.read()
    # As many at once as no follower can be waited for, without the event loop's turn in between.
    flood = [replace(alert, count=2 + number) for number in range(MAX_BEHIND + 1)]
    running.hub.followers.publish(flood)
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "misses some"):
        while await following.read():
            pass


async def test_a_join_token_lasts_ten_minutes(running: Running) -> None:
    token = await running.operator().CreateJoinToken(operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD))
    running.clock.offset = TOKEN_SECONDS + 1
    with refused(grpc.StatusCode.PERMISSION_DENIED, "expired"):
        await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr()))


async def test_a_run_whose_sidecar_was_killed_before_it_enrolled_is_lost_and_told(running: Running) -> None:
    operator = running.operator()
    token = await operator.CreateJoinToken(operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD))
    request = operator_pb2.ShowWorkloadRequest(workload=WORKLOAD)
    (waiting,) = (await operator.ShowWorkload(request)).unenrolled
    assert (waiting.id, waiting.lost, waiting.expires) == (token.instance, False, token.expires)
    running.clock.offset = TOKEN_SECONDS + 1
    (lost,) = (await operator.ShowWorkload(request)).unenrolled
    assert (lost.id, lost.lost) == (token.instance, True)
    assert "never enrolled: whatever it did is not in the record" in lost.sentence
    (summary,) = (await operator.ListWorkloads(operator_pb2.ListWorkloadsRequest())).workloads
    assert (summary.lost_runs, summary.instances, summary.last_exit_status) == (1, 0, -1)


async def test_a_run_that_was_not_started_after_all_is_not_lost(running: Running) -> None:
    operator = running.operator()
    token = await operator.CreateJoinToken(operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD))
    for _ in range(2):
        await operator.WithdrawJoinToken(operator_pb2.WithdrawJoinTokenRequest(token=token.token))
    assert not (await operator.ShowWorkload(operator_pb2.ShowWorkloadRequest(workload=WORKLOAD))).unenrolled
    with refused(grpc.StatusCode.PERMISSION_DENIED, "the join token is unknown"):
        await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr()))


async def test_a_join_token_brings_what_the_workload_is_in(running: Running) -> None:
    request = operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD, mode=words_pb2.MODE_ENFORCE)
    first = await running.operator().CreateJoinToken(request)
    assert (first.mode, first.containment) == (words_pb2.MODE_ENFORCE, words_pb2.CONTAINMENT_FREE)
    await running.operator().Contain(
        operator_pb2.ContainRequest(
            workload=WORKLOAD, containment=words_pb2.CONTAINMENT_FROZEN, reason="it was taken over"
        )
    )
    second = await running.operator().CreateJoinToken(operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD))
    assert (second.mode, second.containment) == (words_pb2.MODE_ENFORCE, words_pb2.CONTAINMENT_FROZEN)


async def test_tokens_and_instances_are_never_the_same_twice(running: Running) -> None:
    request = operator_pb2.CreateJoinTokenRequest(workload=WORKLOAD)
    tokens = [await running.operator().CreateJoinToken(request) for _ in range(3)]
    assert len({token.token for token in tokens}) == len({token.instance for token in tokens}) == 3
    assert all(len(token.token) == 64 for token in tokens)
