"""`inscope approve`: put what an alert found missing, or a dry run lists, into scope, with a reason that is kept."""

from __future__ import annotations

import argparse
import os

from controlplane.cli.output import add_output_argument, cell, emit, number, print_json
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import Place, add_place_arguments, place_of

GROUP = "DG-"
"""How the id of a group begins."""


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "approve",
        main,
        "put what an alert found missing, or what a group of a dry run lacked, into scope, for good",
        example="inscope approve AL-7 --reason 'new exporter, CHG-1234'",
        codes="0 approved · 1 it can never be in scope · 2 usage · 3 no such alert or group · "
        "4 control plane unreachable · 5 permission",
    )
    parser.add_argument(
        "subject", metavar="ALERT|GROUP", help="an id as `alerts` shows it, or `mode W enforce --dry-run` (DG-…)"
    )
    parser.add_argument(
        "--reason", required=True, help="why this is in scope: kept with the alert and in the audit trail"
    )
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Approve it."""
    place = place_of(arguments, os.environ)
    if arguments.subject.startswith(GROUP):
        return _approve_group(place, arguments)
    return _approve_alert(place, arguments)


def _approve_group(place: Place, arguments: argparse.Namespace) -> int:
    from controlplane.cli.control import ask, explained
    from controlplane.cli.documents import group_document

    group = ask(place, lambda control: control.approve_group(arguments.subject, arguments.reason))
    with explained():
        if arguments.output == "json":
            print_json([group_document(group)])
        else:
            said = f"{group.kind} by {group.actor or 'the runtime'}: {group.target}"
            emit(cell(f"{group.id} is in scope now: {said} ({number(len(group.missing))} entries)."))
    return 0


def _approve_alert(place: Place, arguments: argparse.Namespace) -> int:
    from controlplane.cli.control import ask
    from controlplane.cli.documents import alert_document
    from controlplane.cli.tables import alert_block

    alert = ask(place, lambda control: control.approve(arguments.subject, arguments.reason))
    if arguments.output == "json":
        print_json([alert_document(alert)])
    else:
        emit(alert_block(alert))
    return 0
