"""References to a sidecar: which kinds it lacks, under a nonce it answers with. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from controlplane.loop.batch import InForce
from inscope.codec import containment_to_wire, entry_to_wire, mode_to_wire, version_to_wire
from inscope.codec.stream import lapse_to_wire
from inscope.containment import Containment
from inscope.lapse import Lapse
from inscope.reference import ReferenceKind, ReferenceVersion
from inscope.v1 import sidecar_pb2 as pb

MAX_UNANSWERED = 16
"""Pushes remembered while their answer is awaited; an answer to an older one says nothing new."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a reference holds while the stream is down, in seconds, and what the sidecar does after that."""

    ttl: float = 86_400.0
    on_lapse: Lapse = Lapse.KEEP


DEFAULT_TERMS = Terms()


class Pushes:
    """What one sidecar holds, and which pushes it has not answered. `held` is what its Hello claimed."""

    def __init__(self, held: Iterable[ReferenceVersion], terms: Terms = DEFAULT_TERMS) -> None:
        self._terms = terms
        self._held: dict[ReferenceKind, int] = {version.kind: version.version for version in held}
        self._unanswered: OrderedDict[str, InForce] = OrderedDict()

    def push(self, in_force: InForce, nonce: str, containment: Containment = Containment.FREE) -> pb.ReferencePush:
        """The mode, how far the instance is cut off, and the kinds at a version that the sidecar is not known to
        hold, whole."""
        self._unanswered[nonce] = in_force
        while len(self._unanswered) > MAX_UNANSWERED:
            self._unanswered.popitem(last=False)
        lacking = [version for version in in_force.versions if self._held.get(version.kind) != version.version]
        kinds = {version.kind for version in lacking}
        return pb.ReferencePush(
            nonce=nonce,
            mode=mode_to_wire(in_force.mode),
            versions=[version_to_wire(version) for version in lacking],
            entries=[entry_to_wire(entry) for entry in in_force.entries if entry.reference in kinds],
            containment=containment_to_wire(containment),
            ttl=self._terms.ttl,
            on_lapse=lapse_to_wire(self._terms.on_lapse),
        )

    def accepted(self, nonce: str) -> InForce | None:
        """What the sidecar now holds, by our own record and not by its word; None for a nonce we do not await."""
        in_force = self._unanswered.pop(nonce, None)
        if in_force:
            self._held = {version.kind: version.version for version in in_force.versions}
        return in_force

    def rejected(self, nonce: str) -> InForce | None:
        """The sidecar kept what it had. What was refused stays unheld, and comes whole with the next push."""
        return self._unanswered.pop(nonce, None)
