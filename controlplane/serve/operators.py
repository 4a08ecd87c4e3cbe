"""The Operator service: questions and orders of people and scripts, over the loop."""
# ruff: noqa: N802 - the methods' names are the schema's

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from controlplane.address import SERVER_NAME
from controlplane.loop.refusal import UnknownInstanceError, UnknownWorkloadError
from controlplane.pki.identity import OperatorPeer, UnknownPeerError
from controlplane.pki.peer import peer_of
from controlplane.serve.authorities import declare, show_outside, tell
from controlplane.serve.enrolment import token_sha256
from controlplane.serve.hub import Hub
from controlplane.serve.operator_codec import (
    detail_to_wire,
    gate_to_wire,
    group_to_wire,
    summary_to_wire,
    two_way_to_wire,
)
from controlplane.serve.status import RefusedError
from controlplane.store.port import JoinTokenRow
from inscope.alert import Alert
from inscope.codec import (
    alert_to_wire,
    containment_from_wire,
    containment_to_wire,
    finding_to_wire,
    mode_from_wire,
    mode_to_wire,
    reference_kind_from_wire,
    seconds,
    workload_from_wire,
    workload_to_wire,
)
from inscope.codec.bounds import reject, text
from inscope.mode import Mode
from inscope.reference import ReferenceKind
from inscope.v1 import operator_pb2 as pb
from inscope.v1.operator_pb2_grpc import OperatorServicer
from inscope.v1.words_pb2 import MODE_UNSPECIFIED, REFERENCE_KIND_UNSPECIFIED
from inscope.workload import InstanceId, Workload

TOKEN_SECONDS = 600.0
DAY = 86_400.0
MAX_DAYS = 3_650.0
MAX_REASON = 1_000

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Reachable:
    """What a new sidecar must know to reach us."""

    stream_port: int
    enrolment_port: int
    trust_bundle_pem: bytes


def certified_caller(context: Context) -> str:
    """The name in an operator's certificate: whom the audit trail names."""
    peer = peer_of(context.auth_context())
    if not isinstance(peer, OperatorPeer):
        raise UnknownPeerError("only an operator may do this")
    return peer.name


class Operators(OperatorServicer):
    """`caller` says who calls: the certificate's name, or on a unix socket the owner of it."""

    def __init__(self, hub: Hub, reachable: Reachable, caller: Callable[[Context], str]) -> None:
        self._hub = hub
        self._reachable = reachable
        self._caller = caller

    async def ListWorkloads(self, request: pb.ListWorkloadsRequest, context: Context) -> pb.ListWorkloadsResponse:
        """Every workload that was ever watched."""
        now = self._hub.clock()
        summaries = await self._hub.thread.call(lambda loop: loop.summaries(now))
        return pb.ListWorkloadsResponse(workloads=[summary_to_wire(summary) for summary in summaries])

    async def ShowWorkload(self, request: pb.ShowWorkloadRequest, context: Context) -> pb.WorkloadDetail:
        """Everything about one workload."""
        workload, now = workload_from_wire(request.workload), self._hub.clock()
        return detail_to_wire(await self._hub.thread.call(lambda loop: loop.detail(workload, now, request.entries)))

    async def ListFindings(self, request: pb.ListFindingsRequest, context: Context) -> pb.ListFindingsResponse:
        """What is held and not used."""
        workload, now = _scope(request), self._hub.clock()
        findings = await self._hub.thread.call(lambda loop: loop.findings(workload, now))
        return pb.ListFindingsResponse(findings=[finding_to_wire(finding) for finding in findings])

    async def ListAlerts(self, request: pb.ListAlertsRequest, context: Context) -> pb.ListAlertsResponse:
        """Alerts, oldest first."""
        return pb.ListAlertsResponse(alerts=[alert_to_wire(alert) for alert in await self._alerts(request)])

    async def FollowAlerts(  # type: ignore[override]  # as with streams: a coroutine that writes
        self, request: pb.ListAlertsRequest, context: Context
    ) -> None:
        """The alerts there are, then each as it is raised or counted again."""
        workload = _scope(request)
        with self._hub.followers.following() as follower:
            told: dict[str, int] = {}
            for alert in await self._past(request):
                told[alert.id] = alert.count
                await context.write(alert_to_wire(alert))
            while True:
                alert = await follower.next()
                # What was raised while the list was read is in both.
                if alert.count > told.get(alert.id, 0) and workload in (None, alert.workload):
                    await context.write(alert_to_wire(alert))

    async def _past(self, request: pb.ListAlertsRequest) -> list[Alert]:
        """A follower may come before the workload does."""
        try:
            return await self._alerts(request)
        except UnknownWorkloadError:
            return []

    async def SetMode(self, request: pb.SetModeRequest, context: Context) -> pb.SetModeResponse:
        """Change the mode, if the gates are met or it is forced."""
        workload, mode = workload_from_wire(request.workload), mode_from_wire(request.mode)
        by, now, reference = self._caller(context), self._hub.clock(), _reference(request)
        gates = await self._hub.thread.call(
            lambda loop: loop.set_mode(workload, mode, request.force, by, now, reference)
        )
        self._hub.tell([workload])
        return pb.SetModeResponse(gates=[gate_to_wire(gate) for gate in gates], mode=mode_to_wire(mode))

    async def ApproveAlert(self, request: pb.ApproveAlertRequest, context: Context) -> pb.Alert:
        """Put what an alert found missing into scope."""
        alert_id, reason = text(request.id, "id"), _reason(request.reason)
        by, now = self._caller(context), self._hub.clock()
        alert = await self._hub.thread.call(lambda loop: loop.approve(alert_id, reason, by, now))
        self._hub.tell([alert.workload])
        return alert_to_wire(alert)

    async def DryRun(self, request: pb.DryRunRequest, context: Context) -> pb.DryRunResponse:
        """What enforce would have denied lately."""
        workload, now = workload_from_wire(request.workload), self._hub.clock()
        since = max(now - _days(request.days) * DAY, 0.0)
        groups = await self._hub.thread.call(lambda loop: loop.dry_run(workload, since))
        mode = (await self._hub.board.in_force(workload)).mode
        return pb.DryRunResponse(mode=mode_to_wire(mode), since=since, groups=map(group_to_wire, groups))

    async def ApproveGroup(self, request: pb.ApproveGroupRequest, context: Context) -> pb.DenialGroup:
        """Put what a group of a dry run lacked into scope."""
        group_id, reason = text(request.id, "id"), _reason(request.reason)
        by, now = self._caller(context), self._hub.clock()
        group = await self._hub.thread.call(lambda loop: loop.approve_group(group_id, reason, by, now))
        self._hub.tell([group.workload])
        return group_to_wire(group)

    async def Contain(self, request: pb.ContainRequest, context: Context) -> pb.ContainResponse:
        """Cut a workload or one instance off, or release it."""
        containment, reason = containment_from_wire(request.containment), _reason(request.reason)
        order, now = (self._caller(context), reason), self._hub.clock()
        instance = InstanceId(text(request.instance, "instance")) if request.instance else None
        workload = await self._contained(request, instance)
        await self._hub.thread.call(lambda loop: loop.contain(workload, instance, containment, order, now))
        self._hub.tell([workload])
        return pb.ContainResponse(
            workload=workload_to_wire(workload), instance=instance or "", containment=containment_to_wire(containment)
        )

    async def _contained(self, request: pb.ContainRequest, instance: InstanceId | None) -> Workload:
        if request.HasField("workload"):
            return workload_from_wire(request.workload)
        if instance is None:
            reject("workload", "name a workload or an instance")
        try:
            return await self._hub.thread.call(lambda loop: loop.owner(instance))
        except UnknownInstanceError as error:  # an operator's typo, not a stranger's stream
            raise RefusedError(grpc.StatusCode.NOT_FOUND, str(error)) from error

    async def TwoWay(self, request: pb.TwoWayRequest, context: Context) -> pb.TwoWayResponse:
        """Both directions of the loop, checked."""
        workload, now = _scope(request), self._hub.clock()
        return two_way_to_wire(await self._hub.thread.call(lambda loop: loop.two_way(workload, request.prove, now)))

    async def Declare(  # type: ignore[override]  # as with streams: a coroutine that writes
        self, requests: AsyncIterator[pb.DeclareRequest], context: Context
    ) -> None:
        """What an authority declares in one scope, instead of what it did before."""
        await context.write(await declare(self._hub, requests))

    async def Tell(  # type: ignore[override]  # likewise
        self, requests: AsyncIterator[pb.TellRequest], context: Context
    ) -> None:
        """Events of an authority's log."""
        async for request in requests:
            await context.write(await tell(self._hub, request))

    async def ShowOutside(self, request: pb.ShowOutsideRequest, context: Context) -> pb.OutsideDetail:
        """The scope chain and the permission gap of one workload."""
        return await show_outside(self._hub, workload_from_wire(request.workload))

    async def CreateJoinToken(self, request: pb.CreateJoinTokenRequest, context: Context) -> pb.JoinToken:
        """A token with which one sidecar can enrol as a new instance of the workload."""
        mode = Mode.OBSERVE if request.mode == MODE_UNSPECIFIED else mode_from_wire(request.mode)
        token, instance = self._hub.random(32).hex(), InstanceId(self._hub.random(16).hex())
        now, workload = self._hub.clock(), workload_from_wire(request.workload)
        row = JoinTokenRow(token_sha256(token), workload, instance, mode, now, now + TOKEN_SECONDS)
        await self._hub.thread.call(lambda loop: loop.issue_token(row))
        begins = await self._hub.board.in_force(workload)
        return pb.JoinToken(
            token=token,
            enrolment_port=self._reachable.enrolment_port,
            stream_port=self._reachable.stream_port,
            trust_bundle_pem=self._reachable.trust_bundle_pem,
            server_name=SERVER_NAME,
            instance=instance,
            expires=row.expires,
            mode=mode_to_wire(begins.mode),
            containment=containment_to_wire(begins.containment(instance)),
        )

    async def WithdrawJoinToken(
        self, request: pb.WithdrawJoinTokenRequest, context: Context
    ) -> pb.WithdrawJoinTokenResponse:
        """Forget a token whose run was never started."""
        digest = token_sha256(text(request.token, "token"))
        await self._hub.thread.call(lambda loop: loop.withdraw_token(digest))
        return pb.WithdrawJoinTokenResponse()

    async def _alerts(self, request: pb.ListAlertsRequest) -> list[Alert]:
        workload, since = _scope(request), seconds(request.since, "since")
        return await self._hub.thread.call(lambda loop: loop.alerts(workload, since))


def _scope(request: pb.ListFindingsRequest | pb.ListAlertsRequest | pb.TwoWayRequest) -> Workload | None:
    return workload_from_wire(request.workload) if request.HasField("workload") else None


def _reference(request: pb.SetModeRequest) -> ReferenceKind | None:
    if request.reference == REFERENCE_KIND_UNSPECIFIED:
        return None
    return reference_kind_from_wire(request.reference)


def _days(value: float) -> float:
    if not 0 < value <= MAX_DAYS:  # not a number fails this too
        reject("days", f"{value} is not a number of days up to {MAX_DAYS:g}")
    return value


def _reason(value: str) -> str:
    reason = text(value, "reason").strip()
    if not reason:
        reject("reason", "say why: it stays in the record")
    if len(reason) > MAX_REASON:
        reject("reason", f"{len(reason)} characters, at most {MAX_REASON}")
    return reason
