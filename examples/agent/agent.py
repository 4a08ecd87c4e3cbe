"""A small agent that does real work: it reads files, asks a warehouse, calls a service, runs git.

Standard library only. There is no model in it: its planner does what a task file says, a step a line, and (this is its
weakness, and that of every agent that reads what strangers write) also what the texts say that it reads on the way. A
line `AGENT: …` in a ticket is a step like any other: so the same program, unchanged, does its work or an attacker's.
"""

from __future__ import annotations

import argparse
import ctypes
import sqlite3
import subprocess
import sys
import urllib.request
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

INSTRUCTION = "AGENT: "
"""What the planner takes for a step wherever it reads it."""

MAX_STEPS = 100
SECONDS = 10.0

Tool = Callable[..., str]


def read(path: str) -> str:
    """The text of a file."""
    return Path(path).expanduser().read_text()


def query(*words: str) -> str:
    """The rows that the warehouse answers to a question in SQL."""
    warehouse = sqlite3.connect("file:warehouse.db?mode=ro", uri=True)
    try:
        return "\n".join(" | ".join(map(str, row)) for row in warehouse.execute(" ".join(words)))
    finally:
        warehouse.close()


def fetch(url: str) -> str:
    """What a service answers."""
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        return answer.read().decode()


def git(*arguments: str) -> str:
    """What git says about the product's repository."""
    command = ["git", "--no-pager", "-C", "repository", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def note(name: str, *words: str) -> str:
    """Write a line into the notes."""
    Path("notes", name).write_text(" ".join(words) + "\n")
    return ""


def download(url: str, path: str) -> str:
    """Keep a file that a service offers."""
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        Path(path).write_bytes(answer.read())
    Path(path).chmod(0o755)
    return ""


def run(program: str, *arguments: str) -> str:
    """What a program says."""
    command = [str(Path(program).absolute()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def native(*libraries: str) -> str:
    """Load the first native library of these that is there."""
    for library in libraries:
        with suppress(OSError):
            return str(ctypes.CDLL(library))
    raise OSError(f"none of {', '.join(libraries)} can be loaded")


TOOLS: dict[str, Tool] = {tool.__name__: tool for tool in (read, query, fetch, git, note, download, run, native)}


def plan(text: str) -> list[str]:
    """The steps that a text asks for."""
    return [line.removeprefix(INSTRUCTION).strip() for line in text.splitlines() if line.startswith(INSTRUCTION)]


def work(task: Path) -> int:
    """Do a task; the number of steps that failed."""
    steps = deque(line for line in task.read_text().splitlines() if line and not line.startswith("#"))
    failed = 0
    for _ in range(MAX_STEPS):
        if not steps:
            break
        step = steps.popleft()
        name, *arguments = step.split()
        try:
            result = TOOLS[name](*arguments)
        except (OSError, KeyError, sqlite3.Error, subprocess.SubprocessError, TypeError) as error:
            print(f"  {step} -> {type(error).__name__}: {error}")
            failed += 1
            continue
        print(f"  {step} -> {summary(result)}")
        steps.extendleft(reversed(plan(result)))
    return failed


def summary(result: str) -> str:
    """How much came back: what it was is not for the screen."""
    lines = result.splitlines()
    return f"{len(lines)} lines" if lines else "done"


def main() -> int:
    """Do the tasks named on the command line, in the current folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="+", type=Path)
    return 1 if sum(work(task) for task in parser.parse_args().task) else 0


if __name__ == "__main__":
    sys.exit(main())
