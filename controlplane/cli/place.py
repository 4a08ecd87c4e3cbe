"""Which control plane a command talks to: the one that owns a state folder, or one at an address."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.address import Address, BadAddressError
from controlplane.cli.exit_codes import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class Place:
    """`address` is that of a control plane reached over mTLS; None: the one that owns `state`, by its socket."""

    state: Path
    credentials: Path
    address: Address | None = None

    @property
    def socket(self) -> Path:
        """The unix socket of the control plane that owns `state`."""
        return self.state / "control.sock"


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """`--state`, `--control-plane`, `--credentials`: what every command that talks to a control plane takes."""
    where = parser.add_argument_group("control plane")
    where.add_argument(
        "--state",
        metavar="DIR",
        help="state folder of a local control plane; it is started if it is not running "
        "(default: $INSCOPE_STATE, else ~/.local/state/inscope)",
    )
    where.add_argument("--control-plane", metavar="HOST:PORT", default="", help="a running control plane, over mTLS")
    where.add_argument(
        "--credentials",
        metavar="DIR",
        help="ca.pem, cert.pem and key.pem of an operator, for --control-plane (default: STATE/operator)",
    )


def place_of(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Place:
    """Read what `add_place_arguments` added.

    Raises:
        CommandError: `--control-plane` is not HOST:PORT, or no state folder can be named.
    """
    address = _address(arguments.control_plane) if arguments.control_plane else None
    state = Path(arguments.state).absolute() if arguments.state else default_state(environ)
    credentials = Path(arguments.credentials).absolute() if arguments.credentials else state / "operator"
    return Place(state, credentials, address)


def default_state(environ: Mapping[str, str]) -> Path:
    """$INSCOPE_STATE, else $XDG_STATE_HOME/inscope, else ~/.local/state/inscope.

    Raises:
        CommandError: there is no home folder to fall back on.
    """
    if named := environ.get("INSCOPE_STATE"):
        return Path(named).absolute()
    base = environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):  # the XDG specification: a relative path there is to be ignored
        return Path(base) / "inscope"
    try:
        return Path.home() / ".local/state/inscope"
    except RuntimeError:
        raise CommandError(ExitCode.USAGE, "no home folder is known: name a state folder with --state") from None


def _address(text: str) -> Address:
    try:
        address = Address.parse(text)
    except BadAddressError as error:
        raise CommandError(ExitCode.USAGE, f"--control-plane: {error}") from error
    if not address.port:
        raise CommandError(ExitCode.USAGE, f"--control-plane: nothing can be reached at port 0 ({text})")
    return address
