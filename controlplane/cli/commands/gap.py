"""`inscope gap`: what a workload's identities were granted, and what of it was never exercised."""

from __future__ import annotations

import argparse
import os

from controlplane.cli.output import add_output_argument, emit, print_json
from controlplane.cli.parser import Commands, add_command, add_workload_argument
from controlplane.cli.place import add_place_arguments, place_of


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "gap",
        main,
        "show the permission gap: what a workload's identities are granted, by which path, and what was exercised",
        codes="0 done · 1 nothing to emit · 2 usage · 3 not found · 4 control plane unreachable · 5 permission",
        example="inscope gap analytics/Deployment/agent -o json | jq '.[].held[] | select(.used == [])'",
    )
    add_workload_argument(parser, optional=False)
    parser.add_argument(
        "--emit",
        choices=("rbac", "iam", "sql"),
        help="write the least-privilege roles, policy or grants instead: what was exercised, and nothing else",
    )
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Show it."""
    from controlplane.cli.control import ask, explained
    from controlplane.cli.emitting import remedy
    from controlplane.cli.outside_documents import gap_document
    from controlplane.cli.outside_tables import gap_blocks

    detail = ask(place_of(arguments, os.environ), lambda control: control.outside(arguments.workload))
    with explained():
        if arguments.emit:
            print(remedy(arguments.emit, detail), end="")
        elif arguments.output == "json":
            print_json([gap_document(detail)])
        else:
            emit(*gap_blocks(detail))
    return 0
