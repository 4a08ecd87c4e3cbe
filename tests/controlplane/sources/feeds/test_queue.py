"""Objects that a queue tells of are taken and then forgotten; what cannot be taken goes to the dead letters."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.sources.cloudtrail.reader import CloudTrailReader
from controlplane.sources.feeds import queue as module
from controlplane.sources.feeds.clients import client
from controlplane.sources.feeds.delay import Delays
from controlplane.sources.feeds.delivery import Delivery, FeedError
from controlplane.sources.feeds.notice import PoisonError, Stored, stored_in
from controlplane.sources.feeds.queue import BucketQueue
from controlplane.sources.feeds.telling import telling
from inscope.exercise import Exercise
from tests.controlplane.sources.cloudtrail.test_reader import event

BUCKET, KEY = "trail", "AWSLogs/1/a b+c.json.gz"


class Cloud:
    """A bucket, a queue that it tells, and the queue's dead letters."""

    def __init__(self) -> None:
        self.s3, self.sqs = client("s3"), client("sqs")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        self.url = self.sqs.create_queue(QueueName="told", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        self.feed = BucketQueue(self.sqs, self.s3, self.url, wait=0, visibility=0)

    def store(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def say(self, body: object) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def waiting(self, url: str) -> int:
        wanted = "ApproximateNumberOfMessages"
        return int(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"][wanted])


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def notice(key: str = "AWSLogs/1/a+b%2Bc.json.gz", name: str = "ObjectCreated:Put", size: int = 7) -> dict[str, Any]:
    """As S3 writes it ("Event message structure", Amazon S3 User Guide): the key is URL-encoded."""
    return {"Records": [{"eventName": name, "s3": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": size}}}]}


def test_what_a_bucket_tells_is_taken_and_then_forgotten(cloud: Cloud) -> None:
    cloud.store(KEY, gzip.compress(json.dumps({"Records": [event()]}).encode()))
    cloud.say(notice())
    told: list[Exercise] = []
    delays = Delays()
    reader = CloudTrailReader()
    act = 1_795_168_800.0  # 2026-11-20T10:00:00Z
    assert cloud.feed.poll(telling(reader.read, told.extend, lambda: act + 300, delays)) == 1
    assert [exercise.id for exercise in told] == ["id-GetObject"]
    assert (delays.delay.events, delays.delay.median, delays.delay.longest) == (1, 300.0, 300.0)
    assert str(delays.delay) == "300 s after the act (median), 300 s at the most"
    assert cloud.waiting(cloud.url) == 0
    assert cloud.feed.poll(telling(reader.read, told.extend, lambda: act, delays)) == 0


def test_a_message_is_not_forgotten_before_what_it_names_was_taken(cloud: Cloud) -> None:
    cloud.store(KEY, b"x")
    cloud.say(notice())

    def fails(delivery: Delivery) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cloud.feed.poll(fails)
    taken: list[bytes] = []
    assert cloud.feed.poll(lambda delivery: taken.append(delivery.stream.read())) == 1
    assert taken == [b"x"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "no JSON"),
        ({"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}, "names no object"),
        (notice("missing"), "NoSuchKey"),
        (notice(size=1 << 40), "more than 1024 MiB"),
    ],
)
def test_what_cannot_be_taken_is_counted_and_goes_to_the_dead_letters(cloud: Cloud, body: object, reason: str) -> None:
    cloud.say(body)
    for _ in range(3):
        assert cloud.feed.poll(lambda delivery: None) == 0
    assert [reason in said for said in cloud.feed.counted.left] == [True]
    assert (cloud.waiting(cloud.url), cloud.waiting(cloud.dead)) == (0, 1)


def test_one_that_cannot_be_taken_does_not_hold_up_the_others(cloud: Cloud) -> None:
    cloud.store(KEY, b"x")
    cloud.say("nothing of ours")
    cloud.say(notice())
    assert cloud.feed.poll(lambda delivery: None) == 1


def test_an_object_that_is_larger_than_it_was_said_is_left(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OBJECT", 100)
    cloud.store(KEY, b"x" * 101)
    cloud.say(notice())
    assert cloud.feed.poll(lambda delivery: None) == 0


def test_a_queue_that_is_not_there_is_said(cloud: Cloud) -> None:
    with pytest.raises(FeedError, match="NonExistentQueue"):
        BucketQueue(cloud.sqs, cloud.s3, f"{cloud.url}-no", wait=0).poll(lambda delivery: None)


def test_a_notice_through_sns_reaches_the_queue(cloud: Cloud) -> None:
    """By moto's own SNS: what wraps the notice is not ours."""
    sns = client("sns")
    topic = sns.create_topic(Name="trail")["TopicArn"]
    arn = cloud.sqs.get_queue_attributes(QueueUrl=cloud.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloud.store(KEY, b"x")
    sns.publish(TopicArn=topic, Message=json.dumps(notice()))
    assert cloud.feed.poll(lambda delivery: None) == 1


EVENTBRIDGE = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": BUCKET}, "object": {"key": KEY, "size": 7}},
}


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (notice(), (Stored(BUCKET, KEY, 7),)),
        ({"Type": "Notification", "Message": json.dumps(notice())}, (Stored(BUCKET, KEY, 7),)),
        ({"s3Bucket": BUCKET, "s3ObjectKey": [KEY, "other"]}, (Stored(BUCKET, KEY), Stored(BUCKET, "other"))),
        (EVENTBRIDGE, (Stored(BUCKET, KEY, 7),)),
        ({**EVENTBRIDGE, "detail-type": "Object Deleted"}, ()),
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, ()),
        (notice(name="ObjectRemoved:Delete"), ()),
        ({"Records": []}, ()),
    ],
)
def test_what_notices_say(body: object, stored: tuple[Stored, ...]) -> None:
    assert stored_in(json.dumps(body)) == stored


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Records", "Type", "Message", "eventName", "s3", "detail", "source"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20) | JSON.map(json.dumps))
def test_no_message_breaks_it(body: str) -> None:
    with suppress(PoisonError):
        assert isinstance(stored_in(body), tuple)
