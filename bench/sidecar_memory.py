"""What a sidecar costs: its resident set with every source on and a live mTLS stream, and its start.

Runs `inscope run` with a real control plane. Readings: at its largest during start, settled beside an agent that keeps
working, and settled again after a burst of 10,000 connects. Bounds: 48 MiB steady, first batch durable 500 ms after the
process began. Exit status 1 where a bound does not hold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

STEADY_MIB = 48.0
FIRST_ACKNOWLEDGED_S = 0.5
SETTLE_S = 8.0
AFTER_BURST_S = 75.0
"""Longer than the sidecar's minute between returns of memory."""

AGENT = """
import socket, subprocess, sys, threading, time
server = socket.create_server(("127.0.0.1", 0), backlog=512)
def accept():
    while True:
        server.accept()[0].close()
threading.Thread(target=accept, daemon=True).start()
def connect(times):
    for _ in range(times):
        socket.create_connection(server.getsockname()).close()
def work(until):
    while time.monotonic() < until:
        connect(5)
        subprocess.run(["git", "--version"], stdout=subprocess.DEVNULL)
        time.sleep(0.2)
work(time.monotonic() + float(sys.argv[1]))
connect(10_000)
work(time.monotonic() + float(sys.argv[2]))
"""


def sidecar_of(state: Path, not_this: int = 0) -> int:
    """The process id of the sidecar that runs below `state`."""
    while True:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = path.read_bytes().split(b"\0")
                ours = any(str(state).encode() in word for word in words)
                if ours and b"-m sidecar" in b" ".join(words[:5]) and int(path.parent.name) != not_this:
                    return int(path.parent.name)
        time.sleep(0.02)


def resident(pid: int) -> dict[str, float]:
    """MiB by kind: VmRSS, RssAnon, RssFile, VmHWM."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":") for line in lines)
    return {name: int(value.split()[0]) / 1024 for name, value in pairs if name.startswith(("VmRSS", "Rss", "VmHWM"))}


def began(pid: int) -> float:
    """When a process began, seconds since the epoch, to 10 ms."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def first_acknowledged(state: Path) -> float:
    """When the sidecar said so in its log, seconds since the epoch."""
    logs = "".join(log.read_text() for log in state.glob("run/*/sidecar.log"))
    said = [line.split()[0] for line in logs.splitlines() if "the first batch is durable" in line]
    if not said:
        raise SystemExit("the sidecar never said that its first batch is durable")
    return datetime.fromisoformat(max(said)).timestamp()


def measure(state: Path) -> Iterator[tuple[str, float, float]]:
    """(what, figure, bound); a bound of 0 is none."""
    inscope = [sys.executable, "-m", "controlplane.cli", "run", "--state", str(state), "--name", "memory", "--"]
    agent = [sys.executable, "-c", AGENT, str(SETTLE_S + 2), str(AFTER_BURST_S + 5)]
    with subprocess.Popen([*inscope, "sleep", "1"]):  # the control plane is running from here on
        first = sidecar_of(state)
    with subprocess.Popen([*inscope, *agent]) as running:
        pid = sidecar_of(state, not_this=first)
        birth = began(pid)
        time.sleep(SETTLE_S)
        settled = resident(pid)
        yield "largest during start, MiB", settled["VmHWM"], 0
        yield "settled, MiB", settled["VmRSS"], STEADY_MIB
        yield "  of it not shared with the page cache, MiB", settled["RssAnon"], 0
        time.sleep(AFTER_BURST_S)
        yield "after a burst of 10,000 connects, MiB", resident(pid)["VmRSS"], STEADY_MIB
        running.wait()
    yield "first batch durable after, s", max(first_acknowledged(state) - birth, 0), FIRST_ACKNOWLEDGED_S


def main() -> int:
    """Print the figures."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="inscope-") as folder:
        for what, figure, bound in measure(Path(folder)):
            over = bool(bound) and figure > bound
            missed += over
            print(f"{what:45} {figure:7.2f}", f"(bound {bound:g})" if bound else "", "OVER" if over else "", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
