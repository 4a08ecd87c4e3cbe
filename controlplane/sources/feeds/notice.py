"""What a queue's message says was stored: by S3, itself or through SNS or EventBridge, or by CloudTrail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import msgspec

MAX_OBJECTS = 1_000
"""Objects that one message may name."""


class PoisonError(ValueError):
    """A message is no notice. Whoever reads the queue's dead letters sees it as it came."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object, as S3 knows it; `size` in bytes, -1 where the notice does not say."""

    bucket: str
    key: str
    size: int = -1


def stored_in(body: str) -> tuple[Stored, ...]:
    """The objects that were stored; none where it is a notice of something else, as of a test.

    Raises:
        PoisonError: it is no notice.
    """
    notice = _object(body)
    if notice.get("Type") == "Notification" and isinstance(notice.get("Message"), str):  # SNS around it
        notice = _object(notice["Message"])
    if notice.get("Event") == "s3:TestEvent":
        return ()
    found = tuple(_objects(notice))
    if len(found) > MAX_OBJECTS:
        raise PoisonError(f"more than {MAX_OBJECTS:,} objects in one message")
    return found


def _objects(notice: Mapping[str, Any]) -> list[Stored]:
    records, keys = notice.get("Records"), notice.get("s3ObjectKey")
    if isinstance(records, list):
        created = [
            each for each in records if _says(each, "eventName").startswith(("ObjectCreated:", "s3:ObjectCreated:"))
        ]
        if records and not created and not all(_says(each, "eventName") for each in records):
            raise PoisonError("records that are no notices of S3")
        return [_stored(each.get("s3"), encoded=True) for each in created]
    if isinstance(notice.get("s3Bucket"), str) and isinstance(keys, list) and all(isinstance(key, str) for key in keys):
        return [Stored(notice["s3Bucket"], key) for key in keys]  # CloudTrail's own, through SNS
    if notice.get("source") == "aws.s3":  # EventBridge
        if notice.get("detail-type") != "Object Created":
            return []
        return [_stored(notice.get("detail"), encoded=False)]
    raise PoisonError("no notice of S3 or CloudTrail")


def _stored(body: object, *, encoded: bool) -> Stored:
    match body:
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **more}} if bucket and key:
            size = more.get("size")
            return Stored(bucket, unquote_plus(key) if encoded else key, size if isinstance(size, int) else -1)
    raise PoisonError("a notice that names no object")


def _says(record: object, key: str) -> str:
    value = record.get(key) if isinstance(record, Mapping) else None
    return value if isinstance(value, str) else ""


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise PoisonError(f"no JSON: {error}") from error
    if not isinstance(value, Mapping):
        raise PoisonError("no JSON object")
    return value
