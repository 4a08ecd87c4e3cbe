"""How far an instance is cut off from the world, whatever its mode."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Containment(StrEnum):
    """Ordered by strictness. Quarantined: nothing is sent anywhere. Frozen: its processes are stopped as well."""

    FREE = "free"
    QUARANTINED = "quarantined"
    FROZEN = "frozen"


def stricter(one: Containment, other: Containment) -> Containment:
    """The stricter of two: a workload's and an instance's own both hold."""
    order = tuple(Containment)
    return max(one, other, key=order.index)


def containment_of(containments: Mapping[str, Containment], instance: str) -> Containment:
    """How far an instance is to be cut off: by itself, or with its whole workload (under the empty string)."""
    whole = containments.get("", Containment.FREE)
    return stricter(whole, containments.get(instance, Containment.FREE))
