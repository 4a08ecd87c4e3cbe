"""What the API server decided, by its own annotations where they are there, and by the response where not. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from controlplane.sources.audit.event import Event
from inscope.behaviour import Outcome
from inscope.text import printable

_DECISION = "authorization.k8s.io/decision"
_REASON = "authorization.k8s.io/reason"

_RBAC = re.compile(
    r'RBAC: allowed by (?P<kind>ClusterRoleBinding|RoleBinding) "(?P<name>[^"/]+)(?:/(?P<namespace>[^"]+))?"'
    r' of (?:ClusterRole|Role) "[^"]+" to '
)  # plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation of Kubernetes: `describe`

MAX_REASON = 300
"""Characters of a reason that is kept as it was said: a webhook may say anything."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`weaker` says why it was concluded from less than the server's own word."""

    outcome: Outcome
    granted_by: str = ""
    weaker: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An event that was understood and says nothing of a permission; `name` says what it is, one of few."""

    name: str


_UNAUTHENTICATED = Unmapped("401: nobody was authenticated")
_THROTTLED = Unmapped("429: refused before it was authorised")
_FORBIDDEN = Decision(Outcome.DENIED, weaker="answered 403, and the log does not say that it was the authoriser's")
_UNSAID = Decision(Outcome.ALLOWED, weaker="the log does not say whether it was authorised")
_ANSWERED = Decision(Outcome.ALLOWED)


def decision_of(event: Event) -> Decision | Unmapped:
    """An error after the authoriser's yes (404, 409, 422, a refusal by admission) was authorised all the same. What
    the server behind a proxy subresource answered is not the authoriser's word either.
    """
    match event.annotations.get(_DECISION):
        case "allow":
            return _allowed(event.annotations.get(_REASON, ""))
        case "forbid":
            return Decision(Outcome.DENIED)
    code = event.responseStatus.code if event.responseStatus else 0
    match code:
        case 401:
            return _UNAUTHENTICATED
        case 429:
            return _THROTTLED
        case 403:
            return _FORBIDDEN
    return _ANSWERED if 100 <= code < 400 else _UNSAID


@lru_cache(maxsize=16_384)
def _allowed(reason: str) -> Decision:
    return Decision(Outcome.ALLOWED, granted_by(reason))


def granted_by(reason: str) -> str:
    """The binding as a grant's path names it (`RoleBinding NAMESPACE/NAME`); any other authoriser's reason as it is."""
    match = _RBAC.match(reason)
    if match is None:
        return printable(reason[:MAX_REASON])
    name = f"{match['namespace']}/{match['name']}" if match["namespace"] else match["name"]
    return printable(f"{match['kind']} {name}")
