"""`inscope mode`: move a workload between observe, detect and enforce; the gates explain themselves in numbers."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.output import add_output_argument, cell, emit, print_json
from controlplane.cli.parser import Commands, add_command, add_workload_argument, mode
from controlplane.cli.place import Place, add_place_arguments, place_of
from inscope.mode import Mode
from inscope.reference import TOLD_BY_LOGS, ReferenceKind

if TYPE_CHECKING:
    from controlplane.cli.confirmation import Confirmation
    from controlplane.cli.control import Control
    from inscope.v1 import operator_pb2 as pb

DAYS = 7.0
"""The days that the gate looks at."""


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "mode",
        main,
        "set what inscope does about a deviation: observe learns it, detect alerts on it, enforce denies it",
        example="inscope mode support-agent enforce --dry-run --days 14",
        codes="0 set, and every running instance does it · 1 refused, with the gates, or an instance does not do it · "
        "2 usage · 3 no such workload · 4 control plane unreachable · 5 permission",
    )
    add_workload_argument(parser, optional=False)
    parser.add_argument("mode", type=mode, metavar="MODE", help="observe, detect or enforce")
    parser.add_argument("--force", action="store_true", help="even though a gate is not met; this is recorded")
    parser.add_argument(
        "--dry-run", action="store_true", help="set nothing: list what enforce would have denied lately, grouped"
    )
    parser.add_argument(
        "--reference",
        choices=[str(kind) for kind in sorted(TOLD_BY_LOGS)],
        help="only this reference, which authorities' logs tell of (default: the whole workload)",
    )
    parser.add_argument("--days", type=float, metavar="N", help=f"with --dry-run: so far back (default: {DAYS:g})")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Set it, or say why not; or only tell what it would do."""
    place = place_of(arguments, os.environ)
    if arguments.dry_run:
        if arguments.mode is not Mode.ENFORCE or arguments.force:
            raise CommandError(ExitCode.USAGE, "--dry-run is for enforce, and changes nothing that could be forced")
        return _dry_run(place, arguments)
    if arguments.days is not None:
        raise CommandError(ExitCode.USAGE, "--days is for --dry-run")
    return _set(place, arguments)


def _dry_run(place: Place, arguments: argparse.Namespace) -> int:
    from controlplane.cli.control import ask, explained
    from controlplane.cli.documents import dry_run_document
    from controlplane.cli.dry_run_tables import dry_run_blocks

    days = DAYS if arguments.days is None else arguments.days
    answer = ask(place, lambda control: control.dry_run(arguments.workload, days))
    with explained():
        if arguments.output == "json":
            print_json([dry_run_document(str(arguments.workload), answer)])
        else:
            emit(*dry_run_blocks(arguments.workload, answer, days))
    return ExitCode.OK


def _set(place: Place, arguments: argparse.Namespace) -> int:
    from controlplane.cli.confirmation import Confirmation, confirmation
    from controlplane.cli.control import ask
    from inscope.codec import mode_to_wire

    workload, wanted = arguments.workload, arguments.mode
    reference = ReferenceKind(arguments.reference) if arguments.reference else None

    async def change(control: Control) -> tuple[list[pb.Gate], Confirmation]:
        gates = await control.set_mode(workload, wanted, arguments.force, reference)
        if reference is not None:  # judged by the control plane alone: no instance has to follow
            return gates, Confirmation((), (), 0.0)
        said = await confirmation(control, workload, lambda each: each.mode == mode_to_wire(wanted))
        return gates, said

    refused = ""
    try:
        gates, said = ask(place, change)
    except CommandError as error:
        if error.code is not ExitCode.NO:
            raise
        refused, said = str(error), Confirmation((), (), 0.0)
        detail = ask(place, lambda control: control.show(workload))
        gates = list(detail.enforce_gates if wanted is Mode.ENFORCE else detail.gates)
        wanted = _current(detail)
    _print(arguments, wanted, gates, refused, said)
    return ExitCode.NO if refused or said.waiting else ExitCode.OK


def _current(detail: pb.WorkloadDetail) -> Mode:
    from controlplane.cli.control import explained
    from inscope.codec import mode_from_wire

    with explained():
        return mode_from_wire(detail.summary.mode)


def _print(arguments: argparse.Namespace, now: Mode, gates: list[pb.Gate], refused: str, said: Confirmation) -> None:
    from controlplane.cli.confirmation import confirmation_lines
    from controlplane.cli.documents import mode_document
    from controlplane.cli.tables import gates_table

    if arguments.output == "json":
        print_json([mode_document(str(arguments.workload), now, gates, refused, said)])
        return
    if refused:
        emit(gates_table(gates))
        emit(cell(f"inscope: {arguments.workload} stays in {now}: {refused}"), stream=sys.stderr)
    else:
        what = f"The {arguments.reference} of {arguments.workload}" if arguments.reference else arguments.workload
        emit(cell(f"{what} is in {now} now."), *map(cell, confirmation_lines(said)))
