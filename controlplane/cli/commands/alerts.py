"""`inscope alerts`: what deviated, which references it left, and which finding had foreseen it."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from controlplane.cli.output import add_output_argument, emit, print_json, print_json_line
from controlplane.cli.parser import Commands, add_command, add_workload_argument
from controlplane.cli.place import Place, add_place_arguments, place_of
from controlplane.cli.since import since_seconds

if TYPE_CHECKING:
    from controlplane.cli.control import Control


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "alerts",
        main,
        "list what deviated, which references it left, and which finding had foreseen it",
        example="inscope alerts support-agent --since 1h",
    )
    add_workload_argument(parser, optional=True)
    parser.add_argument(
        "--follow", "-f", action="store_true", help="stay, and print each as it is raised (json: a line each)"
    )
    parser.add_argument("--since", metavar="WHEN", help="15m, 2h, 7d ago, or an RFC 3339 time (default: all)")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """List them, or follow."""
    place = place_of(arguments, os.environ)
    since = since_seconds(arguments.since, time.time()) if arguments.since else 0.0
    return _follow(place, arguments, since) if arguments.follow else _list(place, arguments, since)


def _list(place: Place, arguments: argparse.Namespace, since: float) -> int:
    from controlplane.cli.control import ask
    from controlplane.cli.documents import alert_document
    from controlplane.cli.tables import alert_block

    alerts = ask(place, lambda control: control.alerts(arguments.workload, since))
    if arguments.output == "json":
        print_json([alert_document(alert) for alert in alerts])
    elif alerts:
        emit(*map(alert_block, alerts))
    else:
        print("No alerts.")
    return 0


def _follow(place: Place, arguments: argparse.Namespace, since: float) -> int:
    from controlplane.cli.control import ask
    from controlplane.cli.documents import alert_document
    from controlplane.cli.tables import alert_block

    async def follow(control: Control) -> None:
        async for alert in control.follow(arguments.workload, since):
            if arguments.output == "json":
                print_json_line(alert_document(alert))
            else:
                emit(alert_block(alert))

    ask(place, follow)
    return 0
