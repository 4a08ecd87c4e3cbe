"""What is granted covers what is used: wildcards, case, names; and an entry's text is read back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given

from inscope.behaviour import Outcome, PermissionUse
from inscope.entry_text import permission_value, read_permission
from inscope.permission import Authority, Permission
from inscope.reference import Dimension, entries_of, missing
from tests.strategies import permissions

K8S, AWS, PG = Authority


@given(permissions)
def test_an_entrys_text_is_read_back(permission: Permission) -> None:
    assert read_permission(permission_value(permission)) == permission


@given(permissions)
def test_everything_covers_itself(permission: Permission) -> None:
    assert permission.covers(permission)


@pytest.mark.parametrize(
    ("granted", "used", "covered"),
    [
        (Permission(K8S, "core", "*", "pods", "a"), Permission(K8S, "core", "get", "pods", "a"), True),
        (Permission(K8S, "core", "*", "pods", "a"), Permission(K8S, "core", "get", "pods/exec", "a"), False),
        (Permission(K8S, "core", "get", "*/scale", "*"), Permission(K8S, "core", "get", "x/scale", "b"), True),
        (Permission(K8S, "core", "get", "pods", "a"), Permission(K8S, "core", "get", "pods", "b"), False),
        (Permission(K8S, "core", "GET", "pods", "a"), Permission(K8S, "core", "get", "pods", "a"), False),
        (Permission(K8S, "core", "get", "secrets", "a", "db"), Permission(K8S, "core", "get", "secrets", "a"), False),
        (
            Permission(K8S, "core", "get", "secrets", "a", "db"),
            Permission(K8S, "core", "get", "secrets", "a", "db"),
            True,
        ),
        (Permission(AWS, "s3", "get*", "*"), Permission(AWS, "s3", "GetObject", "arn:aws:s3:::b/*"), True),
        (Permission(AWS, "s3", "GetObject", "arn:aws:s3:::b/*"), Permission(AWS, "s3", "GetObject", "x"), False),
        (Permission(AWS, "*", "*", "*"), Permission(K8S, "core", "get", "pods"), False),
        (Permission(PG, "shop", "SELECT", "public.*"), Permission(PG, "shop", "SELECT", "public.orders"), True),
    ],
)
def test_coverage(granted: Permission, used: Permission, covered: bool) -> None:
    assert granted.covers(used) is covered


def test_an_attempt_is_no_use() -> None:
    permission = Permission(K8S, "core", "create", "pods/exec", "a")
    refused = entries_of(PermissionUse(permission, "x", Outcome.DENIED))
    done = PermissionUse(permission, "x", Outcome.ALLOWED)
    assert [entry.dimension for entry in refused] == [Dimension.ATTEMPT]
    assert missing(done, set(refused)), "who was refused before has not done it"


def test_a_sentence_puts_it_as_its_authority_does() -> None:
    assert str(Permission(K8S, "rbac.authorization.k8s.io", "create", "rolebindings", "a")) == (
        "create rolebindings.rbac.authorization.k8s.io in a"
    )
    assert str(Permission(K8S, "core", "create", "pods/exec", "*")) == "create pods/exec in all namespaces"
    assert str(Permission(K8S, "nonresource", "get", "/metrics")) == "get /metrics"
    assert str(Permission(AWS, "s3", "GetObject", "arn:aws:s3:::b")) == "s3:GetObject on arn:aws:s3:::b"
    assert str(Permission(PG, "shop", "SELECT", "public.orders")) == "SELECT on public.orders in database shop"
