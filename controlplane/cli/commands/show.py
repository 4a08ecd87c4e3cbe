"""`inscope show`: one workload's mode, readiness, references and coverage."""

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
        "show",
        main,
        "show a workload's mode, readiness to leave observe, references and coverage",
        example="inscope show support-agent --entries",
    )
    add_workload_argument(parser, optional=False)
    parser.add_argument("--entries", action="store_true", help="every entry of the references too, with its evidence")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Show it."""
    from controlplane.cli.control import ask, explained
    from controlplane.cli.detail_tables import detail_blocks
    from controlplane.cli.documents import detail_document

    place = place_of(arguments, os.environ)
    detail = ask(place, lambda control: control.show(arguments.workload, arguments.entries))
    with explained():
        if arguments.output == "json":
            print_json([detail_document(detail)])
        else:
            emit(*detail_blocks(detail))
    return 0
