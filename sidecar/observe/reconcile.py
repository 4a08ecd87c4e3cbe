"""Kernel against claim, the acting half: dumps sockets while claims wait, and reports what contradicts them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from inscope.behaviour import Connect, Contradiction, bracketed
from inscope.behaviour import Protocol as Transport
from inscope.observation import Observation
from inscope.workload import InstanceId
from sidecar.observe.claims import SETTLING_S, Claim, Claims, Contradicted, Inode, Outcomes, Peer
from sidecar.observe.sock_diag import SockDiagError


class SocketSource(Protocol):
    """The kernel's TCP sockets: `SockDiag`, or a fake."""

    async def peers(self) -> Mapping[Inode, Peer]: ...


class Reconciler:
    """Settles claims: one dump per `SETTLING_S` while any wait, none otherwise.

    Args:
        report: takes each contradiction, and the connect that really happened.
        unreconciled: takes how many claims were never seen in the kernel.
        clock: monotonic seconds.
        sleep: waits that long.
    """

    def __init__(
        self,
        instance: InstanceId,
        sockets: SocketSource,
        report: Callable[[Observation], None],
        unreconciled: Callable[[int], None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._instance = instance
        self._sockets = sockets
        self._report = report
        self._unreconciled = unreconciled
        self._clock = clock
        self._sleep = sleep
        self._claims = Claims()
        self._wanted = asyncio.Event()

    def claimed(self, claim: Claim) -> None:
        """A connect was trapped."""
        self._settle(self._claims.claimed(claim, self._clock()))
        self._wanted.set()

    async def run(self) -> None:
        """Settle claims for ever; cancel to end."""
        while True:
            await self._wanted.wait()
            await self._sleep(SETTLING_S)
            await self._dump()

    async def finish(self) -> None:
        """Settle what still can be: nothing is claimed any more. Takes at most one dump."""
        if self._claims.waiting:
            await self._sleep(SETTLING_S)
            await self._dump()
            self._settle(self._claims.given_up())

    async def _dump(self) -> None:
        began = self._clock()
        try:
            peers = await self._sockets.peers()
        except SockDiagError:
            # Nobody is settled by this dump; who waits too long counts as unreconciled.
            peers = {}
        self._settle(self._claims.dumped(peers, began))
        if not self._claims.waiting:
            self._wanted.clear()

    def _settle(self, outcomes: Outcomes) -> None:
        if outcomes.unreconciled:
            self._unreconciled(outcomes.unreconciled)
        for contradicted in outcomes.contradicted:
            for observation in self._observations(contradicted):
                self._report(observation)

    def _observations(self, found: Contradicted) -> tuple[Observation, Observation]:
        claim, real = found.claim, found.real
        contradiction = Contradiction(_text(claim.peer), _text(real), claim.program)
        connect = Connect(real.host, real.port, Transport.TCP, claim.program)
        return (
            Observation(self._instance, claim.time, contradiction, claim.ancestry),
            Observation(self._instance, claim.time, connect, claim.ancestry),
        )


def _text(peer: Peer) -> str:
    return f"{bracketed(peer.host)}:{peer.port}"
