"""`inscope quarantine`: cut a workload or one instance of it off, and stop it if asked to."""

from __future__ import annotations

import argparse

from controlplane.cli.containing import contain
from controlplane.cli.output import add_output_argument
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import add_place_arguments
from inscope.containment import Containment

CODES = (
    "0 done, and every running instance does it · 1 refused, or an instance does not do it · 2 usage · "
    "3 no such workload or instance · 4 control plane unreachable · 5 permission"
)


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "quarantine",
        main,
        "let nothing in or out of a workload, or of one instance, until it is released; its mode stays what it is",
        example="inscope quarantine support-agent --freeze --reason 'AL-7, INC-1234'",
        codes=CODES,
    )
    parser.add_argument("subject", metavar="WORKLOAD|INSTANCE", help="a workload, or an instance's id as `show` has it")
    parser.add_argument(
        "--freeze", action="store_true", help="stop its processes as well (SIGSTOP); release continues them"
    )
    parser.add_argument("--reason", required=True, help="why: kept in the audit trail")
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Cut it off."""
    return contain(arguments, Containment.FROZEN if arguments.freeze else Containment.QUARANTINED)
