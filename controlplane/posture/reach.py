"""How far a workload's network reaches, as the survey says it: `unrestricted`, or only `loopback`."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

UNRESTRICTED = "unrestricted"
LOOPBACK = "loopback"


def reaches(destination: str, members: Collection[str]) -> bool:
    """Whether the egress that was surveyed covers a destination of the envelope; a unix socket is never egress."""
    if destination.startswith("unix:"):
        return False
    return UNRESTRICTED in members or (LOOPBACK in members and is_loopback(host_of(destination)))


def host_of(destination: str) -> str:
    """The host of `HOST:PORT/PROTOCOL`, without the brackets of IPv6."""
    return destination.rpartition("/")[0].rpartition(":")[0].removeprefix("[").removesuffix("]")


def is_loopback(host: str) -> bool:
    """Whether a name or an address stays on the machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
