"""How figures are taken: two sides asked in turn in one run, the median of the rounds, and the spread beside it."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

DRIVER = Path(__file__).with_name("driver.py")


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of several rounds, and half of the interquartile range as its noise."""

    median: float
    noise: float

    @classmethod
    def of(cls, values: list[float]) -> Figure:
        if len(values) < 2:
            return cls(values[0], 0.0)
        quarters = statistics.quantiles(values, n=4)
        return cls(statistics.median(values), (quarters[2] - quarters[0]) / 2)

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} ± {self.noise:{spec}}"


class Side:
    """A driver process, started behind a prefix (`inscope run … --`, `strace …`, or nothing)."""

    def __init__(self, *prefix: str) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def seconds(self, task: str, times: int) -> float:
        """Have the task done `times` times."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the driver has no pipes")
        self._process.stdin.write(f"{task} {times}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the driver ended with {self._process.wait()}")
        return float(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=60)


def in_turn(sides: list[Side], task: str, times: int, rounds: int) -> list[list[float]]:
    """`rounds` rounds of seconds for each side, asked in turn; one uncounted round first."""
    for side in sides:
        side.seconds(task, max(1, times // 4))
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        order = list(enumerate(sides))
        for index, side in order if number % 2 else reversed(order):
            taken[index].append(side.seconds(task, times))
    return taken
