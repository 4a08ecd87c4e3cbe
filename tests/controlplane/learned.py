"""A loop over a real store that has learned something: what tests of the loop begin with."""

from __future__ import annotations

from controlplane.loop import Loop
from controlplane.loop.batch import Outcome
from controlplane.store.sqlite import SqliteStore
from inscope.behaviour import Behaviour, Connect, Exec, Program, Protocol
from inscope.capability import Capability
from inscope.mode import Mode
from tests.controlplane.acts import AGENT, DAILY_WORK, DAY, FIRST, LABEL, T0, WATCHED, batch, sha, survey

PAYLOAD = Exec(Program("/tmp/x/payload", sha("payload")), "/bin/sh")
EXFILTRATE = Connect("evil.example", 443, Protocol.TCP, LABEL)


def learn(loop: Loop, acts: tuple[Behaviour, ...] = DAILY_WORK, **more: tuple[Capability, ...]) -> Outcome:
    """Let the first instance work in observe, watched and surveyed."""
    loop.enter(FIRST, Mode.OBSERVE, T0)
    held = more.get("capabilities", survey(T0))
    return loop.receive(FIRST.id, batch(1, acts, coverage=WATCHED, capabilities=held), T0 + 1)


def detect(loop: Loop, now: float = T0 + 3 * DAY) -> float:
    loop.set_mode(AGENT, Mode.DETECT, force=True, by="test", now=now)
    return now + 1


def do(loop: Loop, act: Behaviour, now: float, sequence: int = 2) -> Outcome:
    return loop.receive(FIRST.id, batch(sequence, [act], now), now)


def dump(store: SqliteStore) -> list[str]:
    """Every row of every table."""
    return list(store._db.iterdump())
