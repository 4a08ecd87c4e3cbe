"""What a wildcard comes to is counted by what the server has, and never guessed."""

from __future__ import annotations

import json

from controlplane.sources.rbac import read_declaration
from controlplane.sources.rbac.discovery import Discovery
from controlplane.sources.rbac.objects import Kinds
from inscope.permission import Authority, Permission

KNOWN = Discovery(
    [
        Kinds("", {"pods": ("get", "list"), "pods/exec": ("create", "get"), "secrets": ("get",)}),
        Kinds("apps", {"deployments": ("get",), "deployments/scale": ("get", "patch")}),
        Kinds("apps", {"deployments": ("get", "patch")}),
    ]
)


def size(service: str, action: str, resource: str, name: str = "", known: Discovery = KNOWN) -> int:
    return known.size([Permission(Authority.KUBERNETES, service, action, resource, "*", name)])


def test_what_is_single_is_one_whatever_the_server_has() -> None:
    assert size("made.up", "frobnicate", "things") == 1


def test_wildcards_stand_for_what_the_server_has() -> None:
    assert size("core", "get", "*") == 3
    assert size("core", "*", "pods") == 2
    assert size("core", "*", "*") == 5
    assert size("*", "*", "*") == 9, "of two versions of a group, together"
    assert size("*", "get", "*/scale") == 1


def test_what_two_patterns_share_is_one() -> None:
    pairs = (("get", "*"), ("*", "pods"))
    patterns = [Permission(Authority.KUBERNETES, "core", verb, kind, "*") for verb, kind in pairs]
    assert KNOWN.size(patterns) == 4


def test_each_name_is_one() -> None:
    named = [Permission(Authority.KUBERNETES, "core", "get", "secrets", "*", name) for name in "ab"]
    assert KNOWN.size(named) == 2


def test_open_ended_where_nothing_tells() -> None:
    assert size("core", "*", "*", known=Discovery()) == -1
    assert size("made.up", "*", "*") == -1
    assert size("nonresource", "get", "*") == -1


def test_discovery_is_read_from_files_beside_the_roles() -> None:
    role = {
        "kind": "ClusterRole",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "r"},
        "rules": [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}],
    }
    binding = {
        "kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "b"},
        "roleRef": {"kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "agent", "namespace": "a"}],
    }
    verbs = {"name": "deployments", "verbs": ["get", "list"], "namespaced": True, "kind": "Deployment"}
    found = {"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [verbs]}
    declaration = read_declaration([("x", json.dumps([role, binding, found]).encode())], "", 1.8e9)
    assert [grant.size for grant in declaration.grants] == [2]
