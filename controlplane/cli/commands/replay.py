"""`inscope replay`: recorded logs of authorities through the same code as live ones, by the time of their events."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from controlplane.cli.output import add_output_argument, cell, emit, number, print_json
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import add_place_arguments, place_of

FORMATS = ("audit", "cloudtrail", "postgresql")


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "replay",
        main,
        "read recorded logs (Kubernetes audit, CloudTrail, PostgreSQL); the same file twice changes nothing",
        codes="0 done · 1 no such event is in the files · 2 usage · 4 control plane unreachable · 5 permission",
        example="inscope replay audit /var/log/kubernetes/audit*.log* --scope prod-eu",
    )
    parser.add_argument("log", choices=FORMATS, help="whose log it is")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="plain or gzip; - for standard input")
    parser.add_argument(
        "--scope",
        default="",
        metavar="NAME",
        help="the cluster's name, or HOST:PORT of the database server, where several are watched",
    )
    parser.add_argument(
        "--cluster",
        action="append",
        default=[],
        metavar="ISSUER=NAME",
        help="cloudtrail: which of several clusters an OIDC issuer, or an EKS cluster's name or ARN, is (repeatable)",
    )
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Read and send them."""
    from controlplane.cli.control import ask
    from controlplane.cli.replaying import reader_of, replayed
    from controlplane.cli.replaying_documents import replay_document, replay_lines

    place = place_of(arguments, os.environ)
    reader = reader_of(arguments.log, arguments.scope, arguments.cluster)
    done = ask(place, lambda control: replayed(control, arguments.log, arguments.files, reader))
    if arguments.output == "json":
        print_json([replay_document(done)])
    else:
        emit(*(cell(line) for line in replay_lines(done, number)))
    return 0
