"""`inscope approve`: put what an alert found missing into scope, with a reason that is kept."""

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
        "approve",
        main,
        "put what an alert found missing into scope, for good",
        example="inscope approve AL-7 --reason 'new exporter, CHG-1234'",
        codes="0 approved · 1 it can never be in scope · 2 usage · 3 no such alert · 4 control plane unreachable · "
        "5 permission",
    )
    parser.add_argument("alert", metavar="ALERT", help="an alert's id, as `alerts` shows it")
    parser.add_argument("--reason", required=True, help="why this is in scope: kept with the alert")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Approve it."""
    from controlplane.cli.control import ask
    from controlplane.cli.documents import alert_document
    from controlplane.cli.tables import alert_block

    place = place_of(arguments, os.environ)
    alert = ask(place, lambda control: control.approve(arguments.alert, arguments.reason))
    if arguments.output == "json":
        print_json([alert_document(alert)])
    else:
        emit(alert_block(alert))
    return 0
