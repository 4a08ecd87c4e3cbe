"""How Kubernetes' requests are said as permissions, alike for what RBAC grants and for what the audit log tells."""

from __future__ import annotations

from inscope.permission import Level

_LEVELS = {
    "get": Level.READ,
    "watch": Level.READ,
    "head": Level.READ,
    "options": Level.READ,
    "list": Level.LIST,
    "bind": Level.PERMISSIONS,
    "escalate": Level.PERMISSIONS,
    "impersonate": Level.PERMISSIONS,
    "approve": Level.PERMISSIONS,
    "sign": Level.PERMISSIONS,
    "attest": Level.PERMISSIONS,
    "use": Level.PERMISSIONS,
}

_RUNS = frozenset({"pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy"})
"""A connection is made by `get` as well as by `create`, and changes whatever it likes."""

_PERMISSIONS = frozenset({"serviceaccounts/token", "certificatesigningrequests/approval"})
"""Subresources whose change hands out an identity."""

RBAC_GROUP = "rbac.authorization.k8s.io"


def service_of(group: str) -> str:
    """An API group as a service: that of pods has no name of its own."""
    return group or "core"


def level_of(service: str, resource: str, verb: str) -> Level:
    """How grave a request is. An unknown verb, and `*`, count as a change."""
    if resource in _RUNS and verb != "*":
        return Level.WRITE
    level = _LEVELS.get(verb, Level.WRITE)
    if level is Level.WRITE and (service == RBAC_GROUP or resource in _PERMISSIONS):
        return Level.PERMISSIONS
    return level
