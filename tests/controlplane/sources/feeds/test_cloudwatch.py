"""A log group is read from a mark on: each event once, late ones too, and nothing is lost where taking it fails."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.stub import Stubber

from controlplane.sources.feeds import cloudwatch
from controlplane.sources.feeds.clients import client
from controlplane.sources.feeds.cloudwatch import LogGroup
from controlplane.sources.feeds.delivery import Delivery, FeedError

GROUP = "/aws/eks/prod/cluster"
NOW = time.time()
AUDIT = "kube-apiserver-audit-1"


class Taken:
    """Lines, in the order in which they came."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, delivery: Delivery) -> None:
        self.lines += delivery.stream.read().decode().split("\n")


@pytest.fixture
def logs() -> Any:
    logs = client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=AUDIT)
    return logs


def put(logs: Any, *messages: str, ago: float = 60.0) -> None:
    events = [{"timestamp": int((NOW - ago) * 1000) + n, "message": message} for n, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=AUDIT, logEvents=events)


def test_each_event_is_taken_once_and_a_late_one_too(logs: Any) -> None:
    feed, taken = LogGroup(logs, GROUP, NOW - 3_600), Taken()
    put(logs, "one", "two")
    assert feed.poll(taken) == 2
    put(logs, "late", ago=120)
    put(logs, "three", ago=30)
    assert feed.poll(taken) == 2
    assert feed.poll(taken) == 0
    assert taken.lines == ["one", "two", "late", "three"]
    assert feed.counted.taken == 4
    assert feed.counted.duplicates > 0


def test_what_is_older_than_the_overlap_is_not_asked_for_again(logs: Any) -> None:
    feed, taken = LogGroup(logs, GROUP, NOW - 3_600, overlap=60), Taken()
    put(logs, "new", ago=10)
    feed.poll(taken)
    put(logs, "too late", ago=100)
    assert feed.poll(taken) == 0


def test_only_the_streams_that_are_wanted_are_asked_for() -> None:
    """By botocore's stub, which refuses any other request: moto leaves the prefix out of account."""
    logs = client("logs")
    feed = LogGroup(logs, GROUP, 1_000.0, streams="kube-apiserver-audit")
    event = {"eventId": "e", "timestamp": 1_000_000, "message": "audit"}
    asked = {"logGroupName": GROUP, "startTime": 1_000_000, "logStreamNamePrefix": "kube-apiserver-audit"}
    with Stubber(logs) as stubbed:
        stubbed.add_response("filter_log_events", {"events": [event]}, asked)
        assert feed.poll(Taken()) == 1


def test_what_could_not_be_taken_comes_again(logs: Any) -> None:
    put(logs, "one")
    feed, taken = LogGroup(logs, GROUP, NOW - 3_600), Taken()

    def fails(delivery: Delivery) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        feed.poll(fails)
    assert feed.poll(taken) == 1


def test_pages_are_all_read_also_over_several_polls(logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(logs, *map(str, range(25_000)))
    monkeypatch.setattr(cloudwatch, "MAX_PAGES", 1)
    feed, taken = LogGroup(logs, GROUP, NOW - 3_600), Taken()
    assert [feed.poll(taken) for _ in range(3)] == [10_000, 10_000, 5_000]
    assert taken.lines == list(map(str, range(25_000)))
    assert feed.mark > NOW - 61


def test_a_group_that_is_not_there_is_said(logs: Any) -> None:
    with pytest.raises(FeedError, match="ResourceNotFoundException"):
        LogGroup(logs, "no-such-group", NOW).poll(Taken())


def test_what_is_no_event_is_counted() -> None:
    class Strange:
        def filter_log_events(self, **asked: Any) -> dict[str, Any]:
            return {"events": [{}, {"eventId": "x", "message": 7, "timestamp": 1}], "nextToken": "always the same"}

    feed = LogGroup(Strange(), GROUP, NOW)
    assert feed.poll(Taken()) == 0
    assert feed.counted.left == {"an event without id, time or message": 4}
