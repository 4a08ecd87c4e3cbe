"""`inscope run`: watch a command that notices nothing of it.

The shell's process becomes inscope-init, so that signals, job control and the exit status are the command's own.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Never

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.handover import Inherited, become, remember
from controlplane.cli.init_binary import init_binary
from controlplane.cli.parser import Commands, add_command, mode
from controlplane.cli.place import Place, add_place_arguments, place_of
from inscope.mode import Mode
from inscope.text import printable
from inscope.workload import InvalidWorkloadError, Workload

if TYPE_CHECKING:
    from controlplane.cli.control import Control
    from inscope.v1 import operator_pb2 as pb

LOOPBACK = "127.0.0.1"
"""Where the sidecar reaches a control plane that shares its machine."""

LEVELS = ("off", "watched", "all")


def register(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "run",
        main,
        "run a command under watch, unchanged",
        usage="inscope run [options] -- COMMAND [ARGUMENT...]",
        example="inscope run --name support-agent -- python3 agent.py --verbose",
        codes="the command's own (127 not found, 126 not executable, 128+N killed by signal N) · "
        "125 inscope could not start it: nothing was run",
    )
    parser.error = _usage_error(parser)  # type: ignore[method-assign,assignment]  # as env and nice: 125 is never the command's own
    parser.add_argument("--name", help="the workload is local/Process/NAME (default: the command's file name)")
    parser.add_argument(
        "--mode",
        type=mode,
        metavar="MODE",
        help="observe, detect or enforce (default: a workload keeps its mode, a new one observes)",
    )
    parser.add_argument("--force", action="store_true", help="change the mode even though the gate is not met")
    for name in ("reads", "writes"):
        parser.add_argument(f"--{name}", choices=LEVELS, default="watched", help=f"which {name} of files are seen")
    add_place_arguments(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def main(arguments: argparse.Namespace) -> int:
    """Watch it: returns only when nothing could be run."""
    inherited = remember()
    try:
        return _run(arguments, inherited)
    except CommandError as error:
        raise CommandError(ExitCode.NOT_STARTED, f"{error}\nNothing was run.") from error


def workload_for(name: str | None, command: str) -> Workload:
    """The workload a run belongs to; a file name loses what a workload's name may not have.

    Raises:
        CommandError: no name can be made of it.
    """
    made = name if name is not None else re.sub(r"[^A-Za-z0-9._-]+", "-", Path(command).name).strip("._-")
    try:
        return Workload("local", "Process", made)
    except InvalidWorkloadError as error:
        said = f"--name: {error}" if name is not None else f"{printable(command)[:80]!r} gives no name: use --name"
        raise CommandError(ExitCode.USAGE, said) from None


def _run(arguments: argparse.Namespace, inherited: Inherited) -> int:
    command = arguments.command[arguments.command[:1] == ["--"] :]
    if not command:
        raise CommandError(ExitCode.USAGE, "run what? usage: inscope run [options] -- COMMAND [ARGUMENT...]")
    workload = workload_for(arguments.name, command[0])
    init = init_binary(os.environ)
    place = place_of(arguments, os.environ)
    socket, must_deny = _watch(place, workload, arguments.mode, arguments.force)
    stance = ["--enforce"] if must_deny else []
    levels = ["--reads", arguments.reads, "--writes", arguments.writes]
    if sys.stdout is not None:  # the caller may have closed it
        sys.stdout.flush()
    try:
        become(init, ["--front", "--socket", str(socket), *stance, *levels, "--", *command], inherited)
    except OSError as error:
        raise CommandError(ExitCode.NOT_STARTED, f"cannot start {init}: {error.strerror}") from error


def _watch(place: Place, workload: Workload, mode: Mode | None, force: bool) -> tuple[Path, bool]:
    """Settle the mode, enrol, start the sidecar: the socket it listens on for init, and whether init must deny."""
    from controlplane.cli.control import ask
    from controlplane.cli.watcher import denies

    async def join(control: Control) -> pb.JoinToken:
        await _settle_mode(control, workload, mode, force)
        return await control.join_token(workload, mode)

    token = ask(place, join)
    try:
        return _start_watcher(place, workload, token), denies(token)
    except CommandError:
        with suppress(CommandError):  # then it is told as a lost run, which it is not quite
            ask(place, lambda control: control.withdraw(token))
        raise


def _start_watcher(place: Place, workload: Workload, token: pb.JoinToken) -> Path:
    from controlplane.cli.run_folder import left_behind, make_run_folder, sweep
    from controlplane.cli.watcher import deliver, start_watcher

    now = time.time()
    sweep(place.state, now)
    for earlier in left_behind(place.state, now):
        deliver(earlier)
    folder = make_run_folder(place.state)
    start_watcher(folder, token, workload, place.address.host if place.address else LOOPBACK)
    return folder.socket


async def _settle_mode(control: Control, workload: Workload, mode: Mode | None, force: bool) -> None:
    """Bring a known workload to `mode`; a new one is brought there by its token, if it may begin so."""
    if mode is None:
        return
    current = await _mode_of(control, workload)
    if current is None and mode is not Mode.OBSERVE and not force:
        again = shlex.join(["inscope", "run", "--name", workload.name])
        said = f"{workload} is new and has learned nothing: observe it first ({again} -- …), or --force"
        raise CommandError(ExitCode.NO, said)
    if current is not None and current is not mode:
        await control.set_mode(workload, mode, force)


async def _mode_of(control: Control, workload: Workload) -> Mode | None:
    from inscope.codec import mode_from_wire, workload_to_wire

    wire = workload_to_wire(workload)
    modes = (mode_from_wire(each.mode) for each in await control.workloads() if each.workload == wire)
    return next(modes, None)


def _usage_error(parser: argparse.ArgumentParser) -> Callable[[str], Never]:
    def error(message: str) -> Never:
        parser.print_usage(sys.stderr)
        parser.exit(ExitCode.NOT_STARTED, f"inscope run: {message}\n")

    return error
