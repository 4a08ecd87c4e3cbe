"""`inscope findings`: what is held and not used, each with the tripwire it arms."""

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
        "findings",
        main,
        "list what workloads hold and do not use, with the tripwire each finding arms",
        example="inscope findings support-agent -o json | jq -r '.[] | select(.tripwire.armed) | .sentence'",
    )
    add_workload_argument(parser, optional=True)
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """List them."""
    from controlplane.cli.control import ask
    from controlplane.cli.documents import finding_document
    from controlplane.cli.tables import findings_blocks

    findings = ask(place_of(arguments, os.environ), lambda control: control.findings(arguments.workload))
    if arguments.output == "json":
        print_json([finding_document(finding) for finding in findings])
    elif findings:
        emit(*findings_blocks(findings))
    else:
        print("No findings: nothing is known to be held and unused.")
    return 0
