"""One audit event becomes what was exercised: by whom, whether it was allowed, and by what."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from controlplane.sources.audit.names import KEPT
from controlplane.sources.audit.translate import Translation
from inscope.behaviour import Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority, Permission
from tests.controlplane.sources.audit.events import (
    AGENT,
    POD,
    POSTED,
    RECORDED,
    answered,
    event,
    line,
    replay,
    text,
    told,
)

USER = {"username": "ann@example.com", "groups": ["system:authenticated"]}


def permission(**changed: Any) -> Permission:
    """Of the one exercise of a changed event."""
    (only,) = told(event(**changed))
    assert isinstance(only.behaviour, PermissionUse)
    return only.behaviour.permission


def outcome(**changed: Any) -> tuple[Outcome, str]:
    (only,) = told(event(**changed))
    return only.behaviour.outcome, only.weaker


def unmapped(**changed: Any) -> dict[str, int]:
    exercises, reading = replay(text(event(**changed)))
    assert not exercises
    assert not reading.faults
    return reading.coverage().unmapped


def faults(**changed: Any) -> dict[str, int]:
    exercises, reading = replay(text(event(**changed)))
    assert not exercises
    assert reading.coverage().malformed == 1
    return reading.faults


def test_an_event_says_who_did_what_allowed_by_which_binding() -> None:
    secret = Permission(Authority.KUBERNETES, "core", "get", "secrets", "analytics", "db")
    (only,) = told(event())
    assert only.id.endswith(".00000000-0000-4000-8000-000000000001")
    assert [only] == [
        Exercise(
            only.id,
            1795386749.25,
            Identity(
                Authority.KUBERNETES, AGENT, f"analytics/{POD}", "9ae21de8", "JTI=6a49c125", "10.42.7.9", 0,
                "python-requests",
            ),
            PermissionUse(secret, AGENT, Outcome.ALLOWED, "RoleBinding analytics/agents"),
        )
    ]  # fmt: skip


def test_what_a_real_server_recorded_is_understood_without_a_remainder() -> None:
    exercises, reading = replay(text(RECORDED, POSTED))
    assert not reading.faults
    assert reading.coverage().unmapped == {}
    lines = [line(each) for each in exercises]
    assert len(lines) == len(RECORDED["items"]) + len(POSTED["items"])
    assert "admin get serviceaccounts default in default: allowed" in lines  # answered 404: authorised all the same
    assert "admin get pods/exec in t1795386776: allowed" in lines
    assert (
        "system:serviceaccount:kube-system:namespace-controller deletecollection secrets in t1795386772: allowed"
        " by ClusterRoleBinding system:controller:namespace-controller"
    ) in lines
    # A namespace that goes away refuses what is made in it (403): that is admission, the authoriser had said yes.
    assert (
        "system:serviceaccount:kube-system:root-ca-cert-publisher create configmaps in t1795386772: allowed"
        " by ClusterRoleBinding system:controller:root-ca-cert-publisher"
    ) in lines


def test_a_token_that_is_handed_out_is_followed_by_its_id() -> None:
    minted = [each for each in told(RECORDED) if each.issued]
    assert [(line(each), each.issued) for each in minted] == [
        (
            "admin create serviceaccounts/token agent in t1795386754: allowed",
            "JTI=e7f10bbf-1c94-491d-81ce-1eecabd16a04",
        )
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (Outcome.ALLOWED, "")),
        (answered(404, decision="allow"), (Outcome.ALLOWED, "")),
        (answered(409, decision="allow"), (Outcome.ALLOWED, "")),
        (answered(422, decision="allow"), (Outcome.ALLOWED, "")),
        (answered(500, decision="allow"), (Outcome.ALLOWED, "")),
        (answered(403, decision="allow"), (Outcome.ALLOWED, "")),  # by admission
        (answered(429, decision="allow"), (Outcome.ALLOWED, "")),  # an eviction that a disruption budget refuses
        (answered(401, decision="allow"), (Outcome.ALLOWED, "")),  # by what is behind a proxy
        (answered(403, decision="forbid"), (Outcome.DENIED, "")),
        (
            answered(403),
            (Outcome.DENIED, "answered 403, and the log does not say that it was the authoriser's"),
        ),
        (answered(200), (Outcome.ALLOWED, "")),
        (answered(101), (Outcome.ALLOWED, "")),
        (answered(409), (Outcome.ALLOWED, "the log does not say whether it was authorised")),
        ({"responseStatus": None}, (Outcome.ALLOWED, "")),
        (
            {"responseStatus": None, "annotations": None},
            (Outcome.ALLOWED, "the log does not say whether it was authorised"),
        ),
        ({"stage": "Panic", **answered(500, decision="allow")}, (Outcome.ALLOWED, "")),
    ],
)
def test_only_the_authorisers_refusal_is_a_denial(changed: dict[str, Any], expected: tuple[Outcome, str]) -> None:
    assert outcome(**changed) == expected


def test_what_was_never_authorised_is_no_exercise_and_is_counted() -> None:
    assert unmapped(**answered(401)) == {"401: nobody was authenticated": 1}
    assert unmapped(**answered(429)) == {"429: refused before it was authorised": 1}
    assert unmapped(stage="RequestReceived") == {"stage RequestReceived": 1}
    assert unmapped(user={"username": ""}) == {"nobody is named": 1}


def test_a_long_request_is_told_when_it_starts_and_not_again_when_it_ends() -> None:
    started, ended = event(7, verb="watch", stage="ResponseStarted"), event(7, verb="watch")
    exercises, reading = replay(text(event(7, stage="RequestReceived"), started, ended))
    assert len(exercises) == 1
    assert reading.duplicates == 1
    assert reading.coverage().events == 1


@pytest.mark.parametrize(
    ("reason", "granted_by"),
    [
        (
            'RBAC: allowed by ClusterRoleBinding "admins" of ClusterRole "cluster-admin" to Group "system:masters"',
            "ClusterRoleBinding admins",
        ),
        (
            'RBAC: allowed by RoleBinding "agents/analytics" of ClusterRole "view" to ServiceAccount "agent/analytics"',
            "RoleBinding analytics/agents",
        ),
        ("", ""),
        ("allowed by a webhook of ours", "allowed by a webhook of ours"),
        ("terminal\x1b[2J", "terminal\\x1b[2J"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_binding_is_named_as_a_grants_path_names_it(reason: str, granted_by: str) -> None:
    (only,) = told(event(**answered(200, decision="allow", reason=reason)))
    assert isinstance(only.behaviour, PermissionUse)
    assert only.behaviour.granted_by == granted_by


@pytest.mark.parametrize(
    ("verb", "reference", "expected"),
    [
        ("get", {"resource": "secrets", "namespace": "a", "name": "db"}, "get secrets db in a"),
        ("list", {"resource": "secrets", "namespace": "a"}, "list secrets in a"),
        ("list", {"resource": "secrets"}, "list secrets"),
        ("create", {"resource": "secrets", "namespace": "a", "name": "db"}, "create secrets in a"),
        ("create", {"resource": "serviceaccounts", "subresource": "token", "namespace": "a", "name": "agent"},
         "create serviceaccounts/token agent in a"),
        ("get", {"resource": "pods", "namespace": "a", "name": "web-1"}, "get pods in a"),
        ("create", {"resource": "pods", "subresource": "exec", "namespace": "a", "name": "web-1"},
         "create pods/exec in a"),
        ("get", {"resource": "namespaces", "namespace": "a", "name": "a"}, "get namespaces in a"),
        ("update", {"resource": "deployments", "apiGroup": "apps", "namespace": "a", "subresource": "scale"},
         "update deployments.apps/scale in a"),
        ("delete", {"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io", "namespace": "a", "name": "b"},
         "delete rolebindings.rbac.authorization.k8s.io b in a"),
        ("get", {"resource": "secrets", "namespace": "a", "name": "default-token-x7k2p"}, "get secrets in a"),
        ("get", {"resource": "secrets", "namespace": "a", "name": "sh.helm.release.v1.web.v12"}, "get secrets in a"),
    ],
)  # fmt: skip
def test_a_name_is_kept_only_where_it_is_a_meaning(verb: str, reference: dict[str, str], expected: str) -> None:
    assert str(permission(verb=verb, objectRef=reference)) == expected


def test_a_name_that_a_grant_says_is_kept_whatever_its_kind_and_looks() -> None:
    granted = [Permission(Authority.KUBERNETES, "apps", "get", "deployments", "a", "web-https")]
    reference = {"resource": "deployments", "apiGroup": "apps", "namespace": "a", "name": "web-https"}
    (only,) = told(event(objectRef=reference), translation=Translation(KEPT.and_those_of(granted)))
    assert isinstance(only.behaviour, PermissionUse)
    assert granted[0].covers(only.behaviour.permission)


@pytest.mark.parametrize(
    ("verb", "uri", "expected"),
    [
        ("get", "/healthz?timeout=32s", "get /healthz"),
        ("post", "/apis/%66oo", "post /apis/foo"),
        ("get", "/api/*", "get /api/%2A"),
    ],
)
def test_a_request_of_no_object_is_a_path(verb: str, uri: str, expected: str) -> None:
    used = permission(verb=verb, requestURI=uri, objectRef=None)
    assert (used.service, str(used)) == ("nonresource", expected)


def test_an_asterisk_that_was_asked_for_is_never_a_pattern() -> None:
    used = permission(objectRef={"resource": "*", "apiGroup": "*", "namespace": "*", "name": "*"})
    assert "*" not in f"{used.service}{used.resource}{used.scope}{used.name}"
    assert Permission(Authority.KUBERNETES, "*", "*", "*", "*").covers(used)


def test_who_impersonates_uses_a_permission_takes_on_a_role_and_the_act_is_the_others() -> None:
    groups = ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]
    whom = {"username": "system:serviceaccount:shop:web", "groups": groups}
    exercises = told(event(impersonatedUser=whom))
    assert [line(each) for each in exercises] == [
        f"{AGENT} impersonate serviceaccounts web in shop: allowed",
        f"{AGENT} becomes system:serviceaccount:shop:web (impersonation): allowed",
        "system:serviceaccount:shop:web get secrets db in analytics: allowed by RoleBinding analytics/agents",
    ]
    assert {each.identity.principal for each in exercises} == {AGENT}, "whoever is impersonated has done nothing"
    assert len({each.id for each in exercises}) == 3


def test_the_pod_is_the_impersonators_own_and_not_what_it_claims() -> None:
    extra = {
        "authentication.kubernetes.io/pod-name": ["web-1"],
        "authentication.kubernetes.io/credential-id": ["JTI=2"],
    }
    act = told(event(impersonatedUser={"username": "system:serviceaccount:shop:web", "extra": extra}))[-1]
    who = act.identity
    assert (who.pod, who.credential, who.address) == (f"analytics/{POD}", "JTI=6a49c125", "10.42.7.9")


def test_an_event_is_another_where_anything_of_it_is_though_its_client_chose_the_same_id() -> None:
    (first,), (again,) = told(event()), told(event())
    others = [
        event(verb="list"),
        event(requestURI="/api/v1/namespaces/analytics/configmaps"),
        event(requestReceivedTimestamp="2026-11-22T22:32:30Z"),
        event(user={"username": "bob"}),
    ]
    assert first.id == again.id
    assert len({first.id, *(told(each)[-1].id for each in others)}) == 5
    (long,) = told(event(auditID="x" * 5_000))
    assert len(long.id) < 100


def test_more_groups_than_are_told_hide_nothing() -> None:
    exercises = told(event(impersonatedUser={"username": "u", "groups": [str(n) for n in range(40)]}))
    assert len(exercises) == 1 + 32 + 1 + 1
    assert line(exercises[-1]).startswith("u get secrets db in analytics")


def test_groups_that_were_asked_for_are_permissions_of_their_own() -> None:
    whom = {"username": "bob", "groups": ["system:masters", "system:authenticated"]}
    assert [line(each) for each in told(event(impersonatedUser=whom))][:3] == [
        f"{AGENT} impersonate users bob: allowed",
        f"{AGENT} becomes bob (impersonation): allowed",
        f"{AGENT} impersonate groups system:masters: allowed",
    ]


def test_an_impersonation_that_was_refused_is_one_and_not_the_act() -> None:
    said = (
        f'serviceaccounts "web" is forbidden: User "{AGENT}" cannot impersonate resource "serviceaccounts"'
        ' in API group "" in the namespace "shop"'
    )
    status = {"code": 403, "message": said, "details": {"name": "web", "kind": "serviceaccounts"}}
    exercises = told(event(responseStatus=status, annotations=None))
    assert [line(each) for each in exercises] == [
        f"{AGENT} impersonate serviceaccounts web in shop: denied",
        f"{AGENT} becomes system:serviceaccount:shop:web (impersonation): denied",
    ]


def test_whoever_sends_a_request_may_write_all_hops_but_the_last() -> None:
    forwarded = event(sourceIPs=["8.8.8.8", "10.42.7.9", "192.168.1.1"])
    assert told(forwarded)[0].identity.address == "192.168.1.1"
    behind = Translation(proxies=(ip_network("192.168.0.0/16"),))
    assert told(forwarded, translation=behind)[0].identity.address == "10.42.7.9"
    all_ours = Translation(proxies=(ip_network("0.0.0.0/0"),))
    assert told(forwarded, translation=all_ours)[0].identity.address == "8.8.8.8"


def test_a_pod_is_believed_only_of_a_service_account() -> None:
    user = {**USER, "extra": {"authentication.kubernetes.io/pod-name": ["agent-1"], "accessKeyId": ["ASIA1"]}}
    identity = told(event(user=user))[0].identity
    assert (identity.principal, identity.pod, identity.credential) == ("ann@example.com", "", "ASIA1")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"apiVersion": "audit.k8s.io/v1beta1"}, "not of audit.k8s.io/v1"),
        ({"apiVersion": "v1"}, "not an audit event"),
        ({"stage": "Sideways"}, "an unknown stage"),
        ({"stage": None}, "without a stage"),
        ({"verb": "frobnicate"}, "an unknown verb"),
        ({"verb": "frobnicate", "objectRef": None}, "an unknown verb"),
        ({"objectRef": None, "requestURI": "no/path"}, "neither an object nor a path"),
        ({"requestReceivedTimestamp": None, "stageTimestamp": None}, "without an auditID or a time"),
        ({"requestReceivedTimestamp": "0001-01-01T00:00:00Z"}, "without an auditID or a time"),
        ({"requestReceivedTimestamp": "yesterday"}, "not JSON, or not of an event's shape"),
        ({"requestReceivedTimestamp": "2026-11-22T22:32:29"}, "not JSON, or not of an event's shape"),
        ({"user": "agent"}, "not JSON, or not of an event's shape"),
        ({"user": {"username": "x" * 1025}}, "a part of more than 1,024 characters"),
        ({"requestReceivedTimestamp": "9999-12-31T00:00:00Z"}, "without an auditID or a time"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_with_a_reason(changed: dict[str, Any], reason: str) -> None:
    assert faults(**changed) == {reason: 1}


def test_no_escape_reaches_a_terminal() -> None:
    (only,) = told(event(user={"username": "a\x1b[2J\nb"}))
    assert only.identity.principal == "a\\x1b[2J\\x0ab"


def test_a_role_is_the_only_thing_that_is_taken_on() -> None:
    assert not any(isinstance(each.behaviour, RoleAssumption) for each in told(RECORDED))


@pytest.mark.parametrize("path", ["/" + "%F3%A0%80%81" * 1_000, "/" + "x" * 2_100])
def test_a_path_that_nobody_could_be_told_of_is_a_fault_and_never_ends_a_replay(path: str) -> None:
    exercises, reading = replay(text(event(objectRef=None, requestURI=path)))
    assert (exercises, sum(reading.faults.values())) == ([], 1)


def test_a_client_and_its_hops_are_bounded_however_long_a_head_is() -> None:
    (only,) = told(event(userAgent="\U000e0001" * 1_024, sourceIPs=[*(["203.0.113.9"] * 10_000), "10.42.7.9"]))
    assert len(only.identity.client) <= 1_600
    assert only.identity.address == "10.42.7.9"
