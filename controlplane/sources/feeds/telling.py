"""What a feed's documents tell, by a log's reader, handed on in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from controlplane.sources.feeds.delay import Delays
from controlplane.sources.feeds.delivery import Delivery, Take
from inscope.exercise import Exercise

Read = Callable[[BinaryIO], Iterator[Exercise]]
"""`CloudTrailReader.read` or `AuditReader.read`."""

Tell = Callable[[Sequence[Exercise]], None]
"""What becomes of a batch: kept once it returns."""

BATCH = 5_000


def telling(read: Read, tell: Tell, clock: Callable[[], float], delays: Delays, batch: int = BATCH) -> Take:
    """A `Take` that tells. A delivery of which a batch could not be told comes again: an event is known by its id."""

    def take(delivery: Delivery) -> None:
        exercises = read(delivery.stream)
        while some := list(islice(exercises, batch)):
            tell(some)
            now = clock()
            for each in some:
                delays.told(each.time, now)

    return take
