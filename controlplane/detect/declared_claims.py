"""Which declared grants, roles and services cover an act that an authority's log told of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controlplane.detect.claim import Claim
from controlplane.posture.gap import Held
from controlplane.posture.latent import UntakenRole, watch_of_grant, watch_of_reach, watch_of_step
from controlplane.posture.services import Reach
from controlplane.posture.wording import duration, listed
from inscope.behaviour import PermissionUse, RoleAssumption
from inscope.capability import CapabilityKind
from inscope.reference import Entry


def permission_claims(act: PermissionUse, held: Iterable[Held]) -> Iterator[Claim]:
    """The grants that cover it: first the one that the authority itself says allowed it, then the narrower first."""
    covering = [each for each in held if each.principal == act.principal and each.grant.covers(act.permission)]
    covering.sort(key=lambda each: (not _named_by(act, each), each.grant.size < 0, each.grant.size))
    for each in covering:
        yield _granted(each)


def _named_by(act: PermissionUse, held: Held) -> bool:
    return bool(act.granted_by) and act.granted_by in held.grant.path[:1]


def _granted(held: Held) -> Claim:
    by = " → ".join(held.grant.path)
    never = f"and latent for {duration(held.tracked)}" if held.tracked else "and was never used"
    weight = f"; {held.grant.weight[0]}" if held.grant.weight else ""
    said = f"it is granted by {by} {never}{weight}"
    return Claim(CapabilityKind.PERMISSIONS, said, watch=watch_of_grant(held))


def role_claims(act: RoleAssumption, untaken: Iterable[UntakenRole]) -> Iterator[Claim]:
    """The declared steps that lead to the role; a step that begins elsewhere does not cover it."""
    leading = [each for each in untaken if each.step.target == act.role]
    for each in leading:
        if each.step.source == act.principal:
            said = f"it may take on {act.role} ({each.step.via}) and never did in {duration(each.tracked)}"
            yield Claim(CapabilityKind.ROLES, said, watch=watch_of_step(each.step))
    if leading and all(each.step.source != act.principal for each in leading):
        others = listed([each.step.source for each in leading])
        yield Claim(
            CapabilityKind.ROLES, refuted=f"the scope chain leads there from {others}, not from {act.principal}"
        )


def service_claims(entry: Entry, reach: Iterable[Reach]) -> Iterator[Claim]:
    """The services that its identities reach, those that its own manifest names first."""
    for each in reach:
        if entry.value in each.services:
            through = f" through {each.origin}" if each.origin else ""
            said = f"it could use {entry.value}{through} and never did in {duration(each.tracked)}"
            yield Claim(CapabilityKind.SERVICES, said, watch=watch_of_reach(each.origin))
