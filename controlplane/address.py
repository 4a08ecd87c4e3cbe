"""Where a control plane is reached: what its commands and its sockets must agree on."""

from __future__ import annotations

from dataclasses import dataclass

SERVER_NAME = "inscope-controlplane"
"""The DNS name that every server certificate carries: clients verify it whatever address they dial."""

UNIX_PATH_MAX = 107
"""Bytes of a unix socket's path: `sun_path` less its NUL, unix(7)."""


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
