"""Kernel against claim, the decision: what connects said, held against the peers that sockets really have.

Pure: `claimed` and `dumped` are the events, outcomes come back. A socket is claimed for an address at its trap; a dump
of the kernel's sockets, taken a moment later, shows the real peer. Only TCP over IPv4 and IPv6.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from inscope.observation import Ancestor

PATIENCE_S = 2.0
"""How long a claim waits for its socket to show: longer than a dump takes, shorter than a TCP connect gives up."""

SETTLING_S = 0.1
"""A dump says nothing of claims younger than this: the call may not have reached the kernel yet."""

Inode = int


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a TCP socket, in canonical text."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A process asked to connect a socket. `time` is seconds since the epoch, `program` the label of who asked."""

    socket: Inode
    peer: Peer
    time: float
    program: str
    ancestry: tuple[Ancestor, ...] = ()


@dataclass(frozen=True, slots=True)
class Contradicted:
    """The socket of `claim` is connected to `real`, which nobody claimed for it."""

    claim: Claim
    real: Peer


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What one event settled. `unreconciled` claims were never seen: mostly sockets that lived too short a time."""

    contradicted: tuple[Contradicted, ...] = ()
    unreconciled: int = 0


@dataclass(slots=True)
class _Waiting:
    claim: Claim
    since: float


class Claims:
    """Up to `capacity` claims that wait, and as many sockets whose claims are remembered. Times are monotonic seconds.

    A socket may be claimed for several addresses (a refused connect is retried elsewhere, a connected one answers
    EISCONN): each address ever claimed for it is its honest peer.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._waiting: OrderedDict[Inode, _Waiting] = OrderedDict()
        self._honest: OrderedDict[Inode, frozenset[Peer]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Claims without an outcome."""
        return len(self._waiting)

    def claimed(self, claim: Claim, now: float) -> Outcomes:
        """A connect was trapped."""
        honest = self._honest.pop(claim.socket, frozenset())
        self._honest[claim.socket] = honest | {_landing(claim.peer)}
        if len(self._honest) > self._capacity:
            self._honest.popitem(last=False)
        replaced = self._waiting.pop(claim.socket, None) is not None
        self._waiting[claim.socket] = _Waiting(claim, now)
        if len(self._waiting) > self._capacity:
            self._waiting.popitem(last=False)
            return Outcomes(unreconciled=1 + replaced)
        return Outcomes(unreconciled=int(replaced))

    def dumped(self, peers: Mapping[Inode, Peer], began: float) -> Outcomes:
        """The kernel's sockets, as of a dump that began at `began`."""
        contradicted: list[Contradicted] = []
        unreconciled = 0
        for inode, waiting in list(self._waiting.items()):
            if began - waiting.since < SETTLING_S:
                continue
            real = peers.get(inode)
            if real is not None:
                del self._waiting[inode]
                if _landing(real) not in self._honest.get(inode, frozenset({_landing(waiting.claim.peer)})):
                    contradicted.append(Contradicted(waiting.claim, real))
            elif began - waiting.since > PATIENCE_S:
                del self._waiting[inode]
                unreconciled += 1
        return Outcomes(tuple(contradicted), unreconciled)

    def given_up(self) -> Outcomes:
        """Nothing will be dumped any more."""
        unreconciled = len(self._waiting)
        self._waiting.clear()
        return Outcomes(unreconciled=unreconciled)


def _landing(peer: Peer) -> Peer:
    """Where a connect to `peer` ends: one to the unspecified address goes to the machine itself."""
    address = ipaddress.ip_address(peer.host)
    if not address.is_unspecified:
        return peer
    return Peer("127.0.0.1" if address.version == 4 else "::1", peer.port)
