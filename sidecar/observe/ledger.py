"""What was lost on the way, by cause: init's own count, and ours."""

from __future__ import annotations

from collections import Counter

from inscope.coverage import LossCause, Source, SourceCoverage
from sidecar.observe.bodies import Counters


class Ledger:
    """Losses of one source. Times are seconds since the epoch."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._since = 0.0
        self._until = 0.0
        self._ours: Counter[LossCause] = Counter()
        self._init: Counter[LossCause] = Counter()
        self._lost_before = 0
        self._note = ""

    def began(self, since: float) -> None:
        """The source delivers (again); it first did `since`."""
        self._since = self._since or since
        self._until = 0.0

    def ended(self, now: float) -> None:
        """The source stopped delivering."""
        self._until = now

    def lose(self, cause: LossCause, count: int = 1) -> None:
        """We lost something."""
        self._ours[cause] += count

    def lost_before(self, count: int) -> None:
        """A record says how many before it were lost, in all: known sooner than the counters, but not why."""
        self._lost_before = max(self._lost_before, count)

    def counted(self, counters: Counters) -> None:
        """Init's counters: cumulative, so they only grow."""
        known = {
            LossCause.INIT_QUEUE: counters.lost_queue,
            LossCause.NO_SIDECAR: counters.lost_away,
            LossCause.UNREADABLE: counters.unreadable,
        }
        self._init |= Counter(known)
        self._note = _note(counters)

    def coverage(self) -> SourceCoverage:
        """As of now; causes without a loss are left out."""
        losses = self._ours + self._init
        told = self._init[LossCause.INIT_QUEUE] + self._init[LossCause.NO_SIDECAR]
        losses[LossCause.INIT_QUEUE] += max(0, self._lost_before - told)
        return SourceCoverage(self._source, self._since, self._until, dict(+losses), self._note)


def _note(counters: Counters) -> str:
    parts = (
        (counters.busy, "filters with a listener of their own were refused"),
        (counters.undumpable, "processes made themselves unreadable"),
    )
    return "; ".join(f"{count} {what}" for count, what in parts if count)
