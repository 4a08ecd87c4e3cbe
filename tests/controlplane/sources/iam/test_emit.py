"""The policy that would have been enough allows what was used, by the evaluator, and nothing that was latent."""

from __future__ import annotations

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
