"""`python -m controlplane`: arguments, log and signals; the real clock and event loop are bound here."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from controlplane.address import Address, BadAddressError
from controlplane.pki.folder import KeyFolderError
from controlplane.serve.control_plane import CannotListenError
from controlplane.serve.native_log import gathered
from controlplane.serve.ownership import OwnedError
from controlplane.serve.process import Settings, serve
from controlplane.serve.push import DEFAULT_TERMS, Terms
from controlplane.store.port import StoreError
from inscope.lapse import Lapse
from inscope.reaction import Reaction
from inscope.text import printable

FAILED, USAGE, OWNED = 1, 2, 3

_EPILOG = """\
exit status: 0 told to end, or unused for --idle-exit seconds; 1 could not start, stderr (or the log) says why;
2 usage; 3 another control plane serves the state folder.

example: python -m controlplane --state ~/.local/state/inscope --listen 127.0.0.1:7443
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end; the exit status."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)  # nothing this process creates is for anybody else
    with gathered(logging.getLogger(__name__).warning):
        return _main(options)


def _main(options: argparse.Namespace) -> int:
    try:
        _open_log(options.log)
        settings = Settings(
            options.state.absolute(),
            options.listen,
            options.enrol_listen,
            tuple(options.advertise),
            options.idle_exit,
            Terms(options.reference_ttl, options.on_lapse),
            options.on_crossing,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, options.ready_fd))
    except OwnedError as error:
        logging.critical("%s", error)
        return OWNED
    except (StoreError, KeyFolderError, CannotListenError, OSError) as error:
        logging.critical("%s", error)
        return FAILED
    return 0


async def _serve(settings: Settings, ready_fd: int | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, os.environ, lambda: _say_ready(ready_fd), stop.wait)


def _say_ready(descriptor: int | None) -> None:
    if descriptor is None:
        return
    try:
        os.write(descriptor, b"ready\n")
        os.close(descriptor)
    except OSError as error:
        logging.warning("nobody waits for us to be ready: %s", error)


class _OneLine(logging.Formatter):
    """What peers sent must not break a line or a terminal; a traceback of ours may have many."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).splitlines())


def _open_log(path: Path | None) -> None:
    handler = logging.FileHandler(path) if path else logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m controlplane",
        description="The control plane: learns references, raises alerts, answers sidecars and operators.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="folder for the store and the keys")
    anywhere = Address("127.0.0.1", 0)
    parser.add_argument(
        "--listen",
        type=_address,
        default=anywhere,
        metavar="HOST:PORT",
        help="mTLS socket (default: loopback, a free port)",
    )
    parser.add_argument(
        "--enrol-listen",
        type=_address,
        default=anywhere,
        metavar="HOST:PORT",
        help="enrolment socket (default: likewise)",
    )
    parser.add_argument(
        "--advertise",
        action="append",
        default=[],
        metavar="HOST",
        help="a name or address we are reached by (repeatable)",
    )
    parser.add_argument(
        "--idle-exit", type=_seconds, default=0.0, metavar="SECONDS", help="end when unused for so long"
    )
    parser.add_argument(
        "--reference-ttl",
        type=_seconds,
        default=DEFAULT_TERMS.ttl,
        metavar="SECONDS",
        help="how long sidecars go by their last reference while they cannot reach us (default: %(default)g)",
    )
    parser.add_argument(
        "--on-lapse",
        type=Lapse,
        choices=list(Lapse),
        default=DEFAULT_TERMS.on_lapse,
        help="what they do then: keep to it and say so (default), or observe, which denies nothing any more",
    )
    parser.add_argument(
        "--on-crossing",
        type=Reaction,
        choices=list(Reaction),
        default=Reaction.ALERT,
        help="what follows, in enforce, where an authority's log tells of a deviation: alert (default), or quarantine "
        "the workload until somebody releases it",
    )
    parser.add_argument("--ready-fd", type=int, metavar="N", help="write `ready` to this descriptor when serving")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append the log here instead of stderr")
    return parser


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadAddressError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("a number of seconds above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
