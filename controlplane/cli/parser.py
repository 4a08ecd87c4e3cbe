"""The command line's grammar, put together from the commands; each `--help` ends with an example and exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

from inscope.mode import Mode
from inscope.workload import InvalidWorkloadError, Workload

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command registers itself; argparse has no public name for it."""

READING_CODES = "0 done · 2 usage · 3 not found · 4 control plane unreachable · 5 permission"
"""Exit codes of a command that only reads."""


def add_command(
    commands: Commands,
    name: str,
    main: Callable[[argparse.Namespace], int],
    summary: str,
    example: str,
    codes: str = READING_CODES,
    usage: str | None = None,
) -> argparse.ArgumentParser:
    """A subcommand that `main` does, with the shape of help that all share."""
    parser = commands.add_parser(
        name,
        help=summary,
        usage=usage,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}\n\nexit codes:\n  {codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(main=main, parser=parser)
    return parser


def add_workload_argument(parser: argparse.ArgumentParser, optional: bool) -> None:
    """`WORKLOAD`, as a positional argument; without it all are meant where that is allowed."""
    said = "NAME for local/Process/NAME, or [CLUSTER/]NAMESPACE/KIND/NAME"
    if optional:
        parser.add_argument("workload", nargs="?", type=workload, metavar="WORKLOAD", help=f"{said} (default: all)")
    else:
        parser.add_argument("workload", type=workload, metavar="WORKLOAD", help=said)


def mode(text: str) -> Mode:
    """A mode typed by a person.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return Mode(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not observe, detect or enforce") from None


def workload(text: str) -> Workload:
    """A workload typed by a person.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return Workload.parse(text)
    except InvalidWorkloadError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
