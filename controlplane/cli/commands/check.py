"""`inscope check`: each mechanism of this kernel and machine, tried: works or not, and what is lost without it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.output import add_output_argument, cell, emit, print_json, table
from controlplane.cli.parser import Commands, add_command
from controlplane.cli.place import default_state
from inscope.mechanism import lacking

if TYPE_CHECKING:
    from controlplane.cli.probes import Mechanism


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "check",
        main,
        "try each mechanism that inscope uses here, and say what is lost without it",
        example="inscope check -o json | jq '.[] | select(.works | not)'",
        codes="0 observe works here · 1 it does not (the rows marked `needed` say why) · 2 usage",
    )
    parser.add_argument("--state", metavar="DIR", help="the state folder to try (default: as for every command)")
    add_output_argument(parser)


def main(arguments: argparse.Namespace) -> int:
    """Try them all."""
    state = Path(arguments.state).absolute() if arguments.state else default_state(os.environ)
    found = mechanisms(state)
    if arguments.output == "json":
        print_json([_fields(each) for each in found])
    else:
        _print(found)
    return ExitCode.OK if observe_works(found) else ExitCode.NO


def mechanisms(state: Path) -> list[Mechanism]:
    """Everything that was tried, what observe needs first."""
    from controlplane.cli.init_binary import init_binary
    from controlplane.cli.probes import InitCheckError, Mechanism, init_mechanisms, memory_mechanism, python_mechanisms

    lost = "no program can be started under watch"
    try:
        init = init_binary(os.environ)
        kernel = init_mechanisms(init)
        found = [Mechanism("inscope-init", True, str(init), "", lost), memory_mechanism(kernel), *kernel]
    except (CommandError, InitCheckError) as error:
        found = [Mechanism("inscope-init", False, str(error), "", lost)]
    found += python_mechanisms(state)
    return sorted(found, key=lambda each: not each.needed)


def observe_works(found: Iterable[Mechanism]) -> bool:
    """Whether everything that observe needs was tried and works."""
    from controlplane.cli.probes import NEEDED_TO_OBSERVE

    return {each.mechanism for each in found if each.works} >= NEEDED_TO_OBSERVE


def why_not_enforce(found: Iterable[Mechanism]) -> list[str]:
    """What enforce lacks here, a name or a choice of names each; empty where it holds."""
    works = {each.mechanism for each in found if each.works}
    return [" or ".join(sorted(need.either)) for need in lacking(works)]


def _fields(each: Mechanism) -> dict[str, object]:
    return {**asdict(each), "needed": each.needed, "needed_to_enforce": each.needed_to_enforce}


def _need(each: Mechanism) -> str:
    if each.needed:
        return "needed"
    return "to enforce" if each.needed_to_enforce else ""


def _verdict(found: list[Mechanism]) -> str:
    if not observe_works(found):
        return "Observe does not work here: see `needed`."
    why_not = why_not_enforce(found)
    if why_not:
        return f"Observe and detect work here. Enforce is refused here: it lacks {', '.join(why_not)}."
    return "Observe, detect and enforce work here."


def _print(found: list[Mechanism]) -> None:
    rows = table("MECHANISM", "WORKS", "NEEDED", "DETAIL", "KERNEL", "WITHOUT IT", fixed=("MECHANISM",))
    for each in found:
        works = cell("yes", "green") if each.works else cell("no", "red" if _need(each) else "yellow")
        lost = "" if each.works else each.lost_without
        rows.add_row(
            cell(each.mechanism), works, cell(_need(each)), cell(each.detail), cell(each.minimum_kernel), cell(lost)
        )
    emit(rows, cell(""), cell(_verdict(found)))
