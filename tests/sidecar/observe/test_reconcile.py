"""Reconciling with a clock and a kernel in the test's hand, and once with the real kernel."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from contextlib import closing, suppress

from inscope.behaviour import Connect, Contradiction, Protocol
from inscope.observation import Observation
from inscope.workload import InstanceId
from sidecar.observe.claims import PATIENCE_S, Claim, Peer
from sidecar.observe.reconcile import Reconciler
from sidecar.observe.sock_diag import SockDiag, SockDiagError

INSTANCE = InstanceId("i")
GOOD, EVIL = Peer("10.0.0.1", 443), Peer("10.6.6.6", 8443)


class Kernel:
    """Sockets, a clock that sleeping moves, and what was reported."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sockets: Mapping[int, Peer] = {}
        self.dumps = 0
        self.broken = False
        self.reported: list[Observation] = []
        self.unreconciled = 0
        self.reconciler = Reconciler(
            INSTANCE, self, self.reported.append, self.count, clock=lambda: self.now, sleep=self.sleep
        )

    def count(self, unreconciled: int) -> None:
        self.unreconciled += unreconciled

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    async def peers(self) -> Mapping[int, Peer]:
        self.dumps += 1
        if self.broken:
            raise SockDiagError("refused")
        return self.sockets

    async def turn(self, times: int) -> None:
        task = asyncio.create_task(self.reconciler.run())
        for _ in range(times):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def claim(peer: Peer = GOOD) -> Claim:
    return Claim(5, peer, 1000.0, "agent")


async def test_a_contradiction_is_reported_with_the_connect_that_really_happened() -> None:
    kernel = Kernel()
    kernel.sockets = {5: EVIL}
    kernel.reconciler.claimed(claim())
    await kernel.turn(10)
    assert [(one.time, one.behaviour) for one in kernel.reported] == [
        (1000.0, Contradiction("10.0.0.1:443", "10.6.6.6:8443", "agent")),
        (1000.0, Connect("10.6.6.6", 8443, Protocol.TCP, "agent")),
    ]


async def test_nothing_is_dumped_while_nothing_is_claimed() -> None:
    kernel = Kernel()
    await kernel.turn(50)
    assert kernel.dumps == 0


async def test_dumping_ends_with_the_last_claim() -> None:
    kernel = Kernel()
    kernel.sockets = {5: GOOD}
    kernel.reconciler.claimed(claim())
    await kernel.turn(100)
    assert kernel.dumps == 1
    assert kernel.reported == []


async def test_a_kernel_that_refuses_leaves_claims_unreconciled() -> None:
    kernel = Kernel()
    kernel.broken = True
    kernel.reconciler.claimed(claim())
    await kernel.turn(200)
    assert kernel.unreconciled == 1
    assert PATIENCE_S <= kernel.now < PATIENCE_S + 1


async def test_finishing_settles_what_it_can() -> None:
    kernel = Kernel()
    kernel.reconciler.claimed(claim())
    await kernel.reconciler.finish()
    assert (kernel.dumps, kernel.unreconciled) == (1, 1)


async def test_the_real_kernel_contradicts_a_lie() -> None:
    reported: list[Observation] = []
    with SockDiag() as sockets, closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))) as client:
            reconciler = Reconciler(INSTANCE, sockets, reported.append, lambda _: None, time.monotonic)
            reconciler.claimed(Claim(os.fstat(client.fileno()).st_ino, GOOD, 1000.0, "agent"))
            await reconciler.finish()
    assert [one.behaviour for one in reported] == [
        Contradiction("10.0.0.1:443", f"127.0.0.1:{port}", "agent"),
        Connect("127.0.0.1", port, Protocol.TCP, "agent"),
    ]
