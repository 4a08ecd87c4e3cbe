"""`inscope import`: what authorities declare, out of files: who was granted what, and how identities lead on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.output import add_output_argument, cell, emit, print_json
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import add_place_arguments, place_of

FORMATS = ("rbac", "iam", "postgresql")


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "import",
        main,
        "read what authorities declare (Kubernetes RBAC, AWS IAM, PostgreSQL) instead of what was read before",
        example="inscope import rbac cluster.yaml   # or, of a running cluster:\n"
        "  kubectl get roles,clusterroles,rolebindings,clusterrolebindings,sa,deploy,rs,pods -A -o json | "
        "inscope import rbac -",
    )
    parser.add_argument("what", choices=FORMATS, help="whose declarations they are")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="YAML or JSON; - for standard input")
    parser.add_argument(
        "--scope",
        default="",
        metavar="NAME",
        help="the cluster's name, or HOST:PORT of the database server, where several are watched",
    )
    parser.add_argument(
        "--query", action="store_true", help="postgresql: print the script for psql whose output is to be imported"
    )
    parser.add_argument(
        "--cluster",
        action="append",
        default=[],
        metavar="ISSUER=NAME",
        help="iam: which of several clusters an OIDC issuer, or an EKS cluster's name or ARN, is (repeatable)",
    )
    parser.add_argument(
        "--server",
        metavar="CONNINFO",
        help="postgresql: ask a running server, all its databases (libpq's connection string; the password from "
        "PGPASSWORD or a password file)",
    )
    parser.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help="postgresql: what columns hold, a list of your own (docs/postgresql.md)",
    )
    parser.add_argument(
        "--live", action="store_true", help="iam: ask the account itself, with the credentials that boto3 finds"
    )
    add_output_argument(parser)
    add_place_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Read and send them."""
    if arguments.query:
        if arguments.what != "postgresql" or arguments.files:
            raise CommandError(ExitCode.USAGE, "--query is for postgresql, and reads no file")
        from controlplane.sources.postgresql import CATALOG

        print(CATALOG, end="")
        return 0
    if arguments.server and (arguments.what != "postgresql" or arguments.files):
        raise CommandError(ExitCode.USAGE, "--server is for postgresql, instead of files")
    if arguments.live and (arguments.what != "iam" or arguments.files):
        raise CommandError(ExitCode.USAGE, "--live is for iam, instead of files")
    if not (arguments.files or arguments.server or arguments.live):
        raise CommandError(ExitCode.USAGE, "name the files to read, or - for standard input")
    if arguments.classes and arguments.what != "postgresql":
        raise CommandError(ExitCode.USAGE, "--classes is for postgresql")
    from controlplane.cli.control import ask
    from controlplane.cli.importing import declaration_of, declared, live_declaration

    if arguments.live:
        declaration = live_declaration(arguments.cluster)
    else:
        declaration = declaration_of(
            arguments.what, arguments.files, arguments.scope, arguments.cluster, arguments.classes, arguments.server
        )
    answer = ask(place_of(arguments, os.environ), lambda control: declared(control, declaration))
    if arguments.output == "json":
        print_json([answer.document])
    else:
        emit(*map(cell, answer.lines))
    return 0
