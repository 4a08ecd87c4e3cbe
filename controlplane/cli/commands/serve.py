"""`inscope serve`: the control plane in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import default_state


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "serve",
        main,
        "run the control plane in the foreground",
        example="inscope serve --state /var/lib/inscope --listen 0.0.0.0:7443 --advertise control.example.org",
        codes="0 ended by SIGTERM or SIGINT · 1 could not serve (the message says why) · 2 usage · 5 permission",
    )
    parser.add_argument("--state", metavar="DIR", help="its state folder (default: as for every command)")
    parser.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:7443", help="default: %(default)s")
    parser.add_argument("--enrol-listen", metavar="HOST:PORT", default="127.0.0.1:7444", help="default: %(default)s")
    parser.add_argument(
        "--advertise", metavar="HOST", action="append", default=[], help="another name it is reached by"
    )

    parser.add_argument(
        "--reference-ttl",
        metavar="SECONDS",
        default="86400",
        help="how long sidecars go by their last reference while they cannot reach it (default: %(default)s, a day)",
    )
    parser.add_argument(
        "--on-lapse",
        choices=("keep", "observe"),
        default="keep",
        help="what they do then: keep to it and say so (default), or observe, which denies nothing any more",
    )
    parser.add_argument(
        "--on-crossing",
        choices=("alert", "quarantine"),
        default="alert",
        help="what follows, in enforce, where an authority's log tells of a deviation: an alert (default), or a "
        "quarantine of the workload until somebody releases it",
    )


def main(arguments: argparse.Namespace) -> int:
    """Become the control plane's process."""
    state = Path(arguments.state).absolute() if arguments.state else default_state(os.environ)
    command = [sys.executable, "-P", "-m", "controlplane", "--state", str(state)]
    command += ["--listen", arguments.listen, "--enrol-listen", arguments.enrol_listen]
    command += ["--reference-ttl", arguments.reference_ttl, "--on-lapse", arguments.on_lapse]
    command += ["--on-crossing", arguments.on_crossing]
    for host in arguments.advertise:
        command += ["--advertise", host]
    sys.stdout.flush()
    try:
        os.execv(command[0], command)  # noqa: S606 - an argv of ours, no shell wanted
    except OSError as error:
        raise CommandError(ExitCode.NO, f"cannot start {command[0]}: {error.strerror}") from error
