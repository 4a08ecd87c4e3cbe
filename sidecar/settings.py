"""What an operator can set, from the command line; and the bounds that follow from it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_SPOOL_MIB = 64
DEFAULT_DRAIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are. `ready_fd` is -1 where nobody waits; `log` is None for standard error."""

    state: Path
    init_socket: Path
    join: Path
    log: Path | None
    ready_fd: int
    control_plane: str


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Seconds. `drain`: how long the agent's end waits for the last acknowledgement. `grace`: how long a sidecar waits
    for an init that is away; 0 waits for ever."""

    drain: float
    grace: float


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    places: Places
    lifetime: Lifetime
    spool_bytes: int


def read_settings(arguments: Sequence[str]) -> Settings:
    """Settings from a command line; exits with status 2 and a usage line where it is wrong."""
    given = _parser().parse_args(arguments)
    places = Places(given.state, given.init_socket, given.join, given.log, given.ready_fd, given.control_plane)
    grace = given.grace if given.exit_when_idle else 0.0
    return Settings(places, Lifetime(given.drain, grace), given.spool_mib << 20)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sidecar", description="Watches one agent for its control plane.")
    need = parser.add_argument
    need("--state", type=Path, required=True, metavar="DIR", help="folder for credentials and the spool, made 0700")
    need("--init-socket", type=Path, required=True, metavar="PATH", help="socket to make for inscope-init")
    need("--join", type=Path, required=True, metavar="FILE", help="join file (JSON, 0600)")
    need("--control-plane", default="", metavar="HOST", help="host, where it is not the join file's")
    need("--spool-mib", type=_positive, default=DEFAULT_SPOOL_MIB, metavar="N", help="bound of the disk queue")
    need("--log", type=Path, metavar="FILE", help="append log lines here instead of standard error")
    need("--ready-fd", type=int, default=-1, metavar="N", help="write `ready` there when init may connect")
    need("--drain", type=float, default=DEFAULT_DRAIN_S, metavar="S", help="seconds for the last acknowledgement")
    need("--exit-when-idle", action="store_true", help="end when init is gone for the grace time")
    need("--grace", type=float, default=30.0, metavar="S", help="that grace time in seconds")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
