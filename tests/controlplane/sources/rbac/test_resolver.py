"""RBAC as the API server decides it: each rule of the documentation, and what is often thought and is not so."""

from __future__ import annotations

import pytest

from controlplane.sources.fields import Requirement
from controlplane.sources.rbac.objects import Binding, Objects, Role, Rule, Subject
from controlplane.sources.rbac.resolver import Asker, Rbac, Request, allows, service_account

AGENT = service_account("analytics", "agent")
READ_PODS = Rule(("get", "list"), ("",), ("pods",))


def bound(rule: Rule, *subjects: Subject, namespace: str = "", role_namespace: str = "") -> Rbac:
    """One binding of one role."""
    role = Role("r", role_namespace, (rule,))
    return Rbac(Objects((role,), (Binding("b", namespace, "r", role_namespace, subjects),)))


@pytest.mark.parametrize(
    ("rule", "request_", "allowed"),
    [
        (READ_PODS, Request("get", "", "pods", namespace="a"), True),
        (READ_PODS, Request("create", "", "pods"), False),
        (READ_PODS, Request("get", "apps", "pods"), False),
        (READ_PODS, Request("get", "", "pods", "log"), False),
        (Rule(("get",), ("",), ("pods/log",)), Request("get", "", "pods", "log"), True),
        (Rule(("get",), ("",), ("pods/*",)), Request("get", "", "pods", "log"), False),
        (Rule(("get",), ("*",), ("*/scale",)), Request("get", "apps", "deployments", "scale"), True),
        (Rule(("get",), ("*",), ("*/scale",)), Request("get", "apps", "deployments"), False),
        (Rule(("*",), ("*",), ("*",)), Request("delete", "x.io", "y", "z"), True),
        (Rule(("get",), ("",), ("secrets",), ("db",)), Request("get", "", "secrets", name="db"), True),
        (Rule(("get",), ("",), ("secrets",), ("db",)), Request("get", "", "secrets", name="other"), False),
        (Rule(("list",), ("",), ("secrets",), ("db",)), Request("list", "", "secrets"), False),
        (Rule(("create",), ("",), ("secrets",), ("db",)), Request("create", "", "secrets"), False),
        (Rule(("get",), urls=("/healthz",)), Request("get", path="/healthz"), True),
        (Rule(("get",), urls=("/healthz/*",)), Request("get", path="/healthz/etcd"), True),
        (Rule(("get",), urls=("/healthz/*",)), Request("get", path="/healthz"), False),
        (Rule(("get",), urls=("*",)), Request("get", path="/metrics"), True),
        (Rule(("get",), ("*",), ("*",)), Request("get", path="/metrics"), False),
        (Rule(("GET",), ("",), ("pods",)), Request("get", "", "pods"), False),
    ],
)
def test_a_rule(rule: Rule, request_: Request, allowed: bool) -> None:
    assert allows(rule, request_) is allowed


def test_a_role_binding_grants_in_its_namespace_only() -> None:
    rbac = bound(READ_PODS, Subject("ServiceAccount", "agent", "analytics"), namespace="shop")
    assert rbac.decide(AGENT, Request("get", "", "pods", namespace="shop"))
    assert not rbac.decide(AGENT, Request("get", "", "pods", namespace="analytics"))
    assert not rbac.decide(AGENT, Request("get", "", "pods"))


def test_a_role_binding_never_grants_paths() -> None:
    rbac = bound(Rule(("get",), urls=("*",)), Subject("Group", "system:authenticated"), namespace="shop")
    assert not rbac.decide(AGENT, Request("get", path="/metrics"))


def test_a_service_account_without_a_namespace_is_of_the_bindings() -> None:
    rbac = bound(READ_PODS, Subject("ServiceAccount", "agent"), namespace="analytics")
    assert rbac.decide(AGENT, Request("get", "", "pods", namespace="analytics"))
    nowhere = bound(READ_PODS, Subject("ServiceAccount", "agent"))
    assert not nowhere.decide(AGENT, Request("get", "", "pods", namespace="analytics"))


@pytest.mark.parametrize(
    "group", ["system:serviceaccounts", "system:serviceaccounts:analytics", "system:authenticated"]
)
def test_every_service_account_is_in_three_groups(group: str) -> None:
    rbac = bound(READ_PODS, Subject("Group", group))
    path = rbac.decide(AGENT, Request("get", "", "pods", namespace="x"))
    assert path
    assert path.through == group


def test_a_service_account_may_be_named_as_the_user_that_it_is() -> None:
    rbac = bound(READ_PODS, Subject("User", "system:serviceaccount:analytics:agent"))
    assert rbac.decide(AGENT, Request("get", "", "pods", namespace="x"))


def test_another_user_is_not_meant() -> None:
    rbac = bound(READ_PODS, Subject("User", "alice"))
    assert not rbac.decide(Asker("bob", ("alice",)), Request("get", "", "pods"))


def test_a_binding_to_a_role_that_is_not_there_grants_nothing() -> None:
    rbac = Rbac(Objects((), (Binding("b", "", "gone", "", (Subject("Group", "system:authenticated"),)),)))
    assert not rbac.decide(AGENT, Request("get", "", "pods"))


def test_an_aggregated_role_has_the_rules_of_what_its_selectors_choose() -> None:
    part = Role("part", "", (READ_PODS,), labels={"aggregate-to-whole": "true"})
    whole = Role("whole", "", (), aggregates=((Requirement("aggregate-to-whole", "In", ("true",)),),))
    other = Role("other", "", (Rule(("*",), ("*",), ("*",)),))
    binding = Binding("b", "", "whole", "", (Subject("Group", "system:authenticated"),))
    rbac = Rbac(Objects((whole, part, other), (binding,)))
    assert rbac.decide(AGENT, Request("get", "", "pods"))
    assert not rbac.decide(AGENT, Request("delete", "", "pods"))
