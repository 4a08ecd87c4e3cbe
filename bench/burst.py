"""A burst of 10,000 watched opens: how many are in the record, how many are counted as lost, and how long it took.

    python -m bench.burst [--events 10000]

What was made must not exceed what was recorded plus what was counted as lost: the command fails where it does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

INSCOPE = Path(sys.executable).with_name("inscope")
BURST = """
import os, sys
folder, events = sys.argv[1], int(sys.argv[2])
names = [f"{folder}/burst-{letter}.pem" for letter in "abcdefghij"]
for name in names:
    with open(name, "w"):
        pass
for number in range(events):
    os.close(os.open(names[number % len(names)], os.O_RDONLY))
"""


def main() -> int:
    """Make the burst and hold the record against it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        begin = time.perf_counter()
        run = [INSCOPE, "run", "--state", f"{folder}/state", "--name", "burst", "--"]
        subprocess.run([*run, sys.executable, "-c", BURST, folder, str(events)], check=True)
        seconds = time.perf_counter() - begin
        detail = shown(folder)
    recorded = sum(
        entry["count"]
        for reference in detail["references"]
        for entry in reference["entries"]
        if entry["dimension"] == "secret-read" and "burst-" in entry["value"]
    )
    losses: dict[str, int] = {}
    for source in detail["instances"][0]["coverage"]:
        for cause, count in source["losses"].items():
            losses[cause] = losses.get(cause, 0) + count
    print(f"made {events}, recorded {recorded}, lost and counted {losses or 0}, {seconds:.2f} s from start to durable")
    return 0 if recorded + sum(losses.values()) >= events else 1


def shown(folder: str) -> Any:
    """The workload as the API tells it."""
    command = [INSCOPE, "show", "burst", "--entries", "--state", f"{folder}/state", "-o", "json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)[0]


if __name__ == "__main__":
    sys.exit(main())
