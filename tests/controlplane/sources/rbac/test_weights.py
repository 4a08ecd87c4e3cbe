"""Why a grant weighs more than its level: by lists that others published, each reason with its list."""

from __future__ import annotations

import pytest

from controlplane.sources.rbac.grants import WEIGHTS, weights_of
from inscope.permission import Authority, Permission


def why(service: str, action: str, resource: str, scope: str = "analytics", name: str = "") -> tuple[str, ...]:
    return weights_of([Permission(Authority.KUBERNETES, service, action, resource, scope, name)])


@pytest.mark.parametrize(
    ("service", "action", "resource", "said"),
    [
        ("core", "list", "secrets", "(practices)"),
        ("core", "get", "pods/exec", "(matrix)"),
        ("core", "patch", "pods/ephemeralcontainers", "(rbac-police: pods_ephemeral_ctrs)"),
        ("core", "*", "serviceaccounts/token", "makes tokens"),
        ("apps", "create", "*", "creates pods by a workload"),
        ("*", "impersonate", "users", "acts as others"),
        ("rbac.authorization.k8s.io", "escalate", "clusterroles", "takes permissions"),
        ("core", "get", "nodes/proxy", "past admission and audit"),
        ("certificates.k8s.io", "approve", "signers", "identities"),
    ],
)
def test_what_others_follow_from(service: str, action: str, resource: str, said: str) -> None:
    assert any(said in reason for reason in why(service, action, resource))


@pytest.mark.parametrize(
    ("service", "action", "resource"),
    [("core", "get", "pods"), ("core", "list", "configmaps"), ("core", "create", "events"), ("apps", "get", "*")],
)
def test_what_is_only_what_it_is(service: str, action: str, resource: str) -> None:
    assert why(service, action, resource) == ()


def test_a_name_restricts_what_is_read_and_not_that_it_weighs() -> None:
    assert why("core", "get", "secrets", name="db") == why("core", "get", "secrets")


def test_what_weighs_in_one_place_only() -> None:
    reason = "decides on EKS who is an administrator (rbac-police: eks_modify_aws_auth)"
    assert reason in why("core", "update", "configmaps", "kube-system")
    assert reason in why("core", "update", "configmaps", "*")
    assert reason in why("core", "update", "configmaps", "kube-system", "aws-auth")
    assert reason not in why("core", "update", "configmaps", "kube-system", "other")
    assert reason not in why("core", "update", "configmaps", "analytics")


def test_every_reason_names_its_list() -> None:
    assert all(weight.why.endswith(")") and " (" in weight.why for weight in WEIGHTS)
