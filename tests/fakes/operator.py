"""The operator side of a control plane: a real gRPC server on a unix socket, answering from memory."""

# ruff: noqa: N802 - the methods' names are the schema's

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from inscope.alert import Alert
from inscope.codec import alert_to_wire, finding_to_wire, mode_from_wire, mode_to_wire, workload_to_wire
from inscope.finding import Finding
from inscope.mode import Mode
from inscope.v1 import operator_pb2 as pb
from inscope.v1.operator_pb2_grpc import OperatorServicer, add_OperatorServicer_to_server
from inscope.workload import Workload


@dataclass
class FakeOperator(OperatorServicer):
    """What it knows is set by the test; what it was asked is there to be read."""

    summaries: list[pb.WorkloadSummary] = field(default_factory=list)
    details: dict[str, pb.WorkloadDetail] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    answer: pb.TwoWayResponse = field(default_factory=pb.TwoWayResponse)
    refusal: tuple[grpc.StatusCode, str] | None = None
    asked: list[object] = field(default_factory=list)
    dry: pb.DryRunResponse = field(default_factory=pb.DryRunResponse)
    unknown: set[str] = field(default_factory=set)
    instances: set[str] = field(default_factory=set)

    def ListWorkloads(self, request, context):
        return pb.ListWorkloadsResponse(workloads=self.summaries)

    def ShowWorkload(self, request, context):
        self.asked.append(request)
        if request.workload.name not in self.details:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no workload {request.workload.name}")
        return self.details[request.workload.name]

    def ListFindings(self, request, context):
        self.asked.append(request)
        return pb.ListFindingsResponse(findings=map(finding_to_wire, self.findings))

    def ListAlerts(self, request, context):
        self.asked.append(request)
        return pb.ListAlertsResponse(alerts=map(alert_to_wire, self.alerts))

    def FollowAlerts(self, request, context):
        self.asked.append(request)
        yield from map(alert_to_wire, self.alerts)
        if self.refusal:
            context.abort(*self.refusal)

    def SetMode(self, request, context):
        self.asked.append(request)
        if self.refusal and not request.force:
            context.abort(*self.refusal)
        return pb.SetModeResponse(mode=request.mode)

    def DryRun(self, request, context):
        self.asked.append(request)
        return self.dry

    def ApproveGroup(self, request, context):
        self.asked.append(request)
        return next(group for group in self.dry.groups if group.id == request.id)

    def Contain(self, request, context):
        self.asked.append(request)
        if request.HasField("workload") and request.workload.name in self.unknown:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such workload")
        if request.instance and request.instance not in self.instances:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such instance")
        workload = request.workload if request.HasField("workload") else self.summaries[0].workload
        return pb.ContainResponse(workload=workload, instance=request.instance, containment=request.containment)

    def ApproveAlert(self, request, context):
        self.asked.append(request)
        if self.refusal:
            context.abort(*self.refusal)
        return next(alert_to_wire(alert) for alert in self.alerts if alert.id == request.id)

    def TwoWay(self, request, context):
        self.asked.append(request)
        return self.answer

    def CreateJoinToken(self, request, context):
        self.asked.append(request)
        return pb.JoinToken(
            token="once", enrolment_port=1, stream_port=2, trust_bundle_pem=b"pem", server_name="cp", instance="i-1"
        )

    def WithdrawJoinToken(self, request, context):
        self.asked.append(request)
        return pb.WithdrawJoinTokenResponse()

    @contextmanager
    def serving(self, state: Path) -> Iterator[Path]:
        """Serve on the control socket of a state folder."""
        server = grpc.server(ThreadPoolExecutor(2))
        add_OperatorServicer_to_server(self, server)
        state.mkdir(exist_ok=True)
        server.add_insecure_port(f"unix:{state / 'control.sock'}")
        server.start()
        try:
            yield state
        finally:
            server.stop(None).wait()


def summary_of(workload: Workload, mode: Mode = Mode.OBSERVE, **numbers: int) -> pb.WorkloadSummary:
    """A summary as a control plane would send it."""
    return pb.WorkloadSummary(
        workload=workload_to_wire(workload), mode=mode_to_wire(mode), first_seen=1.0, last_seen=2.0, **numbers
    )


def modes_asked(asked: list[object]) -> list[tuple[Mode, bool]]:
    """The changes of mode among what was asked, with whether they were forced."""
    changes = (request for request in asked if isinstance(request, pb.SetModeRequest))
    return [(mode_from_wire(change.mode), change.force) for change in changes]
