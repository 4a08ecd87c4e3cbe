"""An audit event as what an identity exercised. Pure: see the API server's audit and authorization documentation.

An answer of 403, or a decision to forbid, was refused; 401 and 429 are of nobody who was authorised for anything. All
other answers were authorised: whether the object was there then is another matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from controlplane.sources.audit.event import Event, ObjectRef, User
from controlplane.sources.kubernetes import level_of, service_of
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority, Level, Permission
from inscope.text import printable

NAMED = frozenset(
    {
        "secrets", "configmaps", "serviceaccounts", "serviceaccounts/token", "roles", "clusterroles", "rolebindings",
        "clusterrolebindings", "namespaces", "nodes", "nodes/proxy", "customresourcedefinitions",
        "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
    }
)  # fmt: skip
"""Kinds whose objects' names mean something and are few: which secret was read is not the same as that one was."""

_FORBIDDEN, _UNAUTHENTICATED, _TOO_MANY = 403, 401, 429
_STAGES = frozenset({"ResponseComplete", "Panic"})
_REASON = re.compile(r'(?P<kind>ClusterRoleBinding|RoleBinding) "(?P<name>[^"/]+)(?:/(?P<namespace>[^"]+))?" of ')
_EXTRA = "authentication.kubernetes.io/"
MAX_CHARACTERS = 1_024


def exercises(event: Event, time: float) -> Iterator[Exercise]:
    """What it tells: nothing, one act, or with impersonation two."""
    code = event.response_status.code if event.response_status else 0
    if event.stage not in _STAGES or not event.user.username or code in (_UNAUTHENTICATED, _TOO_MANY):
        return
    forbidden = code == _FORBIDDEN or event.annotations.get("authorization.k8s.io/decision") == "forbid"
    outcome = Outcome.DENIED if forbidden else Outcome.ALLOWED
    who, principal = identity_of(event), _text(event.user.username)
    if event.impersonated_user is not None and event.impersonated_user.username:
        taken_on = _text(event.impersonated_user.username)
        # Who may not impersonate is refused before anything is asked in the other's name.
        assumed = RoleAssumption(taken_on, principal, Means.IMPERSONATION, Outcome.ALLOWED)
        yield Exercise(f"{event.audit_id}/impersonation", time, who, assumed)
        principal = taken_on
    permission = permission_of(event)
    use = PermissionUse(permission, principal, outcome, granted_by(event) if outcome is Outcome.ALLOWED else "")
    yield Exercise(event.audit_id, time, who, use)


def permission_of(event: Event) -> Permission:
    """What was asked for."""
    ref = event.object_ref
    if ref is None or not ref.resource:
        path = event.request_uri.partition("?")[0]
        return Permission(Authority.KUBERNETES, "nonresource", _text(event.verb), _text(path))
    resource = f"{ref.resource}/{ref.subresource}" if ref.subresource else ref.resource
    name = ref.name if resource in NAMED and event.verb != "create" else ""  # what is made new has a new name
    service = service_of(ref.api_group)
    return Permission(
        Authority.KUBERNETES, _text(service), _text(event.verb), _text(resource), _text(_scope(ref)), _text(name)
    )


def level(permission: Permission) -> Level:
    """How grave it is."""
    return level_of(permission.service, permission.resource, permission.action)


def _scope(ref: ObjectRef) -> str:
    """A namespace is not in itself: its own name is."""
    return "" if ref.resource == "namespaces" else ref.namespace


def identity_of(event: Event) -> Identity:
    """Who asked. The pod is what the API server vouches for: a token that is bound to it."""
    user, namespace = event.user, _namespace_of(event.user)
    pod = _first(user, "pod-name")
    address = event.source_ips[0] if event.source_ips else ""
    return Identity(
        Authority.KUBERNETES,
        _text(user.username),
        pod=_text(f"{namespace}/{pod}") if pod and namespace else "",
        pod_uid=_text(_first(user, "pod-uid")),
        credential=_text(_first(user, "credential-id")),
        address=_text(address),
        client=_text(event.user_agent.partition("/")[0].partition(" ")[0]),
    )


def _namespace_of(user: User) -> str:
    parts = user.username.split(":")
    return parts[2] if parts[:2] == ["system", "serviceaccount"] and len(parts) == 4 else ""


def _first(user: User, name: str) -> str:
    values = user.extra.get(_EXTRA + name)
    return values[0] if values else ""


def granted_by(event: Event) -> str:
    """The binding that allowed it, as a grant's path begins; another authorizer's reason as it is."""
    reason = event.annotations.get("authorization.k8s.io/reason", "")
    match = _REASON.search(reason)
    if not match:
        return _text(reason)
    place = f"{match['namespace']}/" if match["namespace"] else ""
    return _text(f"{match['kind']} {place}{match['name']}")


def _text(value: str) -> str:
    return printable(value[:MAX_CHARACTERS])
