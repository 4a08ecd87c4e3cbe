"""A claim: that a capability which is known covers an act, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.posture.latent import watch_of
from inscope.capability import CAPABILITY_RULES, CapabilityKind


@dataclass(frozen=True, slots=True)
class Claim:
    """A capability that may cover the act. `said` is what its finding had said; `refuted` why it does not cover it.

    `watch` is the id of its tripwire; empty for a kind that is surveyed, which has one in all.
    """

    kind: CapabilityKind
    said: str = ""
    refuted: str = ""
    watch: str = ""

    @property
    def tripwire(self) -> str:
        """The id of the tripwire that its finding arms."""
        return self.watch or watch_of(CAPABILITY_RULES[self.kind].reference, self.kind)
