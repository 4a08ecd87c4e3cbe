"""What authorities declare and nobody used, as a newcomer reads it: grants, roles, services."""

from __future__ import annotations

from controlplane.posture.gap import Held
from controlplane.posture.latent import UntakenRole
from controlplane.posture.services import Reach
from controlplane.posture.wording import counted, duration, listed, was
from inscope.finding import HeldCapability
from inscope.permission import Level


def granted(held: Held, counts: HeldCapability) -> str:
    """What an authority lets one of its identities do."""
    grant = held.grant
    what = f"{_LEVELS[grant.level]} {grant.authority}:{grant.service}"
    by = " → ".join(grant.path)
    under = ", under conditions," if grant.conditional else ""
    reached = f" through {grant.inherited}" if grant.inherited else ""
    begun = f"{held.principal} is granted{reached} {_permissions(counts)} to {what}{under} by {by}"
    if held.blind:
        return f"{begun}; whether that was used is unobservable: {held.blind}"
    if not counts.used:
        said = f"{begun} ({listed(counts.examples)}): none was exercised in {duration(held.tracked)}"
    else:
        rest = "any other is latent" if counts.latent < 0 else f"{counts.latent:,} {was(counts.latent)} not"
        said = f"{begun}: {counts.used:,} of them {was(counts.used)} exercised in {duration(held.tracked)}, {rest}"
        said += f" ({listed(counts.examples)})" if counts.examples else ""
    return "; ".join((said, *grant.weight, *([held.young] if held.young else [])))


def _permissions(counts: HeldCapability) -> str:
    """How many single permissions."""
    return "an open-ended set of permissions" if counts.held < 0 else counted(counts.held, "permission")


def untaken(role: UntakenRole) -> str:
    """A step of the scope chain that is written down and was never taken."""
    step = role.step
    begun = f"{step.source} may take on {step.target} ({step.via})"
    if role.blind:
        return f"{begun}; whether it did is unobservable: {role.blind}"
    return f"{begun} and never did in {duration(role.tracked)}"


def reached(reach: Reach, counts: HeldCapability) -> str:
    """Services that its identities reach, and which it never called."""
    through = f"through {reach.origin}, which no manifest of its own names, " if reach.origin else ""
    begun = f"its identities reach {through}{counted(counts.held, 'service')}"
    if reach.blind:
        return f"{begun}; whether they were used is unobservable: {reach.blind}"
    never = f"{counts.latent:,} {was(counts.latent)} never used in {duration(reach.tracked)}"
    return f"{begun}: {never} ({listed(counts.examples)})"


_LEVELS = {Level.LIST: "list", Level.READ: "read", Level.WRITE: "change", Level.PERMISSIONS: "change permissions in"}
