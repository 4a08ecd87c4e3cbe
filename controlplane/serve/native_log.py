"""What gRPC's own code writes to standard error, gathered: a stranger that knocks for ever must not fill the log.

gRPC says a line for each connection whose TLS handshake fails, past Python and its logging. Here the first of each kind
is said at once, and those that follow within `QUIET` seconds are said once, with their number. What gRPC says in the
moment in which it kills the process may be lost; `faulthandler` then says where that was.
"""

from __future__ import annotations

import faulthandler
import math
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inscope.text import printable

QUIET = 60.0
"""Seconds for which a line that was said is not said again."""

MAX_LINE = 64 << 10
"""Bytes after which a line that has no end is taken for one."""

_NATIVE = re.compile(r"[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ (?P<where>[^ ]+:[0-9]+)\] (?P<said>.*)")
"""Abseil's log line. `where` is a line of gRPC's source, so that there are only so many."""


@dataclass(slots=True)
class _Heard:
    until: float
    more: int = 0
    last: str = ""


@dataclass(slots=True)
class Repeats:
    """Which lines were said lately. Times are seconds of a clock that never goes back."""

    heard: dict[str, _Heard] = field(default_factory=dict)

    def hear(self, line: str, now: float) -> str | None:
        """What to say of `line` at once; None where it was said lately and is only counted."""
        match = _NATIVE.match(line)
        if not match:
            return line
        before = self.heard.get(match["where"])
        if before is None:
            self.heard[match["where"]] = _Heard(now + QUIET)
            return f"gRPC: {match['said']} ({match['where']})"
        before.more += 1
        before.last = match["said"]
        return None

    def due(self, now: float) -> list[str]:
        """What is to be said by now of those that were only counted."""
        over = {where: heard for where, heard in self.heard.items() if heard.until <= now}
        for where, heard in over.items():
            del self.heard[where]
            if heard.more:  # it goes on: the next one is counted again
                self.heard[where] = _Heard(now + QUIET)
        return [f"gRPC: {each.more:,} more, last: {each.last} ({where})" for where, each in over.items() if each.more]

    def patience(self, now: float) -> float | None:
        """Seconds until something is due; None where nothing is."""
        return max(min(heard.until for heard in self.heard.values()) - now, 0.0) if self.heard else None


def relay(descriptor: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
    """Read lines from `descriptor` until its end, and say what is to be said of them."""
    repeats, unended = Repeats(), b""
    while True:
        readable, _, _ = select.select([descriptor], [], [], repeats.patience(clock()))
        if readable:
            chunk = os.read(descriptor, MAX_LINE)
            *lines, unended = (unended + chunk).split(b"\n")
            if unended and (not chunk or len(unended) > MAX_LINE):
                lines, unended = [*lines, unended], b""
            for said in (repeats.hear(printable(line), clock()) for line in lines):
                if said is not None:
                    say(said)
            if not chunk:
                break
        for said in repeats.due(clock()):
            say(said)
    for said in repeats.due(math.inf):
        say(said)


@contextmanager
def gathered(say: Callable[[str], None]) -> Iterator[None]:
    """Have `say` called for what native code writes to standard error. Python's own `sys.stderr` goes where it went."""
    before, own = sys.stderr, os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    source, sink = os.pipe()
    os.dup2(sink, 2)
    os.close(sink)
    sys.stderr = own
    faulthandler.enable(own)
    reader = threading.Thread(target=relay, args=(source, say), name="native-log", daemon=True)
    reader.start()
    try:
        yield
    finally:
        os.dup2(own.fileno(), 2)  # the last writer of the pipe is gone: the reader comes to its end
        reader.join(timeout=5.0)
        faulthandler.disable()
        sys.stderr = before
