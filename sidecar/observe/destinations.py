"""Socket addresses to destinations and listening ports, in the form that references keep them."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from functools import lru_cache

from inscope.behaviour import Protocol
from sidecar.normalise.text import text_of
from sidecar.observe.bodies import Address

EPHEMERAL = 0
"""The port of a listener whose number the kernel chose: it differs each time and says nothing."""

_FAMILY_NAMES = {
    int(family): family.name.removeprefix("AF_").lower() for family in socket.AddressFamily if family.name[:3] == "AF_"
}
_SILENT = frozenset({socket.AF_UNSPEC, socket.AF_NETLINK})
"""AF_UNSPEC dissolves an association, AF_NETLINK talks to the kernel: neither is a destination."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address in canonical text. `host` is an IP address, a socket's path, or else the name of a family."""

    host: str
    port: int
    protocol: Protocol


def destination_of(address: Address, *, datagram: bool) -> Endpoint | None:
    """Where a connect or an addressed send goes; None where that is no destination.

    Where init could not learn the socket's type it is taken from the call: `datagram` for the sends.
    """
    if address.family in _SILENT or not address.length:
        return None
    return _endpoint(address, _protocol(address, Protocol.UDP if datagram else Protocol.TCP))


def listener_of(address: Address, *, ephemeral_from: int) -> Endpoint | None:
    """What a listen accepts on. Ports from `ephemeral_from` on, and none, are `EPHEMERAL`."""
    endpoint = _endpoint(address, _protocol(address, Protocol.TCP))
    if endpoint.protocol in (Protocol.TCP, Protocol.UDP) and endpoint.port >= ephemeral_from:
        return Endpoint(endpoint.host, EPHEMERAL, endpoint.protocol)
    return endpoint


def receiver_of(address: Address, *, ephemeral_from: int) -> Endpoint | None:
    """What a bind receives on: a datagram socket with a port. Stream sockets do at their listen."""
    internet = address.family in (socket.AF_INET, socket.AF_INET6)
    if not internet or address.type != socket.SOCK_DGRAM or not address.port:
        return None
    return listener_of(address, ephemeral_from=ephemeral_from)


@lru_cache(1024)
def ip_text(raw: bytes) -> str:
    """Canonical text of 4 or 16 bytes; an IPv4 address inside IPv6 is IPv4."""
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _endpoint(address: Address, protocol: Protocol) -> Endpoint:
    match address.family, address.length:
        case (socket.AF_INET, 4) | (socket.AF_INET6, 16):
            return Endpoint(ip_text(address.address), address.port, protocol)
        case socket.AF_INET | socket.AF_INET6, _:
            return Endpoint("", address.port, protocol)
        case socket.AF_UNIX, _:
            return Endpoint(text_of(address.address), 0, Protocol.UNIX)
        case family, _:
            return Endpoint(family_name(family), 0, Protocol.OTHER)


def family_name(family: int) -> str:
    """`inet6`, `packet`, …; `family-99` for one without a name here."""
    return _FAMILY_NAMES.get(family, f"family-{family}")


def _protocol(address: Address, otherwise: Protocol) -> Protocol:
    match address.type:
        case socket.SOCK_STREAM:
            return Protocol.TCP
        case socket.SOCK_DGRAM:
            return Protocol.UDP
        case 0:
            return otherwise
        case _:
            return Protocol.OTHER
