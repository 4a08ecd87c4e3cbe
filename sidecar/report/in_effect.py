"""What init really does, as against what it was told: each order has a generation, and init says when that is in
force."""

from __future__ import annotations

from inscope.containment import Containment
from inscope.effect import Effect
from inscope.mode import Mode


class InEffect:
    """What is in effect, once init has said so. Both methods give the effect where it has changed by them."""

    def __init__(self, mode: Mode, containment: Containment) -> None:
        """Init is told this in its welcome, as generation 0."""
        self._ordered = Effect(mode, containment)
        self._generation = 0
        self._in_force = -1
        self.effect: Effect | None = None
        """None until init has said anything."""

    def told(self, generation: int, mode: Mode, containment: Containment) -> Effect | None:
        """Init is told this in that generation, which may be the one it does already: not every change concerns it."""
        self._ordered, self._generation = Effect(mode, containment), generation
        return self._settle()

    def confirmed(self, generation: int) -> Effect | None:
        """Init does what it was told in that generation."""
        self._in_force = generation
        return self._settle()

    def _settle(self) -> Effect | None:
        if self._in_force != self._generation or self._ordered == self.effect:
            return None
        self.effect = self._ordered
        return self.effect
