"""What an authority's log tells: an identity exercised a permission or took on a role. Attributed later.

Nothing here was seen by a sidecar. The act was authorised elsewhere and has happened, so that a verdict on it can only
contain what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from inscope.behaviour import PermissionUse, RoleAssumption
from inscope.coverage import Source
from inscope.permission import Authority, Level


@dataclass(frozen=True, slots=True)
class Identity:
    """Who did it, as far as the log says. What it does not say is empty (0 for `port`).

    `principal` is the name that the authority uses (see `Grant`). `pod` is `NAMESPACE/NAME` and `pod_uid` its uid, both
    vouched for by the authority. `credential` is the id of what was presented (an access key id, a token's id, a
    database session): the same one elsewhere is the same credential. `address` and `port` are where the request came
    from, `client` is the product that it named (`kubectl`, `Boto3`).
    """

    authority: Authority
    principal: str
    pod: str = ""
    pod_uid: str = ""
    credential: str = ""
    address: str = ""
    port: int = 0
    client: str = ""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One event of a log. `id` is the log's own, unique within its source; `time` seconds since the epoch, of the act.

    `issued` is the credential that a role assumption gave out, by which what is done with it is followed. `records` is
    how many records were read or changed; -1 where the log does not say. `weaker` says why it was concluded from less
    than the authority's own word; empty where it was not.
    """

    id: str
    time: float
    identity: Identity
    behaviour: PermissionUse | RoleAssumption
    issued: str = ""
    records: int = -1
    weaker: str = ""


@dataclass(frozen=True, slots=True)
class LogCoverage:
    """What one log of one scope covered from `since` to `until`: the times of its first and last event.

    `seen` are the (service, level) of which anybody's events were in it: what is never in a log is unobservable there,
    and never "unused". `unmapped` are events that were understood and say nothing of a permission, by their name;
    `malformed` those that were not understood.
    """

    source: Source
    scope: str
    since: float
    until: float
    events: int
    seen: frozenset[tuple[str, Level]]
    unmapped: dict[str, int]
    malformed: int = 0
