"""A bucket that tells an SQS queue what is stored in it, as a feed: trails, and logs that are delivered to S3.

A message is deleted once all that it names was taken. What cannot be taken is left: it becomes visible again, and after
as many times as the queue's redrive policy says it goes to the dead letters. What was not understood is never deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from controlplane.sources.feeds.delivery import Counted, Delivery, FeedError, Take
from controlplane.sources.feeds.notice import PoisonError, Stored, stored_in

VISIBILITY = 300
"""Seconds for which a message that is being taken is hidden from others; begun anew with each object."""

WAIT = 20
"""Seconds to wait for the first message, SQS' longest: fewer requests, and no delay for what comes meanwhile."""

MAX_OBJECT = 1 << 30
"""Bytes. CloudTrail begins a new file far below that."""


class Queue(Protocol):
    """What is asked of boto3's SQS client."""

    def receive_message(self, **asked: Any) -> Mapping[str, Any]: ...
    def delete_message(self, **asked: Any) -> object: ...
    def change_message_visibility(self, **asked: Any) -> object: ...


class Bucket(Protocol):
    """What is asked of boto3's S3 client."""

    def get_object(self, **asked: Any) -> Mapping[str, Any]: ...


class BucketQueue:
    """`url` is the queue's. One poll takes at most ten messages, which is what SQS gives at once."""

    def __init__(self, queue: Queue, bucket: Bucket, url: str, wait: int = WAIT, visibility: int = VISIBILITY) -> None:
        self.counted = Counted()
        self._queue, self._bucket, self._url = queue, bucket, url
        self._wait, self._visibility = wait, visibility

    def poll(self, take: Take) -> int:
        """What the messages that are there now name."""
        asked = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": self._wait, "VisibilityTimeout": self._visibility}
        try:
            messages = self._queue.receive_message(QueueUrl=self._url, **asked).get("Messages", ())
        except (BotoCoreError, ClientError) as error:
            raise FeedError(f"queue {self._url}: {error}") from error
        return sum(self._message(message, take) for message in messages)

    def _message(self, message: Mapping[str, Any], take: Take) -> int:
        handle = message["ReceiptHandle"]
        try:
            stored = stored_in(message["Body"])
        except PoisonError as error:
            self.counted.leave(str(error))
            return 0
        try:
            told = self._objects(stored, handle, take)
            if told == len(stored):
                self._queue.delete_message(QueueUrl=self._url, ReceiptHandle=handle)
        except (BotoCoreError, ClientError, HTTPClientError) as error:
            self.counted.leave(_named(error))
            return 0
        return told

    def _objects(self, stored: Sequence[Stored], handle: str, take: Take) -> int:
        told = 0
        for each in stored:
            if each.size > MAX_OBJECT:
                self.counted.leave(f"an object of more than {MAX_OBJECT >> 20} MiB")
                continue
            self._queue.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=self._visibility
            )
            answer = self._bucket.get_object(Bucket=each.bucket, Key=each.key)
            if answer.get("ContentLength", 0) > MAX_OBJECT:
                self.counted.leave(f"an object of more than {MAX_OBJECT >> 20} MiB")
                continue
            with answer["Body"] as stream:
                take(Delivery(f"s3://{each.bucket}/{each.key}", stream))
            self.counted.taken += 1
            told += 1
        return told


def _named(error: Exception) -> str:
    """By the service's code, which are few, and not by its text."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__
