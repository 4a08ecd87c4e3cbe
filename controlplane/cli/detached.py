"""Processes of our own that outlive the command which starts them: the control plane and the sidecar."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

READY_SECONDS = 10.0
"""How long a process may take until it serves. Start-up is well under one second; a loaded machine needs the rest."""

LOG_LINES = 12
"""How much of a log is shown when a process did not start."""

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "PYTHONHOME", "LD_LIBRARY_PATH")
_KEPT_FAMILIES = ("LC_", "XDG_", "OTEL_", "INSCOPE_", "GRPC_", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")


class NotReadyError(Exception):
    """The process ended or stayed silent; the message has the last lines of its log."""


def start_detached(
    module: str, arguments: Sequence[str], log: Path, seconds: float = READY_SECONDS, hold: tuple[int, ...] = ()
) -> None:
    """Run `python -m MODULE ARGUMENTS --ready-fd N` in a session of its own and wait until it says `ready` there.

    It keeps the descriptors of `hold` open for as long as it lives.

    Raises:
        NotReadyError: it ended, or was not ready in time (then it is ended).
        OSError: it could not be started at all.
    """
    offset = log.stat().st_size if log.exists() else 0
    ready, theirs = os.pipe()
    with open(ready, "rb", buffering=0):  # noqa: PTH123 - a descriptor, not a path
        try:
            pid = _spawn([*_interpreter(), "-m", module, *arguments, "--ready-fd", str(theirs)], log, (theirs, *hold))
        finally:
            os.close(theirs)
        why = _wait(ready, seconds)
    if why:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        raise NotReadyError(f"{why}{_tail(log, offset)}")


def start_unattended(module: str, arguments: Sequence[str], log: Path, hold: tuple[int, ...] = ()) -> None:
    """The same without waiting: whether it ever was ready, its log says.

    Raises:
        NotReadyError, OSError: it could not be started at all.
    """
    _spawn([*_interpreter(), "-m", module, *arguments], log, hold)


def service_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What our own processes need of the user's environment: the agent's secrets in it are none of their business."""
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_FAMILIES)}
    if path := environ.get("PYTHONPATH"):
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(part).absolute()) for part in path.split(os.pathsep) if part)
    return kept


def _interpreter() -> list[str]:
    # -P: a folder named `controlplane` or `sidecar` where the user happens to be is not ours.
    return [sys.executable, "-P"]


def _spawn(command: Sequence[str], log: Path, inherited: tuple[int, ...]) -> int:
    script = Path(__file__).with_name("detach.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), str(log), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=service_environment(os.environ),
        pass_fds=inherited,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        raise NotReadyError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return int(done.stdout)


def _wait(ready: int, seconds: float) -> str:
    """Why it is not ready, or nothing: it is."""
    readable, _, _ = select.select([ready], [], [], seconds)
    if not readable:
        return f"it was not ready within {seconds:g} s"
    return "" if os.read(ready, 64) else "it ended before it was ready"


def _tail(log: Path, offset: int) -> str:
    try:
        with log.open("rb") as lines:
            lines.seek(offset)
            text = lines.read(65536).decode(errors="replace")
    except OSError:
        return ""
    last = text.strip().splitlines()[-LOG_LINES:]
    return "".join(f"\n  {line}" for line in last) if last else f" (its log, {log}, is empty)"
