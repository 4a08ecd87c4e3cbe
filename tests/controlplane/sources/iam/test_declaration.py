"""An account in, a declaration out: a grant for each statement, service and level, less what is denied."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.sources.clusters import Clusters
from controlplane.sources.iam import NoAccountError, read_declaration
from inscope.grant import Declaration, Grant, LinkKind
from inscope.permission import Authority, Level, Permission
from tests.controlplane.sources.iam.test_evaluator import allow, deny, document

ROLE = "arn:aws:iam::123456789012:role/agent"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1"
ACCOUNT = "system:serviceaccount:analytics:agent"
TRUST = document(
    {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"oidc.example/id/1:sub": ACCOUNT}},
    }
)
NOW = 1_800_000_000.0


def details(*statements: dict[str, Any], trust: dict[str, Any] = TRUST, **more: Any) -> dict[str, Any]:
    role = {
        "Arn": ROLE,
        "CreateDate": "2026-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": quote(json.dumps(trust)),
        "RolePolicyList": [{"PolicyName": "work", "PolicyDocument": document(*statements)}],
        "AttachedManagedPolicies": [],
    }
    return {"RoleDetailList": [{**role, **more}], "UserDetailList": [], "GroupDetailList": [], "Policies": []}


def declared(*statements: dict[str, Any], **more: Any) -> Declaration:
    body = json.dumps(details(*statements, **more)).encode()
    return read_declaration([("account.json", body)], NOW)


def by_kind(declaration: Declaration) -> dict[tuple[str, Level], Grant]:
    return {(grant.service, grant.level): grant for grant in declaration.grants}


def test_s3_star_is_a_few_grants_and_not_hundreds() -> None:
    grants = by_kind(declared(allow("s3:*", "arn:aws:s3:::data/*", Sid="Data")))
    assert {level for _, level in grants} == set(Level)
    assert grants["s3", Level.READ].size > 30
    assert {grant.path for grant in grants.values()} == {("inline policy work", "statement Data")}
    assert grants["s3", Level.READ].covers(Permission(Authority.AWS, "s3", "GetObject", "arn:aws:s3:::data/*"))
    assert not grants["s3", Level.READ].covers(Permission(Authority.AWS, "s3", "GetObject", "arn:aws:s3:::other/*"))


def test_an_event_that_does_not_say_on_which_resource_may_have_been_on_any() -> None:
    grants = by_kind(declared(allow("s3:GetObject", "arn:aws:s3:::data/*")))
    assert grants["s3", Level.READ].covers(Permission(Authority.AWS, "s3", "GetObject", "*"))


def test_what_is_denied_is_not_granted_and_in_part_is_conditional() -> None:
    grants = declared(allow("s3:Get*"), deny("s3:GetObject"), deny("s3:GetBucketPolicy", "arn:aws:s3:::secret")).grants
    names = {permission.action: grant.conditional for grant in grants for permission in grant.permissions}
    assert "GetObject" not in names
    assert names["GetBucketPolicy"] is True
    assert names["GetObjectTagging"] is False


def test_what_is_out_of_bounds_is_not_granted() -> None:
    boundary = "arn:aws:iam::123456789012:policy/bound"
    version = {"IsDefaultVersion": True, "Document": document(allow(["s3:GetObject", "ec2:*"]))}
    body = details(allow("s3:*"), PermissionsBoundary={"PermissionsBoundaryArn": boundary})
    body["Policies"] = [{"Arn": boundary, "PolicyName": "bound", "PolicyVersionList": [version]}]
    (grant,) = read_declaration([("x", json.dumps(body).encode())], NOW).grants
    assert [permission.action for permission in grant.permissions] == ["GetObject"]
    body["Policies"] = []
    nothing = read_declaration([("x", json.dumps(body).encode())], NOW)
    assert nothing.grants == ()
    assert "nothing of it is counted as granted" in nothing.faults[0]


def test_conditions_are_a_third_state() -> None:
    (grant,) = declared(allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "true"}})).grants
    assert grant.conditional


def test_everything_is_one_open_ended_grant() -> None:
    (grant,) = declared(allow("*")).grants
    assert (grant.service, grant.size > 20_000) == ("*", True)
    (rest,) = declared({"Effect": "Allow", "NotAction": ["iam:*", "s3:GetObject"], "Resource": "*"}).grants
    assert rest.covers(Permission(Authority.AWS, "ec2", "RunInstances", "*"))
    assert not rest.covers(Permission(Authority.AWS, "iam", "PassRole", "*"))
    assert rest.covers(Permission(Authority.AWS, "s3", "PutObject", "*"))
    assert not rest.covers(Permission(Authority.AWS, "s3", "GetObject", "*"))


def test_what_weighs_says_why_and_by_whom() -> None:
    (grant,) = declared(allow("iam:PassRole")).grants
    assert grant.weight == ("hands roles to services, and so acts with theirs (rhino)",)


def test_who_may_take_the_role_on() -> None:
    (link,) = declared(allow()).links
    assert (link.kind, link.source, link.target) == (LinkKind.FEDERATES, ACCOUNT, ROLE)
    chained = document({"Effect": "Allow", "Principal": {"AWS": [ROLE, "210987654321"]}, "Action": "sts:AssumeRole"})
    assert [(link.kind, link.source) for link in declared(allow(), trust=chained).links] == [
        (LinkKind.ASSUMES, ROLE),
        (LinkKind.ASSUMES, "arn:aws:iam::210987654321:root"),
    ]


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        ({"Principal": "*"}, "anybody may take it on"),
        ({"Principal": {"Service": "pods.eks.amazonaws.com"}}, "EKS Pod Identity"),
        ({"Principal": {"Federated": PROVIDER}}, "whoever the provider vouches for"),
    ],
)
def test_what_names_nobody_in_particular_is_told(principal: dict[str, Any], said: str) -> None:
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", **principal})
    assert any(said in fault for fault in declared(allow(), trust=trust).faults)


def trusting(condition: dict[str, Any], **principal: Any) -> dict[str, Any]:
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", **principal, "Condition": condition})


def test_only_a_condition_that_names_says_who() -> None:
    key = "oidc.example/id/1:sub"
    federated = {"Principal": {"Federated": PROVIDER}}
    excluded = declared(allow(), trust=trusting({"StringNotEquals": {key: ACCOUNT}}, **federated))
    assert excluded.links == ()
    assert any("whoever the provider vouches for" in fault for fault in excluded.faults)
    like = declared(allow(), trust=trusting({"StringLike": {key: [ACCOUNT, f"{ACCOUNT}-*"]}}, **federated))
    assert [link.source for link in like.links] == [ACCOUNT]


def test_a_provider_says_which_cluster_it_is() -> None:
    content = json.dumps(details(allow())).encode()
    known = Clusters({"https://oidc.example/id/1": "eu"})
    assert read_declaration([("x", content)], NOW, clusters=known).links[0].source == f"eu/{ACCOUNT}"


def test_pod_identity_is_linked_by_the_tags_that_the_trust_asks_for() -> None:
    tags = {"aws:RequestTag/kubernetes-namespace": "analytics", "aws:RequestTag/kubernetes-service-account": ["a", "b"]}
    trust = trusting({"StringEquals": tags}, Principal={"Service": "pods.eks.amazonaws.com"})
    links = declared(allow(), trust=trust).links
    assert [link.source for link in links] == [f"system:serviceaccount:analytics:{name}" for name in "ab"]


def test_pod_identity_is_linked_by_its_associations() -> None:
    association = {"clusterName": "prod", "namespace": "analytics", "serviceAccount": "agent", "roleArn": ROLE}
    trust = document(
        {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    files = [
        ("account", json.dumps(details(allow(), trust=trust)).encode()),
        ("one", json.dumps({"association": {**association, "targetRoleArn": f"{ROLE}2"}}).encode()),
        ("strange", json.dumps({"association": {**association, "roleArn": 7}}).encode()),
    ]
    links = read_declaration(files, NOW, clusters=Clusters({"prod": "eu"})).links
    assert [(link.kind, link.source, link.target) for link in links] == [
        (LinkKind.FEDERATES, f"eu/{ACCOUNT}", ROLE),
        (LinkKind.ASSUMES, ROLE, f"{ROLE}2"),
    ]


def test_a_trust_policy_that_denies_links_nobody_and_one_that_may_is_told() -> None:
    allowing = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}
    denying = {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}
    assert declared(allow(), trust=document(allowing, denying)).links == ()
    unsure = {**denying, "Condition": {"Bool": {"aws:x": "true"}}}
    declaration = declared(allow(), trust=document(allowing, unsure))
    assert len(declaration.links) == 1
    assert any("may deny it" in fault for fault in declaration.faults)
    others = {**denying, "Principal": {}, "NotPrincipal": {"AWS": ROLE}}
    assert len(declared(allow(), trust=document(allowing, others)).links) == 1


def test_everybody_but_somebody_is_told() -> None:
    trust = document({"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"})
    assert any("everybody but 1" in fault for fault in declared(allow(), trust=trust).faults)


def test_a_denial_of_one_letter_more_leaves_the_rest() -> None:
    (grant,) = declared(allow("s3:GetObject", "arn:aws:s3:::d*"), deny("s3:GetObject", "arn:aws:s3:::d?")).grants
    assert grant.conditional


def test_many_resources_are_what_they_begin_with() -> None:
    (grant,) = declared(allow("s3:GetObject", [f"arn:aws:s3:::data-{n}/*" for n in range(60)])).grants
    assert [permission.resource for permission in grant.permissions] == ["arn:aws:s3:::data-*"]


NOTHING_MUCH = (
    st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers() | st.text(max_size=3), max_size=2)
)
KEYS = [
    "GroupList",
    "RolePolicyList",
    "AttachedManagedPolicies",
    "PermissionsBoundary",
    "AssumeRolePolicyDocument",
    "CreateDate",
]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), NOTHING_MUCH), st.dictionaries(st.sampled_from(KEYS), NOTHING_MUCH))
def test_no_identity_breaks_the_others(role: dict[str, Any], user: dict[str, Any]) -> None:
    body = details(allow("s3:GetObject"))
    body["RoleDetailList"].append({"Arn": f"{ROLE}2", **role})
    body["UserDetailList"] = [{"Arn": "arn:aws:iam::1:user/u", **user}, 7]
    body["GroupDetailList"] = [{"GroupName": []}, None]
    assert read_declaration([("x", json.dumps(body).encode())], NOW).grants


def test_a_groups_policies_are_held_through_it() -> None:
    user = {"Arn": "arn:aws:iam::1:user/u", "GroupList": ["team"]}
    group = {
        "GroupName": "team",
        "GroupPolicyList": [{"PolicyName": "g", "PolicyDocument": document(allow("s3:GetObject"))}],
    }
    body = {"UserDetailList": [user], "GroupDetailList": [group]}
    (grant,) = read_declaration([("x", json.dumps(body).encode())], NOW).grants
    assert grant.path == ("group team", "inline policy g", "statement 1")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"7", b'{"RoleDetailList": 7}', b"[" * 200_000])
def test_what_is_no_account_is_refused(content: bytes) -> None:
    with pytest.raises(NoAccountError):
        read_declaration([("x", content)], NOW)


def test_a_broken_policy_is_told_and_the_rest_kept() -> None:
    body = details(allow("s3:GetObject"))
    body["RoleDetailList"][0]["RolePolicyList"].append({"PolicyName": "broken", "PolicyDocument": "%7B"})
    declaration = read_declaration([("x", json.dumps(body).encode())], NOW)
    assert len(declaration.grants) == 1
    assert "broken" in declaration.faults[0]
