"""`inscope chain`: through which identities a workload reaches what it reaches."""

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
        "chain",
        main,
        "show the scope chain: workload, service account, cloud role, each step declared, observed or both",
        example="inscope chain analytics/Deployment/agent",
    )
    add_workload_argument(parser, optional=False)
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Show it."""
    from controlplane.cli.control import ask, explained
    from controlplane.cli.outside_documents import chain_document
    from controlplane.cli.outside_tables import chain_blocks

    detail = ask(place_of(arguments, os.environ), lambda control: control.outside(arguments.workload))
    with explained():
        if arguments.output == "json":
            print_json([chain_document(detail)])
        else:
            emit(*chain_blocks(detail))
    return 0
