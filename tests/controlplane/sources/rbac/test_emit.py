"""The roles that would have been enough allow what was used, by the resolver, and nothing that was latent."""

from __future__ import annotations

import yaml

from controlplane.sources.rbac.emit import least_privilege
from controlplane.sources.rbac.manifests import read_objects
from controlplane.sources.rbac.resolver import Rbac, Request, service_account
from inscope.permission import Authority, Permission

AGENT = service_account("analytics", "agent")


def used(service: str, action: str, resource: str, scope: str = "analytics", name: str = "") -> Permission:
    return Permission(Authority.KUBERNETES, service, action, resource, scope, name)


USED = [
    used("core", "get", "pods"),
    used("core", "list", "pods"),
    used("core", "get", "secrets", name="db"),
    used("core", "list", "configmaps", "shop", "settings"),
    used("core", "create", "configmaps", "shop", "ignored"),
    used("core", "create", "serviceaccounts/token", name="helper"),
    used("apps", "patch", "deployments/scale", "shop"),
    used("core", "get", "nodes", ""),
    used("nonresource", "get", "/metrics", ""),
]


def allowed(request: Request) -> bool:
    objects = read_objects([("emitted", least_privilege("analytics", "agent", USED).encode())])
    assert objects.faults == ()
    return Rbac(objects).decide(AGENT, request) is not None


def test_what_was_used_is_allowed() -> None:
    assert allowed(Request("get", "", "pods", namespace="analytics"))
    assert allowed(Request("list", "", "pods", namespace="analytics"))
    assert allowed(Request("get", "", "secrets", namespace="analytics", name="db"))
    assert allowed(Request("list", "", "configmaps", namespace="shop", name="settings")), "by a field selector"
    assert allowed(Request("create", "", "configmaps", namespace="shop"))
    assert allowed(Request("create", "", "serviceaccounts", "token", "analytics", "helper"))
    assert allowed(Request("patch", "apps", "deployments", "scale", "shop", "x"))
    assert allowed(Request("get", "", "nodes"))
    assert allowed(Request("get", path="/metrics"))


def test_nothing_else_is() -> None:
    assert not allowed(Request("get", "", "pods", namespace="shop"))
    assert not allowed(Request("delete", "", "pods", namespace="analytics"))
    assert not allowed(Request("get", "", "secrets", namespace="analytics", name="other"))
    assert not allowed(Request("list", "", "secrets", namespace="analytics"))
    assert not allowed(Request("list", "", "configmaps", namespace="shop"))
    assert not allowed(Request("create", "", "serviceaccounts", "token", "analytics", "other"))
    assert not allowed(Request("patch", "apps", "deployments", namespace="shop"))
    assert not allowed(Request("get", path="/healthz"))


def test_nothing_used_is_nothing_written() -> None:
    assert least_privilege("analytics", "agent", []) == ""


def test_no_two_accounts_write_the_same_role() -> None:
    names = [
        {body["metadata"]["name"] for body in yaml.safe_load_all(least_privilege(namespace, account, USED))}
        for namespace, account in (("a-b", "c"), ("a", "b-c"))
    ]
    assert names == [{"a-b:c:used"}, {"a:b-c:used"}]
