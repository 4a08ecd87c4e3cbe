"""What the control plane pushes, as the sidecar holds it."""

from __future__ import annotations

import math
from dataclasses import replace

from inscope.codec import (
    CodecError,
    containment_from_wire,
    entry_from_wire,
    mode_from_wire,
    version_from_wire,
)
from inscope.codec.stream import lapse_from_wire
from inscope.v1 import sidecar_pb2 as pb
from sidecar.judge.local import LocalReference, updated

MAX_ENTRIES = 50_000
"""Entries of a local reference: about 15 MiB. A larger one is refused, and the last good one kept."""

MAX_TTL = 366 * 86_400.0
"""Seconds: a year without a control plane."""


def reference_from_wire(held: LocalReference, push: pb.ReferencePush) -> LocalReference:
    """What is held after a push.

    Raises:
        CodecError: it is unsound or too large; `held` stays in force.
    """
    mode = mode_from_wire(push.mode)
    if len(push.entries) > MAX_ENTRIES:
        raise CodecError(f"entries: {len(push.entries)}, this sidecar holds at most {MAX_ENTRIES}")
    if not math.isfinite(push.ttl) or not 0 <= push.ttl <= MAX_TTL:
        raise CodecError(f"ttl: {push.ttl} is not a number of seconds up to {MAX_TTL:g}")
    versions = [version_from_wire(version) for version in push.versions]
    entries = [entry_from_wire(entry) for entry in push.entries]
    strangers = {entry.reference for entry in entries} - {version.kind for version in versions}
    if strangers:
        raise CodecError(f"entries: of a kind that no version names: {', '.join(sorted(strangers))}")
    return replace(
        updated(held, mode, versions, entries),
        containment=containment_from_wire(push.containment),
        ttl=push.ttl,
        on_lapse=lapse_from_wire(push.on_lapse),
    )
