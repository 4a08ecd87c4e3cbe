"""The operator API as the commands use it: words in, words out, every failure a `CommandError` that says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import grpc
import grpc.aio

from controlplane.cli.channel import open_channel
from controlplane.cli.embedded import ensure_running
from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.place import Place
from inscope.alert import Alert
from inscope.codec import (
    alert_from_wire,
    containment_to_wire,
    finding_from_wire,
    mode_to_wire,
    reference_kind_to_wire,
    workload_to_wire,
)
from inscope.containment import Containment
from inscope.finding import Finding
from inscope.mode import Mode
from inscope.reference import ReferenceKind
from inscope.v1 import operator_pb2 as pb
from inscope.v1.operator_pb2_grpc import OperatorStub
from inscope.workload import Workload

if TYPE_CHECKING:
    from inscope.v1.words_pb2 import Workload as WireWorkload

T = TypeVar("T")

ANSWER_SECONDS = 30.0
"""How long the control plane may take over a question."""

PROOF_SECONDS = 300.0
"""How long over the proof of all tripwires: each is fired, one after the other, in a copy of the store."""

DECLARE_SECONDS = 300.0
"""How long over a declaration: every workload's gap is computed anew."""

_CODES = {
    grpc.StatusCode.NOT_FOUND: ExitCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION: ExitCode.NO,
    grpc.StatusCode.PERMISSION_DENIED: ExitCode.FORBIDDEN,
    grpc.StatusCode.UNAUTHENTICATED: ExitCode.FORBIDDEN,
    grpc.StatusCode.INVALID_ARGUMENT: ExitCode.USAGE,
}


class Control:
    """The public API of one control plane, over one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._operator = OperatorStub(channel)

    async def workloads(self) -> list[pb.WorkloadSummary]:
        """Every workload that was ever watched."""
        answer = await self._operator.ListWorkloads(pb.ListWorkloadsRequest(), timeout=ANSWER_SECONDS)
        return list(answer.workloads)

    async def show(self, workload: Workload, entries: bool = False) -> pb.WorkloadDetail:
        """Mode, coverage, readiness and references of one workload."""
        request = pb.ShowWorkloadRequest(workload=workload_to_wire(workload), entries=entries)
        return await self._operator.ShowWorkload(request, timeout=ANSWER_SECONDS)

    async def findings(self, workload: Workload | None) -> list[Finding]:
        """What is held and not used."""
        request = pb.ListFindingsRequest(workload=_wire(workload))
        answer = await self._operator.ListFindings(request, timeout=ANSWER_SECONDS)
        return [finding_from_wire(finding) for finding in answer.findings]

    async def alerts(self, workload: Workload | None, since: float) -> list[Alert]:
        """What deviated, seen last at `since` or later."""
        request = pb.ListAlertsRequest(workload=_wire(workload), since=since)
        answer = await self._operator.ListAlerts(request, timeout=ANSWER_SECONDS)
        return [alert_from_wire(alert) for alert in answer.alerts]

    async def follow(self, workload: Workload | None, since: float) -> AsyncIterator[Alert]:
        """The same, then each alert as it is raised or counted again; does not end by itself."""
        async for alert in self._operator.FollowAlerts(pb.ListAlertsRequest(workload=_wire(workload), since=since)):
            yield alert_from_wire(alert)

    async def outside(self, workload: Workload) -> pb.OutsideDetail:
        """What authorities say of a workload: scope chain and permission gap."""
        request = pb.ShowOutsideRequest(workload=workload_to_wire(workload))
        return await self._operator.ShowOutside(request, timeout=ANSWER_SECONDS)

    async def declare(self, requests: AsyncIterator[pb.DeclareRequest]) -> pb.DeclareResponse:
        """What an authority declares in one scope, instead of what it did before."""
        async for answer in self._operator.Declare(requests, timeout=DECLARE_SECONDS):
            return answer
        raise CommandError(ExitCode.UNREACHABLE, "the control plane ended without an answer")

    def tell(self, requests: AsyncIterator[pb.TellRequest]) -> AsyncIterable[pb.TellResponse]:
        """Events of an authority's log; an answer to each message."""
        return self._operator.Tell(requests)

    async def set_mode(
        self, workload: Workload, mode: Mode, force: bool, reference: ReferenceKind | None = None
    ) -> list[pb.Gate]:
        """Change the mode of a workload, or of one reference of it; the gates as they stood."""
        request = pb.SetModeRequest(workload=workload_to_wire(workload), mode=mode_to_wire(mode), force=force)
        if reference is not None:
            request.reference = reference_kind_to_wire(reference)
        answer = await self._operator.SetMode(request, timeout=ANSWER_SECONDS)
        return list(answer.gates)

    async def approve(self, alert: str, reason: str) -> Alert:
        """Put what an alert found missing into scope."""
        request = pb.ApproveAlertRequest(id=alert, reason=reason)
        return alert_from_wire(await self._operator.ApproveAlert(request, timeout=ANSWER_SECONDS))

    async def dry_run(self, workload: Workload, days: float) -> pb.DryRunResponse:
        """What enforce would have denied in the last `days`."""
        request = pb.DryRunRequest(workload=workload_to_wire(workload), days=days)
        return await self._operator.DryRun(request, timeout=ANSWER_SECONDS)

    async def approve_group(self, group: str, reason: str) -> pb.DenialGroup:
        """Put what a group of a dry run lacked into scope."""
        request = pb.ApproveGroupRequest(id=group, reason=reason)
        return await self._operator.ApproveGroup(request, timeout=ANSWER_SECONDS)

    async def contain(
        self, workload: Workload | None, instance: str, containment: Containment, reason: str
    ) -> pb.ContainResponse:
        """Cut a workload or an instance off, or release it."""
        request = pb.ContainRequest(
            workload=_wire(workload), instance=instance, containment=containment_to_wire(containment), reason=reason
        )
        return await self._operator.Contain(request, timeout=ANSWER_SECONDS)

    async def two_way(self, workload: Workload | None, prove: bool) -> pb.TwoWayResponse:
        """Every finding with its tripwire, every alert with its findings, and what is blank."""
        request = pb.TwoWayRequest(workload=_wire(workload), prove=prove)
        return await self._operator.TwoWay(request, timeout=PROOF_SECONDS)

    async def join_token(self, workload: Workload, mode: Mode | None) -> pb.JoinToken:
        """A one-time token for one sidecar; `mode` is for a workload not seen before."""
        request = pb.CreateJoinTokenRequest(workload=workload_to_wire(workload))
        if mode:
            request.mode = mode_to_wire(mode)
        return await self._operator.CreateJoinToken(request, timeout=ANSWER_SECONDS)

    async def withdraw(self, token: pb.JoinToken) -> None:
        """The run that the token was for was not started."""
        request = pb.WithdrawJoinTokenRequest(token=token.token)
        await self._operator.WithdrawJoinToken(request, timeout=ANSWER_SECONDS)


def ask(place: Place, question: Callable[[Control], Awaitable[T]]) -> T:
    """Put `question` to the control plane at `place`, starting the embedded one when it is not running.

    Raises:
        CommandError: it cannot be reached, or it refused; the code says which.
    """
    if place.address:
        return asyncio.run(_ask_once(place, question))
    ensure_running(place)
    try:
        return asyncio.run(_ask_once(place, question))
    except CommandError as error:
        if error.code is not ExitCode.UNREACHABLE:
            raise
    # An idle control plane may have been on its way out when we came: once more, with a new one.
    ensure_running(place)
    return asyncio.run(_ask_once(place, question))


@contextmanager
def explained() -> Iterator[None]:
    """Turn what gRPC and the codec raise into `CommandError`."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        code = _CODES.get(error.code(), ExitCode.UNREACHABLE)
        said = error.details() or error.code().name.lower().replace("_", " ")
        prefix = "the control plane did not answer: " if code is ExitCode.UNREACHABLE else ""
        raise CommandError(code, prefix + said) from error
    except (ValueError, OverflowError) as error:  # CodecError, or a time beyond the calendar
        raise CommandError(ExitCode.UNREACHABLE, f"the control plane sent what is not an answer: {error}") from error


async def _ask_once(place: Place, question: Callable[[Control], Awaitable[T]]) -> T:
    async with open_channel(place) as channel:
        with explained():
            return await question(Control(channel))


def _wire(workload: Workload | None) -> WireWorkload | None:
    return workload_to_wire(workload) if workload else None
