"""`inscope`: the command line. Everything heavy is imported by the command that needs it, so that `--help` is quick."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from controlplane.cli.commands import (
    alerts,
    approve,
    chain,
    check,
    findings,
    gap,
    import_,
    mode,
    quarantine,
    release,
    replay,
    run,
    serve,
    show,
    two_way,
    workloads,
)
from controlplane.cli.exit_codes import CommandError
from inscope.text import printable

COMMANDS = (
    run, serve, workloads, show, findings, alerts, mode, approve, quarantine, release, import_, replay, gap, chain,
    two_way, check,
)  # fmt: skip
"""In the order in which a newcomer meets them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments, unknown = build_parser().parse_known_args(words)
    if unknown:
        arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        status: int = arguments.main(arguments)
        sys.stdout.flush()
    except CommandError as error:
        _complain(str(error))
        return error.code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        _forget_stdout()
        return 128 + signal.SIGPIPE
    return status


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    parser = argparse.ArgumentParser(
        prog="inscope",
        description="Runtime security for AI agents: posture says what is in scope, detection reads it.",
        epilog="`inscope COMMAND --help` has an example and the exit codes of each. Docs: docs/cli.md",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser


class _Version(argparse.Action):
    """`--version`, looking it up only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"inscope {version('inscope')}")
        except PackageNotFoundError:
            print("inscope (not installed)")
        parser.exit()


def _complain(message: str) -> None:
    with suppress(OSError):
        print("inscope: " + "\n".join(map(printable, message.split("\n"))), file=sys.stderr)


def _forget_stdout() -> None:
    # Python flushes stdout once more when it ends, and would report the same broken pipe.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
