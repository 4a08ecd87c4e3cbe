"""A sidecar without a control plane, in a process of its own that can be killed, frozen and started again.

It observes with the real observer and fingerprinter. In observe it learns a reference and keeps it in a file when the
agent has ended; in detect and enforce it judges by that file. What it would deny is told, a line each, in its journal.

    python -m tests.fakes.lone_sidecar FOLDER MODE REFERENCE [--slow SECONDS] [--unbound]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from inscope.behaviour import Behaviour
from inscope.capability import Capability
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.reference import Entry, entries_of
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar import resident
from sidecar.fingerprint.cache import HashCache
from sidecar.fingerprint.describer import Describer
from sidecar.fingerprint.fingerprinter import Fingerprinter
from sidecar.fingerprint.hashing import Hasher
from sidecar.judge.local import LocalReference, countable, deviates, judge
from sidecar.observe.observer import Observer
from tests.sidecar.init.observed import eventually

ROOT = Path(__file__).resolve().parents[2]


class Judge:
    """The sink: learns, or judges by what was learned."""

    def __init__(self, mode: Mode, reference: Path, journal: Path, slow: float, *, unbound: bool) -> None:
        entries: frozenset[Entry] = frozenset()
        if reference.exists():
            entries = pickle.loads(reference.read_bytes())
        self._reference = LocalReference(mode, (), entries)
        self._path = reference
        self._slow = slow
        self._unbound = unbound
        self._journal = journal.open("a", buffering=1)
        self._learned = set(entries)
        self.ended_event = asyncio.Event()

    @property
    def mode(self) -> Mode:
        return self._reference.mode

    def observed(self, observation: Observation) -> None:
        if self.mode is Mode.OBSERVE:
            self._learned.update(entries_of(observation.behaviour))
        elif deviates(observation.behaviour, self._reference):
            lacking = judge(observation.behaviour, self._reference).missing
            self.say(f"{observation.verdict} {observation.behaviour} lacks {[str(entry.value) for entry in lacking]}")

    def repeated(self, observation: Observation, times: int) -> None:
        pass

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        return countable(behaviour, writable, self._reference)

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        self.say("asked")
        if self._unbound:
            await asyncio.Event().wait()
        if self._slow:
            await asyncio.sleep(self._slow)
        return judge(behaviour, self._reference).verdict

    def in_force(self, generation: int) -> None:
        self.say(f"in force {self.mode}")

    def surveyed(self, capability: Capability) -> None:
        pass

    def covered(self, coverage: SourceCoverage) -> None:
        if coverage.losses:
            self.say(f"lost {sum(coverage.losses.values())} {coverage.source} {dict(coverage.losses)}")

    def ended(self, status: int) -> None:
        if self.mode is Mode.OBSERVE:
            self._path.write_bytes(pickle.dumps(frozenset(self._learned)))
        self.say(f"ended {status}")
        self.ended_event.set()

    def say(self, line: str) -> None:
        self._journal.write(f"{time.time():.3f} " + line.encode("ascii", "replace").decode() + "\n")


async def serve(given: argparse.Namespace) -> None:
    folder: Path = given.folder
    judge_ = Judge(given.mode, given.reference, folder / "journal", given.slow, unbound=given.unbound)
    fingerprinter = Fingerprinter(Hasher(), Describer(), HashCache(), lambda _: None, clock=time.monotonic)
    socket = folder / "init.sock"
    observer = Observer(
        InstanceId("i"), socket, folder / "secret", fingerprinter, judge_, judge_.say, socket_mode=0o666
    )
    observer.open()
    print("ready", flush=True)
    watching = [asyncio.create_task(job) for job in (observer.run(), fingerprinter.describe_new())]
    asyncio.get_running_loop().call_later(3.0, resident.settle)
    await judge_.ended_event.wait()
    for task in watching:
        task.cancel()
    observer.release()
    observer.close()
    fingerprinter.close()


class LoneSidecar:
    """Starts one in `folder` when told to; `end` leaves nothing running."""

    def __init__(self, folder: Path, mode: Mode, reference: Path, *options: str) -> None:
        self.folder = folder
        self.mode = mode
        self.reference = reference
        self.options = options
        self._process: subprocess.Popen[str] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "init.sock"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def journal(self) -> list[str]:
        path = self.folder / "journal"
        return path.read_text().splitlines() if path.exists() else []

    def start(self) -> None:
        """It accepts init when this returns."""
        words = [sys.executable, "-m", __name__, str(self.folder), self.mode, str(self.reference), *self.options]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")])}
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n", "the sidecar did not start"

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self._process
        self._process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def wait(self, seconds: float = 20) -> None:
        """Until it has ended by itself."""
        assert self._process
        self._process.wait(seconds)

    @property
    def asked(self) -> int:
        """How many questions it and those before it have had."""
        return sum(line.endswith(" asked") for line in self.journal)

    def await_asked(self, count: int) -> None:
        """Wait until there were that many."""
        eventually(lambda: self.asked >= count)

    def end(self) -> None:
        if self._process and self._process.poll() is None:
            self.kill()

    def _signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)


def main(arguments: Sequence[str]) -> None:
    import uvloop

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("mode", type=Mode)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--unbound", action="store_true")
    given = parser.parse_args(arguments)
    resident.prepare_heap()
    uvloop.run(serve(given))


if __name__ == "__main__":
    main(sys.argv[1:])
