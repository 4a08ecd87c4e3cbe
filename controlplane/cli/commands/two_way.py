"""`inscope two-way`: every finding is a tripwire, every alert was foreseen or says why not; `--prove` fires each."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from controlplane.cli.exit_codes import ExitCode
from controlplane.cli.output import add_output_argument, cell, emit, print_json
from controlplane.cli.parser import Commands, add_command, add_workload_argument
from controlplane.cli.place import add_place_arguments, place_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from inscope.v1 import operator_pb2 as pb

FAILED = "failed"
"""The proof of a tripwire that was armed and did not fire."""


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "two-way",
        main,
        "check that every finding arms a tripwire and every alert names its findings",
        example="inscope two-way support-agent --prove",
        codes="0 no blanks (and every proof fired) · 1 blanks, or a proof failed · 2 usage · 3 no such workload · "
        "4 control plane unreachable · 5 permission",
    )
    add_workload_argument(parser, optional=True)
    parser.add_argument(
        "--prove",
        action="store_true",
        help="make up each armed finding's crossing, run it through the real judge in a scratch copy of the store, "
        "and require an alert that names the finding",
    )
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Check it."""
    from controlplane.cli.control import ask, explained
    from controlplane.cli.documents import two_way_document

    place = place_of(arguments, os.environ)
    answer = ask(place, lambda control: control.two_way(arguments.workload, arguments.prove))
    with explained():
        if arguments.output == "json":
            print_json(two_way_document(answer))
        else:
            _print(answer, arguments.prove)
    return ExitCode.NO if answer.blanks or _failed(answer) else ExitCode.OK


def _failed(answer: pb.TwoWayResponse) -> int:
    return sum(finding.proof == FAILED for finding in answer.findings)


def _print(answer: pb.TwoWayResponse, prove: bool) -> None:
    from controlplane.cli.tables import blanks_table, foreseen_table, proofs_table
    from inscope.codec import alert_from_wire, finding_from_wire

    blocks: list[RenderableType] = []
    if answer.findings:
        findings = ((finding_from_wire(each.finding), each.proof, each.proof_reason) for each in answer.findings)
        blocks += [proofs_table(findings), cell("")]
    if answer.alerts:
        blocks += [foreseen_table(map(alert_from_wire, answer.alerts)), cell("")]
    if answer.blanks:
        blocks += [blanks_table(answer.blanks), cell("")]
    emit(*blocks, cell(_verdict(answer, prove)))


def _verdict(answer: pb.TwoWayResponse, prove: bool) -> str:
    armed = sum(each.finding.tripwire.armed for each in answer.findings)
    said = [f"{len(answer.findings)} findings, {armed} armed", f"{len(answer.alerts)} alerts"]
    said.append(f"{len(answer.blanks)} blanks")
    if prove:
        fired = sum(each.proof == "fired" for each in answer.findings)
        said.append(f"{fired} of {armed} armed tripwires fired when proved, {_failed(answer)} failed")
    return " · ".join(said)
