"""What enforcing costs beyond observing: known and unknown connects, spawns, opens, and whole commands, cold and warm.

    python -m bench.enforce [--rounds 7] [--short]

Three sides are asked in turn in one run: native, observed, enforced. Each watched side has an inscope-init and a
sidecar of its own, which judges by a reference that was learned from the same acts; no control plane, which is not on
the way of any call. Where this is started as root the agents run as nobody without a capability, as in a restricted
pod; what they run is then not theirs to write. Exit status 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.measure import Figure
from inscope.mode import Mode
from sidecar.init import binary
from tests.e2e.guarded import SYSTEM_PYTHON, unprivileged
from tests.fakes.lone_sidecar import LoneSidecar

ACTS = Path(__file__).with_name("acts.py")
FIRSTS = 200
Act = Sequence[str | int]


class Side:
    """One driver process, watched by a sidecar of its own or by nobody."""

    def __init__(self, sidecar: LoneSidecar | None) -> None:
        self._sidecar = sidecar
        watched: list[str] = []
        if sidecar:
            sidecar.start()
            watched = [str(binary()), "--socket", str(sidecar.socket), "--"]
        words = [*unprivileged(), *watched, SYSTEM_PYTHON, str(ACTS)]
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", env=environment
        )

    def do(self, act: Act) -> list[float]:
        """The µs that each of it took."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(word) for word in act]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            told = "\n".join(self._sidecar.journal[-5:]) if self._sidecar else ""
            raise RuntimeError(f"the agent ended with {self._process.wait()} in {act}\n{told}")
        return list(json.loads(answer))

    def tell_losses(self) -> None:
        """What was lost while it was learned from, which the reference then lacks."""
        losses = [line for line in self._sidecar.journal if " lost " in line] if self._sidecar else []
        for line in losses[-1:]:
            print(f"while learning: {line}", file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=30)
        self._process.kill()
        if self._sidecar:
            with suppress(subprocess.TimeoutExpired):
                self._sidecar.wait()
            self._sidecar.end()


class Ground:
    """Folders, a listener, and the reference that is learned from every act once."""

    def __init__(self, folder: Path, acts: Sequence[Act]) -> None:
        self._folder = folder
        self.reference = folder / "reference"
        with self.side(Mode.OBSERVE) as learner:
            for act in acts:
                learner.do(act)
        learner.tell_losses()

    def side(self, mode: Mode) -> Side:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        folder.chmod(0o755)
        return Side(LoneSidecar(folder, mode, self.reference if mode is not Mode.OBSERVE else self._fresh(folder)))

    def _fresh(self, folder: Path) -> Path:
        return folder / "reference" if self.reference.exists() else self.reference


@dataclass(frozen=True)
class Bound:
    """A figure that is printed, and what it must not exceed (0: nothing is asked of it)."""

    what: str
    figure: Figure
    most: float
    unit: str = "µs"

    def print(self) -> bool:
        """True where it does not hold."""
        over = bool(self.most) and self.figure.median > self.most
        wanted = f"(wanted ≤ {self.most:g})" if self.most else ""
        print(f"{self.what:<52} {self.figure:8.2f} {self.unit:<2} {wanted} {'OVER' if over else ''}", flush=True)
        return over


def main() -> int:
    """Measure and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--short", action="store_true", help="a tenth of the work: shows that it runs, not the figure")
    given = parser.parse_args()
    rounds, share = (2, 10) if given.short else (given.rounds, 1)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="inscope-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        port = stack.enter_context(closing(listener())).getsockname()[1]
        commands = dict(whole_commands(folder))
        acts = [("connects", 5, port), ("firsts", 0, FIRSTS, port), ("spawns", 5, "/bin/true"), ("opens", 100)]
        ground = Ground(folder, [*acts, *(("commands", 2, *words) for words in commands.values())])
        bounds = [*acts_one_by_one(ground, port, rounds, share), *whole(ground, commands, min(rounds, 5))]
    missed = sum(bound.print() for bound in bounds)
    return 1 if missed and not given.short else 0


def acts_one_by_one(ground: Ground, port: int, rounds: int, share: int) -> Iterator[Bound]:
    """Connects, spawns and opens."""
    with Side(None) as native, ground.side(Mode.OBSERVE) as observed, ground.side(Mode.ENFORCE) as enforced:
        first = enforced.do(("firsts", 0, FIRSTS // share, port))
        yield Bound("unknown connect, enforced: p50", Figure.of([statistics.median(first)]), 1000)
        yield Bound("unknown connect, enforced: p99", Figure.of([percentile(first, 99)]), 0)
        sides = [native, observed, enforced]
        plain, seen, held = in_turn(sides, ("connects", 1000 // share, port), rounds)
        yield Bound("connect, native: p50", over(plain, 50), 0)
        yield Bound("connect, observed: p50", over(seen, 50), 0)
        yield Bound("known connect, enforced: p50", over(held, 50), 40)
        yield Bound("known connect, enforced: p99", over(held, 99), 500)
        plain, seen, held = in_turn(sides, ("spawns", 300 // share, "/bin/true"), rounds)
        yield Bound("spawn, native: p50", over(plain, 50), 0)
        yield Bound("spawn, observed: p50", over(seen, 50), 0)
        yield Bound("spawn, enforced: p50", over(held, 50), 0)
        yield Bound("the exec gate adds to an observed spawn", added(held, seen), 150)
        plain, seen, held = in_turn(sides, ("opens", 3000 // share), rounds)
        yield Bound("open + close of an unmatched file, native", over(plain, 50), 0)
        yield Bound("open + close of an unmatched file, observed", over(seen, 50), 0)
        yield Bound("open + close, enforced over observed", added(held, seen), 15)


def whole(ground: Ground, commands: dict[str, Sequence[str]], rounds: int) -> Iterator[Bound]:
    """Commands: cold is the first time by a new sidecar and init, warm every later time."""
    cold: dict[str, list[list[float]]] = {name: [[], []] for name in commands}
    warm: dict[str, list[list[float]]] = {name: [[], []] for name in commands}
    for number in range(3):
        with ground.side(Mode.OBSERVE) as observed, ground.side(Mode.ENFORCE) as enforced:
            order = list(enumerate([observed, enforced]))
            for name, words in commands.items():
                for index, side in order if number % 2 else reversed(order):
                    cold[name][index] += side.do(("commands", 1, *words))
                for _ in range(rounds):
                    for index, side in order:
                        warm[name][index] += side.do(("commands", 1, *words))
    for name in commands:
        (seen, held), (seen_warm, held_warm) = cold[name], warm[name]
        yield Bound(f"{name}: cold, enforced / observed", ratio(held, seen), 0, "x")
        yield Bound(f"{name}: warm, enforced / observed", ratio(held_warm, seen_warm), 1.15, "x")


def in_turn(sides: Sequence[Side], act: Act, rounds: int) -> list[list[list[float]]]:
    """For each side, `rounds` lists of µs, taken in turn; one round first that is not counted."""
    for side in sides:
        side.do(act)
    taken: list[list[list[float]]] = [[] for _ in sides]
    order = list(enumerate(sides))
    for number in range(rounds):
        for index, side in order if number % 2 else reversed(order):
            taken[index].append(side.do(act))
    return taken


def percentile(values: Sequence[float], percent: int) -> float:
    """By the nearest rank."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def over(rounds: Sequence[Sequence[float]], percent: int) -> Figure:
    """The percentile of each round."""
    return Figure.of([percentile(values, percent) for values in rounds])


def added(more: Sequence[Sequence[float]], less: Sequence[Sequence[float]]) -> Figure:
    """How much longer the median took, round by round."""
    return Figure.of([statistics.median(a) - statistics.median(b) for a, b in zip(more, less, strict=True)])


def ratio(more: Sequence[float], less: Sequence[float]) -> Figure:
    """The one over the other, turn by turn."""
    return Figure.of([a / b for a, b in zip(more, less, strict=True)])


def listener() -> socket.socket:
    """On all loopback addresses; whoever comes is let go."""
    server = socket.create_server(("0.0.0.0", 0), backlog=4096)

    def accept() -> None:
        with suppress(OSError):
            while True:
                server.accept()[0].close()

    threading.Thread(target=accept, daemon=True).start()
    return server


def whole_commands(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """What is installed here of the four, with what they need laid out in `folder`."""
    work = folder / "work"
    work.mkdir()
    work.chmod(0o777)
    makers: dict[str, Callable[[Path], Sequence[str] | None]] = {
        "pip install": pip_install,
        "git clone": git_clone,
        "node": node,
        "a static program": static_program,
    }
    for name, make in makers.items():
        words = make(work)
        if words:
            yield name, words
        else:
            print(f"{name:<52} not installed: no figure")


def pip_install(work: Path) -> Sequence[str] | None:
    """A local wheel of forty modules, by the pip of a virtual environment."""
    environment = work / "venv"
    made = subprocess.run([SYSTEM_PYTHON, "-m", "venv", str(environment)], check=False, capture_output=True)
    if made.returncode:
        return None
    wheel = make_wheel(work)
    out = str(work / "installed")
    pip = [str(environment / "bin/python"), "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir"]
    return [*pip, "install", "--quiet", "--no-index", "--no-deps", "--target", out, str(wheel), "--", out]


def make_wheel(folder: Path) -> Path:
    """A wheel made by hand: its format is a zip archive with a list of its files."""
    files = {f"measured/part{number}.py": f"VALUE = {number}\n" * 50 for number in range(40)}
    files["measured-1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: measured\nVersion: 1.0\n"
    files["measured-1.0.dist-info/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    files["measured-1.0.dist-info/RECORD"] = record + "measured-1.0.dist-info/RECORD,,\n"
    path = folder / "measured-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def git_clone(work: Path) -> Sequence[str] | None:
    """A repository of two hundred files, over file://."""
    git = shutil.which("git", path="/usr/bin:/bin")
    if not git:
        return None
    origin = work / "origin"
    origin.mkdir()
    for number in range(200):
        (origin / f"file{number}").write_text(f"{number}\n" * 100)
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([git, *identity, *words], cwd=origin, check=True)
    out = str(work / "clone")
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "65534:65534", str(origin)], check=True)  # git serves its owner only
    return [git, "clone", "--quiet", "--no-local", f"file://{origin}/.git", out, "--", out]


def node(work: Path) -> Sequence[str] | None:
    """Start, and load a broad part of its library."""
    found = shutil.which("node", path="/usr/bin:/bin")
    program = work / "work.js"
    program.write_text("for (const name of ['http', 'crypto', 'zlib', 'fs', 'url', 'stream']) require(name)\n")
    return [found, str(program)] if found else None


def static_program(work: Path) -> Sequence[str] | None:
    """Starts threads, and makes files and pipes."""
    source, program = work / "static.c", work / "static"
    source.write_text(STATIC)
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", f"{os.uname().machine}-linux-musl", "-static", "-O2"]
    done = subprocess.run([*zig, "-o", str(program), str(source)], check=False, capture_output=True)
    if done.returncode:
        return None
    program.chmod(0o755)
    return [str(program)]


STATIC = """
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
static void *work(void *unused) {
    for (volatile long i = 0; i < 3000000; i++) {}
    for (int i = 0; i < 50; i++) close(open("/etc/debian_version", O_RDONLY));
    return unused;
}
int main(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, work, 0);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
    return 0;
}
"""

if __name__ == "__main__":
    sys.exit(main())
