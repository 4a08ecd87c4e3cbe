"""What being watched costs a program: start-up, spawns, opens, connects; beside strace where it is installed.

    python -m bench.overhead [--rounds 9] [--short]

Each figure compares sides of the same round: `init` is inscope-init alone, which traps and answers and tells nobody;
`watched` is everything. Targets for watched: start-up ≤ 1.08, 1,000 spawns ≤ 1.15, an open or a connect
≤ 10 µs added, and at most a tenth of what `strace -f --seccomp-bpf` adds for the same calls.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Figure, Side, in_turn
from sidecar.init import binary

TABLE = Path(__file__).parents[1] / "sidecar/init/syscalls.def"
RATIOS = {"startup": 3, "spawn": 1_000}
ADDED = {"opens": 10_000, "connects": 3_000}


def trapped_calls() -> str:
    """The calls of the filter that this machine's strace knows, comma separated (`?` makes an unknown one harmless)."""
    return ",".join(f"?{name}" for name in re.findall(r"^TRAP\((\w+)", TABLE.read_text(), re.MULTILINE))


def watched(state: str) -> list[str]:
    """The command line that watches what follows."""
    return [str(Path(sys.executable).with_name("inscope")), "run", "--state", state, "--name", "bench", "--"]


def main() -> None:
    """Measure and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--short", action="store_true", help="a tenth of the work: shows that it runs, not the figure")
    options = parser.parse_args()
    share = 10 if options.short else 1
    rounds = 3 if options.short else options.rounds
    with ExitStack() as stack:
        state = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        sides = [stack.enter_context(Side(*prefix)) for prefix in ([], [str(binary()), "--"], watched(state))]
        for task, times in RATIOS.items():
            native, alone, seen = in_turn(sides, task, max(1, times // share), rounds)
            print(f"{task:<10} init / native {ratio(alone, native):.3f}   watched / native {ratio(seen, native):.3f}")
        for task, times in ADDED.items():
            native, alone, seen = in_turn(sides, task, times // share, rounds)
            each = times // share
            more_alone, more_seen = added(alone, native, each), added(seen, native, each)
            print(f"{task:<10} init adds {more_alone:.1f} µs   watched adds {more_seen:.1f} µs")
    if shutil.which("strace"):
        against_strace(rounds, share)
    else:
        print("strace     not installed: no comparison")


def ratio(with_: list[float], without: list[float]) -> Figure:
    """The one over the other, round by round."""
    return Figure.of([slow / fast for slow, fast in zip(with_, without, strict=True)])


def added(with_: list[float], without: list[float], times: int) -> Figure:
    """Microseconds more for each act."""
    return Figure.of([(slow - fast) / times * 1e6 for slow, fast in zip(with_, without, strict=True)])


def against_strace(rounds: int, share: int) -> None:
    """The time inscope adds as a share of what strace adds for the same calls."""
    strace = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={trapped_calls()}"]
    if subprocess.run([*strace, "true"], check=False, capture_output=True).returncode:
        print("strace     does not know --seccomp-bpf here: no comparison")
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state:
        for task, times in (("spawn", 200), ("opens", 2_000), ("connects", 500)):
            with Side() as native, Side(*watched(state)) as observed, Side(*strace) as traced:
                plain, seen, slow = in_turn([native, observed, traced], task, max(1, times // share), rounds)
            shares = [(s - p) / (t - p) for p, s, t in zip(plain, seen, slow, strict=True)]
            print(f"{task:<10} added by inscope / added by strace {Figure.of(shares):.3f}")


if __name__ == "__main__":
    main()
