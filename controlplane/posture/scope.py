"""The entries that are in scope, out of those that are known: what is provisional is known, and not in scope."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from inscope.reference import Entry, Evidence, Standing


@dataclass(frozen=True, slots=True)
class Scope(Collection[Entry]):
    """A view of `known`, without a copy, for `inscope.reference.missing`."""

    known: Mapping[Entry, Evidence]

    def __contains__(self, entry: object) -> bool:
        evidence = self.known.get(entry)  # type: ignore[call-overload]  # any object may be looked for in a collection
        return evidence is not None and evidence.standing is not Standing.PROVISIONAL

    def __iter__(self) -> Iterator[Entry]:
        return (entry for entry, evidence in self.known.items() if evidence.standing is not Standing.PROVISIONAL)

    def __len__(self) -> int:
        return sum(1 for _ in self)
