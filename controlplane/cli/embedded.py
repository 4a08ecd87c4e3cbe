"""The control plane that a state folder brings along: started when it is not running, once, by whoever comes first."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from controlplane.address import UNIX_PATH_MAX
from controlplane.cli.detached import NotReadyError, start_detached
from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.place import Place

IDLE_EXIT_SECONDS = 30
"""An embedded control plane ends itself when nobody has used it for so long."""

LAST_ENDPOINT = "last-endpoint.json"
"""The endpoint file of the control plane that was started last, kept when it has ended."""


def ensure_running(place: Place) -> None:
    """Make the control plane of `place.state` answer, starting it when it does not. Two at once start one.

    Raises:
        CommandError: the folder cannot be used, or the control plane did not start; says why.
    """
    _check_length(place.socket)
    if is_running(place.socket):
        return
    with _forbidden_explained(place.state):
        place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _starting(place.state):
            if not is_running(place.socket):
                _start(place)


def is_running(path: Path) -> bool:
    """Whether somebody accepts connections there: a socket left behind by a crash does not.

    Raises:
        CommandError: somebody else's, and not ours to use.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except PermissionError as error:
            raise CommandError(ExitCode.FORBIDDEN, f"{path} belongs to somebody else: {error.strerror}") from error
        except OSError:
            return False
    return True


def _start(place: Place) -> None:
    again = _same_ports(place.state)
    try:
        try:
            _start_on(place.state, again)
        except NotReadyError:
            if not again or is_running(place.socket):
                raise
            _start_on(place.state, [])  # somebody else may have the ports by now
    except NotReadyError as error:
        # Somebody may have started `inscope serve` on the folder in the meantime: then that one is meant.
        if not is_running(place.socket):
            raise CommandError(ExitCode.UNREACHABLE, f"the control plane did not start: {error}") from error
    _remember_ports(place.state)


def _start_on(state: Path, ports: list[str]) -> None:
    arguments = ["--state", str(state), "--idle-exit", str(IDLE_EXIT_SECONDS), *ports]
    start_detached("controlplane", arguments, state / "controlplane.log")


def _same_ports(state: Path) -> list[str]:
    """The ports of the one before: sidecars that it left behind find this one there."""
    try:
        said = json.loads((state / LAST_ENDPOINT).read_bytes())
        return ["--listen", str(said["stream"]), "--enrol-listen", str(said["enrolment"])]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _remember_ports(state: Path) -> None:
    with suppress(OSError):  # then sidecars that outlive this control plane will not find the next one
        shutil.copyfile(state / "endpoint.json", state / LAST_ENDPOINT)


@contextmanager
def _starting(state: Path) -> Iterator[None]:
    descriptor = os.open(state / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _forbidden_explained(state: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = ExitCode.FORBIDDEN if isinstance(error, PermissionError) else ExitCode.UNREACHABLE
        raise CommandError(
            code, f"cannot use the state folder {state}: {error.strerror} (--state names another)"
        ) from error


def _check_length(path: Path) -> None:
    if len(os.fsencode(path)) > UNIX_PATH_MAX:
        most = UNIX_PATH_MAX - len("/control.sock")
        raise CommandError(
            ExitCode.USAGE, f"the state folder's path is too long for a socket in it (at most {most} bytes)"
        )
