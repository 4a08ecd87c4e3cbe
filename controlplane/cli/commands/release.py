"""`inscope release`: end a quarantine."""

from __future__ import annotations

import argparse

from controlplane.cli.commands.quarantine import CODES
from controlplane.cli.containing import contain
from controlplane.cli.output import add_output_argument
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import add_place_arguments
from inscope.containment import Containment


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "release",
        main,
        "end the quarantine of a workload or of one instance, and continue what was stopped",
        example="inscope release support-agent --reason 'INC-1234 closed'",
        codes=CODES,
    )
    parser.add_argument("subject", metavar="WORKLOAD|INSTANCE", help="as it was quarantined: each has its own")
    parser.add_argument("--reason", required=True, help="why: kept in the audit trail")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Let it go."""
    return contain(arguments, Containment.FREE)
