"""CloudTrail's events: who really acted, which action IAM decided about, and what is no agent's is counted by name."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.sources.aws_actions import known_actions
from controlplane.sources.cloudtrail.reader import CloudTrailReader
from controlplane.sources.cloudtrail.translate import ACTIONS, PREFIXES, RESOURCES
from controlplane.sources.clusters import Clusters
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise
from inscope.permission import Level

ROLE = "arn:aws:iam::123456789012:role/agent"
SESSION = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/agent/session",
    "accessKeyId": "ASIAEXAMPLE",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
}


def event(name: str = "GetObject", source: str = "s3", **more: Any) -> dict[str, Any]:
    """As a trail writes it."""
    return {
        "eventVersion": "1.09",
        "eventID": f"id-{name}",
        "eventTime": "2026-11-20T10:00:00Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "userIdentity": SESSION,
        "sourceIPAddress": "198.35.26.7",
        "userAgent": "Boto3/1.35 md/Botocore",
        "eventCategory": "Management",
        **more,
    }


def read(*events: dict[str, Any]) -> tuple[list[Exercise], CloudTrailReader]:
    reader = CloudTrailReader()
    return list(reader.read(io.BytesIO(json.dumps({"Records": events}).encode()))), reader


def action(exercise: Exercise) -> str:
    assert isinstance(exercise.behaviour, PermissionUse)
    return f"{exercise.behaviour.permission.service}:{exercise.behaviour.permission.action}"


@pytest.mark.parametrize(
    ("source", "name", "meant"),
    [
        ("s3", "ListObjectsV2", "s3:ListBucket"),
        ("s3", "HeadObject", "s3:GetObject"),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("lambda", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        ("cloudfront", "CreateDistribution2020_05_31", "cloudfront:CreateDistribution"),
        ("monitoring", "GetMetricData", "cloudwatch:GetMetricData"),
        ("ec2", "RunInstances", "ec2:RunInstances"),
    ],
)
def test_the_action_is_the_one_that_iam_decided_about(source: str, name: str, meant: str) -> None:
    (exercise,), _ = read(event(name, source))
    assert action(exercise) == meant


def test_the_tables_actions_and_prefixes_all_exist() -> None:
    known = known_actions()
    assert [name for name, meant in ACTIONS.items() if known.level(name.partition(":")[0], meant) is None] == []
    assert set(PREFIXES.values()) <= known.services
    assert set(RESOURCES) <= known.services


def test_a_session_is_its_roles() -> None:
    (exercise,), _ = read(event())
    who = exercise.identity
    assert (who.principal, who.credential, who.client) == (ROLE, "ASIAEXAMPLE", "Boto3")
    bare = {key: value for key, value in SESSION.items() if key != "sessionContext"}
    (exercise,), _ = read(event(userIdentity=bare))
    assert exercise.identity.principal == ROLE


def test_a_service_account_that_takes_on_a_role_is_traced_to_its_name() -> None:
    account = "system:serviceaccount:analytics:agent"
    taken = event(
        "AssumeRoleWithWebIdentity",
        "sts",
        userIdentity={
            "type": "WebIdentityUser",
            "userName": account,
            "identityProvider": "arn:aws:iam::1:oidc-provider/x",
        },
        requestParameters={"roleArn": ROLE},
        responseElements={"credentials": {"accessKeyId": "ASIANEW"}},
    )
    (exercise,), _ = read(taken)
    assert exercise.behaviour == RoleAssumption(ROLE, account, Means.WEB_IDENTITY, Outcome.ALLOWED)
    assert exercise.issued == "ASIANEW"


ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
ARN_OF_CLUSTER = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"


def told(event: dict[str, Any], clusters: Clusters) -> list[Exercise]:
    return list(CloudTrailReader(clusters=clusters).record(json.dumps(event).encode()))


def test_a_service_account_is_of_the_cluster_whose_provider_vouched_for_it() -> None:
    account = "system:serviceaccount:analytics:agent"
    who = {"type": "WebIdentityUser", "userName": account}
    taken = event("AssumeRoleWithWebIdentity", "sts", requestParameters={"roleArn": ROLE})
    known = Clusters({f"https://{ISSUER}": "eu"})
    provider = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
    (exercise,) = told({**taken, "userIdentity": {**who, "identityProvider": provider}}, known)
    assert exercise.identity.principal == f"eu/{account}"
    (exercise,) = told({**taken, "userIdentity": {**who, "identityProvider": f"{provider}D"}}, known)
    assert exercise.identity.principal == account


def by_pod_identity(*tags: tuple[str, str]) -> dict[str, Any]:
    """As STS logs it (Amazon EKS User Guide, "List of session tags added by EKS Pod Identity")."""
    return event(
        "AssumeRole",
        "sts",
        userIdentity={"type": "AWSService", "invokedBy": "pods.eks.amazonaws.com"},
        sourceIPAddress="pods.eks.amazonaws.com",
        userAgent="pods.eks.amazonaws.com",
        requestParameters={"roleArn": ROLE, "tags": [{"key": key, "value": value} for key, value in tags]},
        responseElements={"credentials": {"accessKeyId": "ASIAPOD"}},
    )


TAGS = (
    ("eks-cluster-arn", ARN_OF_CLUSTER),
    ("kubernetes-namespace", "analytics"),
    ("kubernetes-service-account", "agent"),
    ("kubernetes-pod-name", "agent-0"),
    ("kubernetes-pod-uid", "91eee131"),
)


def test_pod_identity_says_for_which_pod_a_role_was_taken_on() -> None:
    (exercise,) = told(by_pod_identity(*TAGS), Clusters({ARN_OF_CLUSTER: "eu"}))
    account = "eu/system:serviceaccount:analytics:agent"
    assert exercise.behaviour == RoleAssumption(ROLE, account, Means.POD_IDENTITY, Outcome.ALLOWED)
    assert (exercise.identity.pod, exercise.identity.pod_uid) == ("eu/analytics/agent-0", "91eee131")
    assert (exercise.issued, exercise.identity.address) == ("ASIAPOD", "")


@pytest.mark.parametrize("tags", [(), TAGS[:2], (("kubernetes-namespace", ""), TAGS[2])])
def test_without_its_tags_it_is_nobodys(tags: tuple[tuple[str, str], ...]) -> None:
    assert told(by_pod_identity(*tags), Clusters()) == []


@pytest.mark.parametrize("tags", [7, "x", [7], [{"key": 7, "value": []}], {"key": "kubernetes-namespace"}])
def test_tags_that_are_none_break_nothing(tags: object) -> None:
    strange = by_pod_identity()
    assert told({**strange, "requestParameters": {"tags": tags}}, Clusters()) == []


def test_what_a_parameter_names_is_the_resource() -> None:
    queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"
    where = {"awsRegion": "eu-west-1", "recipientAccountId": "123456789012"}
    asked = [
        ("sqs", "PurgeQueue", {"queueUrl": queue}, "arn:aws:sqs:eu-west-1:123456789012:jobs"),
        ("dynamodb", "UpdateTable", {"tableName": "t"}, "arn:aws:dynamodb:eu-west-1:123456789012:table/t"),
        ("lambda", "UpdateFunctionCode", {"functionName": "arn:aws:lambda:x"}, "arn:aws:lambda:x"),
        ("s3", "CreateBucket", {"bucketName": 7}, "*"),
        ("ec2", "RunInstances", {"bucketName": "x"}, "*"),
    ]
    for source, name, parameters, resource in asked:
        (exercise,), _ = read(event(name, source, requestParameters=parameters, **where))
        assert isinstance(exercise.behaviour, PermissionUse)
        assert exercise.behaviour.permission.resource == resource


def test_of_an_object_and_its_bucket_the_object_is_meant() -> None:
    both = [{"ARN": "arn:aws:s3:::data"}, {"ARN": "arn:aws:s3:::data/people/anna.csv"}]
    (exercise,), _ = read(event(resources=both))
    assert isinstance(exercise.behaviour, PermissionUse)
    assert exercise.behaviour.permission.resource == "arn:aws:s3:::data/*"


def test_what_may_have_failed_before_it_was_authorised_is_weaker() -> None:
    (exercise,), _ = read(event(errorCode="ThrottlingException"))
    assert "ThrottlingException" in exercise.weaker
    (exercise,), _ = read(event(errorCode="NoSuchBucket"))
    assert exercise.weaker == ""


def test_taking_on_a_role_exercises_the_permission_to() -> None:
    told, _ = read(event("AssumeRole", "sts", requestParameters={"roleArn": f"{ROLE}2"}, responseElements=None))
    assert told[0].behaviour == RoleAssumption(f"{ROLE}2", ROLE, Means.ASSUME_ROLE, Outcome.ALLOWED)
    assert action(told[1]) == "sts:AssumeRole"
    assert len({exercise.id for exercise in told}) == 2


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("AccessDenied", Outcome.DENIED),
        ("Client.UnauthorizedOperation", Outcome.DENIED),
        ("AccessDeniedException", Outcome.DENIED),
        ("ExpiredToken", Outcome.DENIED),
        ("InvalidClientTokenId", Outcome.DENIED),
        ("NoSuchBucket", Outcome.ALLOWED),
        (None, Outcome.ALLOWED),
    ],
)
def test_only_an_error_of_access_was_refused(code: str | None, outcome: Outcome) -> None:
    (exercise,), _ = read(event(errorCode=code))
    assert exercise.behaviour.outcome is outcome  # type: ignore[union-attr]


def test_an_objects_key_is_not_kept() -> None:
    (exercise,), _ = read(event(resources=[{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::data/people/anna.csv"}]))
    assert isinstance(exercise.behaviour, PermissionUse)
    assert exercise.behaviour.permission.resource == "arn:aws:s3:::data/*"


def test_what_is_no_agents_is_counted_by_its_name() -> None:
    service = event("Decrypt", "kms", userIdentity={"type": "AWSService", "invokedBy": "s3.amazonaws.com"})
    told, reader = read(service, event("ConsoleLogin", "signin"), event("NewThing", "s3"), event(eventVersion="9.0"))
    assert told == []
    assert reader.coverage().unmapped == {
        "kms.amazonaws.com:Decrypt": 1,
        "signin.amazonaws.com:ConsoleLogin": 1,
        "s3.amazonaws.com:NewThing": 1,
        "event version 9.0": 1,
    }


def test_data_events_are_told_apart() -> None:
    _, reader = read(event(eventCategory="Data"), event("CreateBucket"))
    assert reader.coverage().seen == {("s3 data", Level.READ), ("s3", Level.WRITE)}


def test_what_a_service_does_in_the_callers_name_is_the_callers() -> None:
    (exercise,), _ = read(event("Decrypt", "kms", userIdentity={**SESSION, "invokedBy": "ssm.amazonaws.com"}))
    assert (exercise.identity.principal, exercise.identity.address) == (ROLE, "")


def test_lookup_events_and_lines_are_read_alike() -> None:
    looked_up = {"Events": [{"EventId": "x", "CloudTrailEvent": json.dumps(event())}]}
    lines = b"\n".join(json.dumps(event(), separators=(",", ":")).encode() for _ in range(3))
    assert len(list(CloudTrailReader().read(io.BytesIO(json.dumps(looked_up).encode())))) == 1
    assert len(list(CloudTrailReader().read(io.BytesIO(lines)))) == 3


def test_a_cut_gzip_file_gives_what_is_whole_and_says_that_it_is_cut() -> None:
    whole = gzip.compress(json.dumps({"Records": [event(f"Get{n}Object") for n in range(2000)]}).encode(), 1)
    reader = CloudTrailReader()
    list(reader.read(io.BytesIO(whole[: len(whole) // 2])))
    coverage = reader.coverage()
    assert 100 < coverage.events < 2000
    assert coverage.malformed == 1


@settings(deadline=None)  # the first one reads the database
@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    list(CloudTrailReader().read(io.BytesIO(data)))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(event())), st.none() | st.integers() | st.text(max_size=5), max_size=5))
def test_no_event_breaks_it(changes: dict[str, Any]) -> None:
    reader = CloudTrailReader()
    list(reader.record(json.dumps({**event(), **changes}).encode()))
    coverage = reader.coverage()
    assert coverage.events + coverage.malformed + sum(coverage.unmapped.values()) >= 1


def test_an_event_cannot_pass_for_an_envelope_by_what_its_caller_says() -> None:
    """Whoever calls chooses the user agent, tags, and the names of sessions."""
    told, reader = read(event(userAgent="CloudTrailEvent"))
    assert [action(exercise) for exercise in told] == ["s3:GetObject"]
    assert reader.coverage().malformed == 0


@pytest.mark.parametrize("changed", [{"eventTime": "2026-11-20T10:00:00"}, {"eventTime": "0001-01-01T00:00:00Z"}])
def test_a_time_without_a_zone_or_before_there_were_trails_is_not_guessed(changed: dict[str, Any]) -> None:
    told, reader = read(event(**changed))
    assert (told, reader.coverage().malformed) == ([], 1)


def test_whatever_a_caller_calls_its_client_is_bounded_when_it_is_made_printable() -> None:
    (exercise,), _ = read(event(userAgent="\U000e0001" * 2_000))
    assert len(exercise.identity.client) <= 1_024
