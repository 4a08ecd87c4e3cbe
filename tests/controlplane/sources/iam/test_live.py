"""An account asked by boto3 declares what its files do; moto plays IAM, botocore's stubs EKS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from controlplane.sources.iam.live import UnreadableAccountError, declared_live
from inscope.grant import LinkKind
from inscope.permission import Authority, Permission
from tests.controlplane.sources.iam.test_declaration import ACCOUNT, TRUST
from tests.controlplane.sources.iam.test_evaluator import allow, document

NOW = 1_800_000_000.0
POD_IDENTITY = document(
    {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole"]}
)


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("iam", region_name="eu-west-1")


def role(iam: Any, name: str = "agent", trust: dict[str, Any] = TRUST) -> str:
    return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])


def test_what_iam_answers_is_what_is_declared(iam: Any) -> None:
    arn = role(iam)
    iam.put_role_policy(RoleName="agent", PolicyName="in", PolicyDocument=json.dumps(document(allow("s3:GetObject"))))
    made = iam.create_policy(PolicyName="work", PolicyDocument=json.dumps(document(allow("sqs:SendMessage"))))
    iam.attach_role_policy(RoleName="agent", PolicyArn=made["Policy"]["Arn"])
    iam.create_policy_version(
        PolicyArn=made["Policy"]["Arn"], PolicyDocument=json.dumps(document(allow("sqs:PurgeQueue"))), SetAsDefault=True
    )
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="g", PolicyDocument=json.dumps(document(allow("sns:Publish"))))
    iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="team", UserName="ann")
    declaration = declared_live(iam, None, NOW)
    assert {(grant.principal.rpartition("/")[2], grant.path, grant.service) for grant in declaration.grants} == {
        ("agent", ("inline policy in", "statement 1"), "s3"),
        ("agent", ("policy work", "statement 1"), "sqs"),
        ("ann", ("group team", "inline policy g", "statement 1"), "sns"),
    }
    (sqs,) = [grant for grant in declaration.grants if grant.service == "sqs"]
    assert sqs.covers(Permission(Authority.AWS, "sqs", "PurgeQueue", "*"))
    assert not sqs.covers(Permission(Authority.AWS, "sqs", "SendMessage", "*"))
    assert all(grant.since > 0 for grant in declaration.grants)
    assert [(link.source, link.target) for link in declaration.links] == [(ACCOUNT, arn)]
    assert (declaration.scope, declaration.faults) == ("123456789012", ())


def test_many_pages_are_one_declaration(iam: Any) -> None:
    for number in range(120):
        role(iam, f"agent-{number}")
    assert len(declared_live(iam, None, NOW).links) == 120


def test_who_has_pod_identity_is_asked_of_eks(iam: Any) -> None:
    arn = role(iam, trust=POD_IDENTITY)
    eks = boto3.client("eks", region_name="eu-west-1")
    named = {"clusterName": "prod", "namespace": "analytics", "serviceAccount": "agent", "associationId": "a-1"}
    with Stubber(eks) as stubbed:
        stubbed.add_response("list_clusters", {"clusters": ["prod"]}, {})
        stubbed.add_response("list_pod_identity_associations", {"associations": [named]}, {"clusterName": "prod"})
        asked = {"clusterName": "prod", "associationId": "a-1"}
        stubbed.add_response("describe_pod_identity_association", {"association": {**named, "roleArn": arn}}, asked)
        (link,) = declared_live(iam, eks, NOW).links
    assert (link.kind, link.source, link.target) == (LinkKind.FEDERATES, ACCOUNT, arn)


def test_associations_that_may_not_be_read_are_a_fault(iam: Any) -> None:
    role(iam)
    eks = boto3.client("eks", region_name="eu-west-1")
    with Stubber(eks) as stubbed:
        stubbed.add_client_error("list_clusters", "AccessDeniedException")
        declaration = declared_live(iam, eks, NOW)
    assert len(declaration.links) == 1
    assert "Pod Identity cannot be read" in declaration.faults[0]


def test_an_account_that_may_not_be_read_is_said() -> None:
    iam = boto3.client("iam", region_name="eu-west-1")
    with Stubber(iam) as stubbed:
        stubbed.add_client_error("get_account_authorization_details", "AccessDenied")
        with pytest.raises(UnreadableAccountError, match="AccessDenied"):
            declared_live(iam, None, NOW)
