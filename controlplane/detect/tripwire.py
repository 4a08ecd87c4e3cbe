"""The watch conditions compiled from findings and references: armed, or not armed and why not."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.posture.gap import Held
from controlplane.posture.latent import Doubted, Latent, UntakenRole
from controlplane.posture.services import Reach
from inscope.capability import Capability
from inscope.coverage import Source, SourceCoverage
from inscope.finding import Tripwire
from inscope.mode import Mode
from inscope.reference import TOLD_BY_LOGS, Entry, ReferenceKind


def arm(latent: Latent, mode: Mode, blind: str) -> Tripwire:
    """The tripwire over one finding's set. `blind` is why its source cannot see, empty where it can."""
    reasons = [f"the workload is in {mode}: it learns and raises no alert"] if mode is Mode.OBSERVE else []
    match latent.about:
        case Held(blind=unseen, young=young):
            reasons += [why for why in (unseen, young) if why]
        case UntakenRole(blind=unseen) | Reach(blind=unseen):
            reasons += [unseen] if unseen else []
        case Doubted(entry=Entry(reference=reference)) if reference in TOLD_BY_LOGS:
            pass  # the log that told of it is there
        case _ if blind:
            reasons.append(blind)
    if isinstance(latent.about, Capability) and not latent.about.complete:
        reasons.append("the survey was cut at its bound: the set is not known to be whole")
    return Tripwire(latent.watch, not reasons, "; ".join(reasons))


def closed_world(reference: ReferenceKind) -> str:
    """The id of the tripwire over a whole reference: it fires on what no finding foresaw."""
    return f"{reference}/closed-world"


def blindness(instances: Sequence[Sequence[SourceCoverage]], *, live: bool, source: Source = Source.INIT) -> str:
    """Why `source` cannot see this workload; empty where it can.

    `instances` is the coverage of each instance that is live, or where none is (`live` false), of the last one: what it
    saw until its end is what is known.
    """
    seen = [each for coverage in instances for each in coverage if each.source is source]
    if not seen:
        return f"{source} never connected"
    if live and not any(each.connected for each in seen):
        return f"{source} is not connected in any running instance"
    return ""
