"""The policy that would have been enough allows what was used, by the evaluator, and nothing that was latent."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from controlplane.sources.iam.documents import read_policy
from controlplane.sources.iam.emit import least_privilege
from controlplane.sources.iam.evaluator import Answer, Holder, evaluate
from inscope.permission import Authority, Permission

USED = [
    Permission(Authority.AWS, "s3", "GetObject", "arn:aws:s3:::data/*"),
    Permission(Authority.AWS, "s3", "ListBucket", "arn:aws:s3:::data"),
    Permission(Authority.AWS, "ec2", "DescribeInstances", "*"),
]


def decided(action: str, resource: str) -> Answer:
    return evaluate(Holder((read_policy("p", least_privilege(USED)),)), action, resource).answer


def test_what_was_used_is_allowed_and_what_was_latent_is_not() -> None:
    assert decided("s3:GetObject", "arn:aws:s3:::data/x") is Answer.ALLOWED
    assert decided("s3:ListBucket", "arn:aws:s3:::data") is Answer.ALLOWED
    assert decided("ec2:DescribeInstances", "*") is Answer.ALLOWED
    assert decided("s3:GetObject", "arn:aws:s3:::other/x") is Answer.DENIED
    assert decided("s3:PutObject", "arn:aws:s3:::data/x") is Answer.DENIED
    assert decided("iam:PassRole", "*") is Answer.DENIED


def test_what_the_trail_did_not_say_is_marked() -> None:
    labels = [statement.label for statement in read_policy("p", least_privilege(USED)).statements]
    assert sum("ResourceNotLogged" in label for label in labels) == 1


def test_nothing_used_is_no_policy() -> None:
    assert least_privilege([]) == ""


def test_applied_to_an_authority_what_was_used_goes_on_and_what_was_latent_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """moto decides each request by the policies of who asks."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    @mock_aws
    @set_initial_no_auth_action_count(7)
    def asked() -> None:
        iam, s3 = boto3.client("iam", region_name="us-east-1"), boto3.client("s3", region_name="us-east-1")
        iam.create_user(UserName="agent")
        key = iam.create_access_key(UserName="agent")["AccessKey"]
        iam.put_user_policy(UserName="agent", PolicyName="enough", PolicyDocument=least_privilege(USED))
        for bucket in ("data", "other"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="x", Body=b"x")
        credentials = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        mine = boto3.client("s3", region_name="us-east-1", **credentials)
        assert mine.get_object(Bucket="data", Key="x")["Body"].read() == b"x"
        assert mine.list_objects_v2(Bucket="data")["KeyCount"] == 1
        assert boto3.client("ec2", region_name="us-east-1", **credentials).describe_instances()["Reservations"] == []
        for latent in (
            lambda: mine.put_object(Bucket="data", Key="y", Body=b""),
            lambda: mine.get_object(Bucket="other", Key="x"),
            lambda: boto3.client("iam", region_name="us-east-1", **credentials).list_users(),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                latent()

    asked()
