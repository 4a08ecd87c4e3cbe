"""What `quarantine` and `release` share: whom it is about, the order, and who does it."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.output import cell, emit, print_json
from controlplane.cli.place import place_of
from inscope.containment import Containment
from inscope.workload import InvalidWorkloadError, Workload

if TYPE_CHECKING:
    from controlplane.cli.confirmation import Confirmation
    from controlplane.cli.control import Control
    from inscope.v1 import operator_pb2 as pb


def contain(arguments: argparse.Namespace, containment: Containment) -> int:
    """Order it, wait for those it is about, and say what came of it; the exit status."""
    from controlplane.cli.control import ask
    from controlplane.cli.documents import containment_document

    async def order(control: Control) -> tuple[pb.ContainResponse, Confirmation]:
        answer = await _order(control, arguments.subject, containment, arguments.reason)
        return answer, await _confirmation(control, answer)

    answer, said = ask(place_of(arguments, os.environ), order)
    if arguments.output == "json":
        print_json([containment_document(answer, said)])
    else:
        _print(arguments.subject, containment, said)
    return ExitCode.NO if said.waiting else ExitCode.OK


async def _order(control: Control, subject: str, containment: Containment, reason: str) -> pb.ContainResponse:
    """A workload by that name, else an instance by that id."""
    import grpc

    try:
        return await control.contain(Workload.parse(subject), "", containment, reason)
    except InvalidWorkloadError as error:
        raise CommandError(ExitCode.USAGE, str(error)) from error
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND or "/" in subject:
            raise
    try:
        return await control.contain(None, subject, containment, reason)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        raise CommandError(ExitCode.NOT_FOUND, f"neither a workload nor an instance is known as {subject}") from error


async def _confirmation(control: Control, answer: pb.ContainResponse) -> Confirmation:
    """Each instance it is about should do what holds for it: its own, or the whole's where that is stricter."""
    from controlplane.cli.confirmation import confirmation
    from inscope.codec import workload_from_wire

    about = answer.instance
    return await confirmation(
        control,
        workload_from_wire(answer.workload),
        lambda each: each.containment == each.ordered or bool(about and each.id != about),
    )


def _print(subject: str, containment: Containment, said: Confirmation) -> None:
    from controlplane.cli.confirmation import confirmation_lines

    done = {Containment.FREE: "released", Containment.QUARANTINED: "quarantined", Containment.FROZEN: "frozen"}
    emit(cell(f"{subject} is {done[containment]}."), *map(cell, confirmation_lines(said)))
