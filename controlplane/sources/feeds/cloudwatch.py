"""A CloudWatch Logs group as a feed: EKS' audit log, or a trail that is sent there.

Events come late and out of order across streams, so that each poll begins `overlap` seconds before the newest event
that was seen, and what was taken already is left out by its id.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from controlplane.sources.feeds.delivery import Counted, Delivery, FeedError, Take

OVERLAP = 300.0
"""Seconds: CloudTrail hands events to CloudWatch Logs within about five minutes (CloudTrail User Guide)."""

MAX_PAGES = 1_000
"""Pages of one poll; the next one goes on from there."""

MAX_REMEMBERED = 1_000_000
"""Ids of the overlap that are kept. What is forgotten is told again, and the store knows events by ids of their own."""


class Logs(Protocol):
    """What is asked of boto3's client."""

    def filter_log_events(self, **asked: Any) -> Mapping[str, Any]:
        """Events of a group from a time on, a page at a time."""


class LogGroup:
    """`since` is where to begin, seconds since the epoch; `streams` a prefix (`kube-apiserver-audit` is EKS')."""

    def __init__(self, logs: Logs, group: str, since: float, streams: str = "", overlap: float = OVERLAP) -> None:
        self.counted = Counted()
        self.mark = since
        self._logs, self._group, self._streams = logs, group, streams
        self._overlap = overlap
        self._begin = since
        self._newest = since
        self._token = ""
        self._seen: dict[str, float] = {}

    def poll(self, take: Take) -> int:
        """Pages from the mark on, each as one delivery of lines."""
        asked: dict[str, Any] = {"logGroupName": self._group, "startTime": int(self._start * 1000)}
        if self._streams:
            asked["logStreamNamePrefix"] = self._streams
        told, token, self._token = 0, self._token, ""
        for _ in range(MAX_PAGES):
            page = self._page({**asked, "nextToken": token} if token else asked)
            lines, ids = self._new(page)
            if lines:
                take(Delivery(f"log group {self._group}", io.BytesIO(b"\n".join(lines))))
                told += len(lines)
                self.counted.taken += len(lines)
                self._seen.update(ids)  # only now: what was not taken comes again
            self._newest = max([self._newest, *ids.values()])
            before, token = token, page.get("nextToken") or ""
            if not token or token == before:
                self.mark = self._newest  # not before the last page: they are not in order
                self._forget()
                return told
        self._token = token
        return told

    @property
    def _start(self) -> float:
        return max(self.mark - self._overlap, self._begin)

    def _page(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._logs.filter_log_events(**asked)
        except (BotoCoreError, ClientError) as error:
            raise FeedError(f"log group {self._group}: {error}") from error

    def _new(self, page: Mapping[str, Any]) -> tuple[list[bytes], dict[str, float]]:
        lines, ids = [], dict[str, float]()
        for event in page.get("events", ()):
            number, message, time = event.get("eventId"), event.get("message"), event.get("timestamp")
            if not isinstance(number, str) or not isinstance(message, str) or not isinstance(time, int):
                self.counted.leave("an event without id, time or message")
            elif number in self._seen or number in ids:
                self.counted.duplicates += 1
            else:
                ids[number] = time / 1000
                lines.append(message.replace("\n", " ").encode())
        return lines, ids

    def _forget(self) -> None:
        """What the next poll will not see again."""
        if self._seen and min(self._seen.values()) < self._start:
            self._seen = {number: time for number, time in self._seen.items() if time >= self._start}
        while len(self._seen) > MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]
