"""The services that a workload's identities reach, by whether its own manifest names what leads there. Pure.

Inherited overreach is scope that comes through a group, a default or a boundary of somebody else's making: nobody who
reads the workload's manifests can find it there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controlplane.posture.gap import Held
from inscope.reference import Dimension, Entry


@dataclass(frozen=True, slots=True)
class Reach:
    """Services (`AUTHORITY:SERVICE`) that are reached through `origin` alone; empty: by name. `used` are those of it
    that were.
    """

    origin: str
    services: frozenset[str]
    used: frozenset[str]
    tracked: float
    blind: str


def reach_of(held: Iterable[Held], entries: Iterable[Entry]) -> tuple[Reach, ...]:
    """By origin, that by name first. What is reached by one is not said again of the next; open-ended services are left
    out: they cannot be listed.
    """
    used = frozenset(entry.value for entry in entries if entry.dimension is Dimension.SERVICE)
    listed = [each for each in held if "*" not in each.grant.service]
    first = {_service(each): each.grant.inherited for each in sorted(listed, key=_origin, reverse=True)}
    origins: defaultdict[str, list[Held]] = defaultdict(list)
    for each in listed:
        if each.grant.inherited == first[_service(each)]:
            origins[each.grant.inherited].append(each)
    return tuple(_reach(origin, origins[origin], used) for origin in sorted(origins))


def _origin(each: Held) -> str:
    return each.grant.inherited


def _reach(origin: str, held: list[Held], used: frozenset[str]) -> Reach:
    services = frozenset(map(_service, held))
    watched = _watched(held)
    blind = "" if watched else next((each.blind for each in held if each.blind), "")
    seen = frozenset(watched) if watched else services
    tracked = min((each.tracked for each in held if not each.blind), default=0.0)
    return Reach(origin, seen, seen & used, tracked, blind)


def _watched(held: Iterable[Held]) -> Mapping[str, Held]:
    """By service, one grant whose use could be seen."""
    return {_service(each): each for each in held if not each.blind}


def _service(each: Held) -> str:
    return f"{each.grant.authority}:{each.grant.service}"
