"""How far a workload's network reaches, as the survey says it: `unrestricted`, or only `loopback`."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from inscope.behaviour import OWN_LISTENER, Protocol
from inscope.entry_text import read_destination

UNRESTRICTED = "unrestricted"
LOOPBACK = "loopback"


def reaches(destination: str, members: Collection[str]) -> bool:
    """Whether the egress that was surveyed covers a destination of the envelope; a unix socket is never egress."""
    where = read_destination(destination)
    if where is not None and where.protocol is Protocol.UNIX:
        return False
    return UNRESTRICTED in members or (LOOPBACK in members and where is not None and is_loopback(where.host))


def is_loopback(host: str) -> bool:
    """Whether a name or an address stays on the machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", OWN_LISTENER)
