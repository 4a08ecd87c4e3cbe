"""Where this control plane can be reached: addresses as text, and the file that tells others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from controlplane.pki.folder import write_private


class BadAddressError(ValueError):
    """Not HOST:PORT; whoever typed it is at fault."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name or a literal, IPv6 without brackets) and a port; port 0 takes a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `HOST:PORT` or `[IPV6]:PORT`.

        Raises:
            BadAddressError: anything else.
        """
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        plain = host[1:-1] if bracketed else host
        number = int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else -1
        if not colon or not plain or (":" in plain) != bracketed or not 0 <= number < 65_536:
            raise BadAddressError(f"expected HOST:PORT, got {text[:200]!r}")
        return cls(plain, number)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`STATE/endpoint.json`, there while the process serves. `started` is seconds since the epoch."""

    pid: int
    started: float
    stream: str
    enrolment: str
    socket: str
    server_name: str

    def write(self, path: Path) -> None:
        """Tell others, in one step."""
        write_private(path, (json.dumps(asdict(self), indent=1) + "\n").encode())
