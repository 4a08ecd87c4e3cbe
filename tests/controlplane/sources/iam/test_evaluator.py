"""What IAM decides: AWS's own rules, and equality with an independent evaluator on thousands of generated cases."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from controlplane.sources.iam.documents import MalformedPolicyError, read_policy
from controlplane.sources.iam.evaluator import Answer, Decision, Holder, evaluate

CASES = 2_500
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "iam:PassRole", "ec2:RunInstances")
PATTERNS = ("s3:GetObject", "s3:Get*", "s3:*", "*", "iam:PassRole", "ec2:*", "s3:*Object")
RESOURCES = ("arn:aws:s3:::data/a", "arn:aws:s3:::data", "arn:aws:s3:::other/a", "arn:aws:iam::1:role/x")
RESOURCE_PATTERNS = ("*", "arn:aws:s3:::data/*", "arn:aws:s3:::*", "arn:aws:s3:::data", "arn:aws:iam::1:role/*")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: object = "s3:*", resources: object = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: object = "s3:*", resources: object = "*", **more: Any) -> dict[str, Any]:
    return {**allow(actions, resources, **more), "Effect": "Deny"}


def decide(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::data/a",
    boundary: dict[str, Any] | None = None,
    session: dict[str, Any] | None = None,
    **context: str,
) -> Decision:
    holder = Holder(
        (read_policy("p", document(*statements)),),
        read_policy("b", document(boundary)) if boundary else None,
        (read_policy("s", document(session)),) if session else None,
    )
    return evaluate(holder, action, resource, {key.replace("_", ":"): value for key, value in context.items()})


YES, PERHAPS, NO = Answer.ALLOWED, Answer.CONDITIONAL, Answer.DENIED


@pytest.mark.parametrize(
    ("decision", "answer"),
    [
        (decide(), NO),
        (decide(allow()), YES),
        (decide(allow("S3:getobject")), YES),
        (decide(allow("s3:Get?bject")), YES),
        (decide(allow("s3:PutObject")), NO),
        (decide(allow(), deny("s3:GetObject")), NO),
        (decide(allow(), deny("s3:GetObject", "arn:aws:s3:::other/*")), YES),
        (decide({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), YES),
        (decide({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), NO),
        (decide({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/*"}), NO),
        (decide({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}, allow()), NO),
        (decide(allow(), boundary=allow("ec2:*")), NO),
        (decide(allow(), boundary=allow("s3:Get*")), YES),
        (decide(allow("ec2:*"), boundary=allow()), NO),
        (decide(allow(), boundary=deny()), NO),
        (decide(allow(), session=allow("s3:PutObject")), NO),
        (decide(allow(), session=allow("s3:GetObject"), boundary=allow()), YES),
        (decide(allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})), PERHAPS),
        (decide(allow(Condition={"Bool": {"aws:x": "true"}}), aws_x="true"), YES),
        (decide(allow(Condition={"Bool": {"aws:x": "true"}}), aws_x="false"), NO),
        (decide(allow(Condition={"StringNotLike": {"aws:x": "a*"}}), aws_x="abc"), NO),
        (decide(allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), aws_SourceIp="10.0.0.1"), PERHAPS),
        (decide(allow(Condition={"MadeUp": {"aws:x": "y"}}), aws_x="y"), PERHAPS),
        (decide(allow(), deny(Condition={"Bool": {"aws:SecureTransport": "false"}})), PERHAPS),
        (decide(deny(Condition={"Bool": {"aws:SecureTransport": "false"}})), NO),
        (decide(allow(resources="arn:aws:s3:::data/${aws:username}")), PERHAPS),
        (decide(allow(resources="arn:aws:s3:::data/${aws:username}"), aws_username="a"), YES),
        (decide(allow(resources="arn:aws:s3:::data/${aws:username}"), aws_username="b"), NO),
        (decide(allow(resources="arn:aws:s3:::data/${*}")), NO),
        (decide(allow(Condition={"StringEquals": {"aws:x": "${aws:username}"}}), aws_x="a"), PERHAPS),
        (decide(allow(Condition={"StringNotEquals": {"aws:x": "${aws:username}"}}), aws_x="a"), PERHAPS),
        (decide(allow(Condition={"StringEquals": {"aws:x": "${aws:y}"}}), aws_x="a", aws_y="a"), YES),
        (decide(allow(Condition={"ArnLike": {"aws:x": "arn:aws:iam::*:role/x"}}), aws_x="arn:aws:iam::1:role/x"), YES),
        (decide(allow(Condition={"ArnLike": {"aws:x": "arn:aws:iam::*:x"}}), aws_x="arn:aws:iam::1:2:x"), NO),
    ],
)
def test_the_rules_of_policy_evaluation(decision: Decision, answer: Answer) -> None:
    assert decision.answer is answer


def test_a_decision_names_what_decided() -> None:
    assert decide(allow(Sid="Reads")).by == ("p, statement Reads",)
    assert decide(allow(), deny(Sid="No")).by == ("p, statement No",)
    unsure = deny(Sid="Perhaps", Condition={"Bool": {"aws:x": "true"}})
    assert decide(allow(Sid="Reads"), unsure).by == ("p, statement Reads", "p, statement Perhaps")


# "Permissions boundaries for IAM entities", AWS IAM User Guide: S3, CloudWatch and EC2 are within bounds, and creating
# users is granted; the two have nothing in common.
BOUNDARY = allow(["s3:*", "cloudwatch:*", "ec2:*"])
CREATES_USERS = allow(["iam:CreateUser"])


def test_awss_own_example_of_a_boundary() -> None:
    assert decide(CREATES_USERS, action="iam:CreateUser", boundary=BOUNDARY).answer is NO
    assert decide(allow("*"), action="s3:GetObject", boundary=BOUNDARY).answer is YES
    assert decide(allow("*"), action="iam:CreateUser", boundary=BOUNDARY).answer is NO


def test_awss_own_example_of_an_allow_list_of_services_by_denial() -> None:
    """ "IAM JSON policy elements: NotAction", with Deny: without MFA everything but IAM is denied."""
    no_mfa = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
              "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}  # fmt: skip
    known = {"aws_MultiFactorAuthPresent": "false"}
    assert decide(no_mfa, action="iam:ListUsers").answer is NO
    assert decide(no_mfa, allow("*"), action="iam:ListUsers", **known).answer is YES
    assert decide(no_mfa, allow("*"), action="s3:GetObject", **known).answer is NO
    assert decide(no_mfa, allow("*"), action="s3:GetObject").answer is PERHAPS


def test_awss_own_example_of_all_but_one_bucket() -> None:
    """ "IAM JSON policy elements: NotResource": everything of S3 but what is in HRBucket is denied."""
    but = {
        "Effect": "Deny",
        "Action": "s3:*",
        "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"],
    }
    assert decide(but, allow("s3:*"), resource="arn:aws:s3:::HRBucket/Payroll/a").answer is YES
    assert decide(but, allow("s3:*"), resource="arn:aws:s3:::HRBucket/Other").answer is NO
    assert decide(but, resource="arn:aws:s3:::HRBucket/Payroll/a").answer is NO


def test_awss_own_example_of_a_home_folder() -> None:
    """ "IAM policy elements: Variables and tags": a user's own folder by `${aws:username}`."""
    home = allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::amzn-s3-demo-bucket/${aws:username}/*")
    mine = "arn:aws:s3:::amzn-s3-demo-bucket/bob/x"
    assert decide(home, resource=mine, aws_username="bob").answer is YES
    assert decide(home, resource=mine, aws_username="eve").answer is NO


def test_decisions_equal_an_independent_evaluators() -> None:
    random = Random(7)
    asked = 0
    answers = []
    while asked < CASES:
        policies = [_policy(random) for _ in range(random.randint(1, 3))]
        boundary = _policy(random) if random.random() < 0.3 else None
        action, resource = random.choice(ACTIONS), random.choice(RESOURCES)
        holder = Holder(
            tuple(read_policy(f"p{n}", body) for n, body in enumerate(policies)),
            read_policy("b", boundary) if boundary else None,
        )
        ours = evaluate(holder, action, resource).answer
        theirs = _theirs(policies, boundary, action, resource)
        assert (ours is YES) == theirs, (policies, boundary, action, resource)
        answers.append(theirs)
        asked += 1
    assert CASES / 10 < sum(answers) < CASES * 9 / 10


def _policy(random: Random) -> dict[str, Any]:
    return document(*(_statement(random) for _ in range(random.randint(1, 3))))


def _statement(random: Random) -> dict[str, Any]:
    key = "NotAction" if random.random() < 0.2 else "Action"
    return {
        "Effect": "Deny" if random.random() < 0.2 else "Allow",
        key: random.sample(PATTERNS, random.randint(1, 2)),
        "Resource": random.sample(RESOURCE_PATTERNS, random.randint(1, 2)),
    }


def _theirs(policies: list[dict[str, Any]], boundary: dict[str, Any] | None, action: str, resource: str) -> bool:
    def result(body: dict[str, Any]) -> PermissionResult:
        return IAMPolicy(json.dumps(body)).is_action_permitted(action, resource)

    every = [result(body) for body in policies]
    limit = [result(boundary)] if boundary else []
    if PermissionResult.DENIED in (*every, *limit):
        return False
    return PermissionResult.PERMITTED in every and all(each is PermissionResult.PERMITTED for each in limit)


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", {}, {"Statement": 7}, {"Statement": [{}]},
        {"Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": [{}], "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": []}},
        {"Statement": {"Effect": "Allow", "Action": "*"}},
        {"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "NotAction": [], "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": []}},
        {"Statement": {"Effect": "Allow", "Action": ["x"] * 6_000, "Resource": "*"}},
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(body: object) -> None:
    with pytest.raises(MalformedPolicyError):
        read_policy("p", body)
