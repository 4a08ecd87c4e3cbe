"""`inscope workloads`: everything that was ever watched."""

from __future__ import annotations

import argparse
import os

from controlplane.cli.output import add_output_argument, emit, print_json
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import add_place_arguments, place_of


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "workloads",
        main,
        "list the workloads that are or were watched",
        example="inscope workloads -o json | jq -r '.[] | select(.ready) | .workload'",
    )
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """List them."""
    from controlplane.cli.control import ask, explained
    from controlplane.cli.documents import workload_document
    from controlplane.cli.tables import workloads_table

    summaries = ask(place_of(arguments, os.environ), lambda control: control.workloads())
    with explained():
        if arguments.output == "json":
            print_json([workload_document(summary) for summary in summaries])
        elif summaries:
            emit(workloads_table(summaries))
        else:
            print("Nothing was ever watched here. Try: inscope run --name NAME -- COMMAND")
    return 0
