"""The ticket service that the agent works for, on two fixed loopback ports. Standard library only.

Tickets and downloads are on the first; the second is the attacker's collector, which the agent has no business with.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import threading
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from elf import hello_program

TICKETS_PORT = 18431
COLLECTOR_PORT = 18432
LOOPBACK = "127.0.0.1"


SPARE = ("libBrokenLocale.so.1", "libanl.so.1", "libnsl.so.1")
"""Libraries that every glibc system has and hardly anything loads."""


def spare_library() -> bytes | None:
    """One of them, a little longer: a library of which nobody has the hash."""
    for name in SPARE:
        with suppress(OSError):
            ctypes.CDLL(name)
            mapped = Path("/proc/self/maps").read_text().splitlines()
            path = next(line.split()[-1] for line in mapped if line.endswith(name))
            return Path(path).read_bytes() + b"copied"
    return None


class Tickets(BaseHTTPRequestHandler):
    """`/tickets/N` are the texts of a folder; `/downloads/` has a program and a library for this machine."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]  # what socketserver passes on

    def do_GET(self) -> None:
        """Answer."""
        body = self._body()
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def _body(self) -> bytes | None:
        match self.path:
            case "/downloads/helper":
                return hello_program()
            case "/downloads/plugin.so":
                return spare_library()
        ticket = self.folder / f"{self.path.removeprefix('/tickets/')}.txt"
        return ticket.read_bytes() if ticket.parent == self.folder and ticket.is_file() else None

    def log_message(self, *_: object) -> None:
        """Say nothing: the demo's screen is the agent's."""


class Collector(Tickets):
    """Takes whatever it is sent."""

    def _body(self) -> bytes | None:
        return b"thank you\n"


def main() -> None:
    """Serve until killed; says `ready` when both ports listen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tickets", type=Path, help="folder of the tickets' texts")
    folder = parser.parse_args().tickets
    try:
        tickets = ThreadingHTTPServer((LOOPBACK, TICKETS_PORT), partial(Tickets, folder))
        collector = ThreadingHTTPServer((LOOPBACK, COLLECTOR_PORT), partial(Collector, folder))
    except OSError as error:
        sys.exit(f"cannot listen on {LOOPBACK}:{TICKETS_PORT} and :{COLLECTOR_PORT}: {error.strerror}")
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    print("ready", flush=True)
    tickets.serve_forever()


if __name__ == "__main__":
    main()
