"""`inscope mode`: move a workload between observe and detect; the gate explains itself in numbers."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.output import add_output_argument, cell, emit, print_json
from controlplane.cli.parser import Commands, add_command, add_workload_argument, mode
from controlplane.cli.place import add_place_arguments, place_of
from inscope.mode import Mode

if TYPE_CHECKING:
    from controlplane.cli.control import Control
    from inscope.v1 import operator_pb2 as pb


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "mode",
        main,
        "set what inscope does about a deviation: observe learns it, detect alerts on it",
        example="inscope mode support-agent detect",
        codes="0 set · 1 refused, with the gates · 2 usage · 3 no such workload · 4 control plane unreachable · "
        "5 permission",
    )
    add_workload_argument(parser, optional=False)
    parser.add_argument("mode", type=mode, metavar="MODE", help="observe, detect or enforce")
    parser.add_argument("--force", action="store_true", help="even though the gate is not met; this is recorded")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Set it, or say why not."""
    from controlplane.cli.control import ask

    place = place_of(arguments, os.environ)
    workload, wanted = arguments.workload, arguments.mode

    async def change(control: Control) -> tuple[list[pb.Gate], str]:
        return await control.set_mode(workload, wanted, arguments.force), ""

    try:
        gates, refused = ask(place, change)
    except CommandError as error:
        if error.code is not ExitCode.NO:
            raise
        refused = str(error)
        detail = ask(place, lambda control: control.show(workload))
        gates = list(detail.gates)
        wanted = _current(detail)
    _print(arguments, wanted, gates, refused)
    return ExitCode.NO if refused else ExitCode.OK


def _current(detail: pb.WorkloadDetail) -> Mode:
    from controlplane.cli.control import explained
    from inscope.codec import mode_from_wire

    with explained():
        return mode_from_wire(detail.summary.mode)


def _print(arguments: argparse.Namespace, now: Mode, gates: list[pb.Gate], refused: str) -> None:
    from controlplane.cli.documents import mode_document
    from controlplane.cli.tables import gates_table

    if arguments.output == "json":
        print_json([mode_document(str(arguments.workload), now, not refused, gates, refused)])
        return
    if refused:
        if arguments.mode is Mode.DETECT:  # the gates are about leaving observe, and about nothing else
            emit(gates_table(gates))
        emit(cell(f"inscope: {arguments.workload} stays in {now}: {refused}"), stream=sys.stderr)
    else:
        emit(cell(f"{arguments.workload} is in {now} now."))
