"""Benign load and attacks under enforce, for minutes or hours: nothing may grow, hang, leak, be denied falsely or pass.

    python -m bench.soak [--minutes 5] [--no-attacks]

One agent, as nobody where this is started as root, does benign work without a pause (spawns, pipelines, connects,
opens, threads) and runs programs beside it: pip, git, node where they are installed, and the attacks of `tests/bypass`
that are declared prevented. Init and sidecar are looked at every few seconds. Exit status 1 with the reasons where one
of these is found: a benign act that failed, an attack that reached its goal, no progress, memory, descriptors or
threads that grow, zombies, an end that is not clean.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.enforce import whole_commands
from inscope.mode import Mode
from sidecar.init import binary
from tests.bypass.arena import PYTHON, Arena
from tests.bypass.attack import Attack, Room, State, all_attacks
from tests.bypass.compiled import Compiled
from tests.e2e.guarded import unprivileged
from tests.fakes.lone_sidecar import LoneSidecar

AGENT = Path(__file__).with_name("soak_agent.py")
SAMPLE_S = 2.0
STALLED_S = 20.0
LEARNED_ROUNDS = 3

LEFT_OUT = ("fork_bomb", "flooded", "queue_filled", "signal_storm")
"""Attacks by mass: they make the machine, and with it benign work, as slow as they please."""

INIT_WANTED_KIB = 1024
INIT_MOST_KIB = 1536
"""Bounded tables fill where it is enforced: 1,188 KiB were measured. Over what is wanted is told, over this a fault."""

GROWTH_KIB = {"init": 256, "sidecar": 6 * 1024}
GROWTH_COUNT = 8
"""How much more in the last quarter than in the second one of a run is called growth."""


@dataclass(frozen=True)
class Sample:
    """One look at a process. Counts are -1 where they may not be seen."""

    kib: int
    descriptors: int
    threads: int


@dataclass
class Watched:
    """What was seen so far."""

    samples: dict[str, list[Sample]] = field(default_factory=lambda: {"init": [], "sidecar": []})
    zombies: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    attacks: int = 0
    commands: int = 0
    rounds: int = 0
    moved_at: float = 0.0


class Soaked:
    """The agent under init and a sidecar, spoken to in JSON lines."""

    def __init__(self, sidecar: LoneSidecar, environment: dict[str, str]) -> None:
        self.sidecar = sidecar
        sidecar.start()
        watched = [str(binary()), "--socket", str(sidecar.socket), "--", PYTHON, str(AGENT)]
        self.process = subprocess.Popen(
            [*unprivileged(), *watched],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=environment,
        )

    async def ask(self, *words: str) -> Any:
        """The answer to a line."""
        return await asyncio.to_thread(self._ask, words)

    def _ask(self, words: Sequence[str]) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the agent ended with {self.process.wait()}:\n" + "\n".join(self.sidecar.journal[-20:]))
        return json.loads(answer)

    def end(self) -> str:
        """What was not clean about the end."""
        try:
            self.process.communicate(timeout=40)
            self.sidecar.wait(20)
        except subprocess.TimeoutExpired:
            return "it does not end"
        finally:
            self.process.kill()
            self.sidecar.end()
        return f"the agent ended with {self.process.returncode}" if self.process.returncode else ""


def main() -> int:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--no-attacks", action="store_true", help="benign load only")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="inscope-"))
    folder.chmod(0o755)
    try:
        return asyncio.run(soak(folder, given.minutes * 60, with_attacks=not given.no_attacks))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def soak(folder: Path, seconds: float, *, with_attacks: bool) -> int:
    """Learn, then enforce for so long."""
    (folder / "arena").mkdir()
    (folder / "arena").chmod(0o777)
    compiled = Compiled(folder)
    arena = Arena(folder / "arena", Room.USER, compiled)
    arena.reset()
    arena.attend()
    commands = list(dict(whole_commands(folder)).values())
    attacks = [attack for attack in all_attacks() if with_attacks and takes_part(attack)]
    try:
        await learn(folder, arena, commands, attacks)
        watched = await enforce(folder, arena, commands, attacks, seconds)
    finally:
        arena.leave()
        arena.close()
    return report(watched)


def takes_part(attack: Attack) -> bool:
    """Prevented, by one try, and about something other than the guard, which has its own tests."""
    prevented = attack.enforce[Room.USER] is State.PREVENTED and Room.USER in attack.works and not attack.race
    return prevented and attack.goal in ("egress", "exec", "file") and attack.path.stem not in LEFT_OUT


async def learn(folder: Path, arena: Arena, commands: Sequence[Sequence[str]], attacks: Sequence[Attack]) -> None:
    """The reference: the load, each program, and what of each attack is in scope."""
    agent = Soaked(a_sidecar(folder, Mode.OBSERVE), surroundings(arena))
    for words in [*commands, *commands]:
        status, printed = await agent.ask(*words)
        if status:
            raise SystemExit(f"{words} fails where nothing is denied: {printed}")
    for attack in attacks:
        arena.reset()
        await agent.ask(*arena.command(attack.path, "benign"))
    while (await agent.ask("cycles"))[0] < LEARNED_ROUNDS:
        await asyncio.sleep(0.2)
    unclean = await asyncio.to_thread(agent.end)
    if unclean:
        raise SystemExit(f"learning: {unclean}")


async def enforce(
    folder: Path, arena: Arena, commands: Sequence[Sequence[str]], attacks: Sequence[Attack], seconds: float
) -> Watched:
    """Everything in turn until the time is over."""
    watched, agent = Watched(), Soaked(a_sidecar(folder, Mode.ENFORCE), surroundings(arena))
    began = watched.moved_at = time.monotonic()
    looking = asyncio.create_task(look(watched, agent))
    for attack, words in turns(attacks, commands):
        if time.monotonic() - began > seconds:
            break
        if attack:
            await attacked(watched, agent, arena, attack)
        elif words:
            await ran(watched, agent, words)
        await progressed(watched, agent)
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    unclean = await asyncio.to_thread(agent.end)
    watched.faults += [unclean] if unclean else []
    return watched


def turns(
    attacks: Sequence[Attack], commands: Sequence[Sequence[str]]
) -> Iterator[tuple[Attack | None, Sequence[str] | None]]:
    """For ever: five attacks, a command."""
    at = 0
    while True:
        for number in range(5 if attacks else 0):
            yield attacks[(at * 5 + number) % len(attacks)], None
        yield None, commands[at % len(commands)] if commands else None
        at += 1


async def attacked(watched: Watched, agent: Soaked, arena: Arena, attack: Attack) -> None:
    """One attack; that it is killed, refused or gives up is all the same."""
    arena.reset()
    status, printed = await agent.ask(*arena.command(attack.path))
    await asyncio.sleep(0)
    watched.attacks += 1
    if status == -1000:
        watched.faults.append(f"{attack.name} hung")
    if arena.reached(printed):
        watched.faults.append(f"{attack.name} reached its goal")


async def ran(watched: Watched, agent: Soaked, words: Sequence[str]) -> None:
    """One benign program."""
    status, printed = await agent.ask(*words)
    watched.commands += 1
    if status:
        watched.faults.append(f"{Path(words[0]).name} failed with {status}: {printed[-300:]}")


async def progressed(watched: Watched, agent: Soaked) -> None:
    """Hear of the load."""
    rounds, failed = await agent.ask("cycles")
    watched.faults += [f"denied or broken: {one}" for one in failed]
    now = time.monotonic()
    if rounds > watched.rounds:
        watched.rounds, watched.moved_at = rounds, now
    elif now - watched.moved_at > STALLED_S:
        watched.faults.append(f"the load has not gone round for {STALLED_S:.0f} s")
        watched.moved_at = now


async def look(watched: Watched, agent: Soaked) -> None:
    """Take samples for ever."""
    before: set[int] = set()
    while True:
        await asyncio.sleep(SAMPLE_S)
        for name, pid in (("init", agent.process.pid), ("sidecar", agent.sidecar.pid)):
            with suppress(OSError):
                watched.samples[name].append(sample(pid))
        now = zombies_of(agent.process.pid)
        watched.zombies |= before & now
        before = now


def sample(pid: int) -> Sample:
    """Raises OSError: it is gone."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        descriptors = -1
    return Sample(int(said["VmRSS"].split()[0]), descriptors, int(said["Threads"]))


def zombies_of(parent: int) -> set[int]:
    """Children that ended and were not reaped."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[0] == "Z" and int(fields[1]) == parent:
                found.add(int(path.parent.name))
    return found


def a_sidecar(folder: Path, mode: Mode) -> LoneSidecar:
    """One with a folder of its own."""
    own = Path(tempfile.mkdtemp(dir=folder))
    own.chmod(0o755)
    return LoneSidecar(own, mode, folder / "reference")


def surroundings(arena: Arena) -> dict[str, str]:
    """The agent's environment."""
    return {**arena.environment(), "LANG": "C.UTF-8"}


def report(watched: Watched) -> int:
    """Print it all; 1 where something is wrong."""
    for name, samples in watched.samples.items():
        for what in ("kib", "descriptors", "threads"):
            values = [getattr(one, what) for one in samples]
            print(f"{name:<8} {what:<12} {summary(values)}")
            watched.faults += grown(name, what, values)
    most = max((one.kib for one in watched.samples["init"]), default=0)
    if most > INIT_WANTED_KIB:
        print(f"init had {most} KiB (wanted ≤ {INIT_WANTED_KIB}) OVER")
    if most > INIT_MOST_KIB:
        watched.faults.append(f"init had more than {INIT_MOST_KIB} KiB")
    if watched.zombies:
        watched.faults.append(f"{len(watched.zombies)} processes were not reaped")
    print(f"{watched.rounds} rounds of the load, {watched.commands} programs, {watched.attacks} attacks")
    for fault in watched.faults[:50]:
        print(f"FAULT {fault}")
    print(
        f"{len(watched.faults)} faults" if watched.faults else "no growth, no hang, no false denial, no attack through"
    )
    return 1 if watched.faults else 0


def summary(values: Sequence[int]) -> str:
    """First, median, last and most."""
    if not values:
        return "never seen"
    return f"first {values[0]}  median {statistics.median(values):g}  last {values[-1]}  most {max(values)}"


def grown(name: str, what: str, values: Sequence[int]) -> list[str]:
    """The last quarter against the second: the first is the start."""
    quarter = len(values) // 4
    if quarter < 2:
        return []
    before = statistics.median(values[quarter : 2 * quarter])
    after = statistics.median(values[-quarter:])
    most = GROWTH_KIB[name] if what == "kib" else GROWTH_COUNT
    return [f"{name}: {what} grew from {before:g} to {after:g}"] if after - before > most else []


if __name__ == "__main__":
    sys.exit(main())
