"""What authorities' logs have covered, and what can never be seen in them: "unobservable" is never "unused". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from inscope.coverage import Source
from inscope.exercise import LogCoverage
from inscope.grant import Grant
from inscope.permission import Authority, Level

SOURCE_OF = {
    Authority.KUBERNETES: Source.KUBERNETES_AUDIT,
    Authority.AWS: Source.CLOUDTRAIL,
    Authority.POSTGRESQL: Source.POSTGRESQL_LOG,
}
"""The log that tells of an authority's permissions."""

MAX_NAMES = 1_000
"""Names of unmapped events kept for one log."""

DATA_EVENTS = frozenset(
    {
        "apigateway", "appconfig", "aoss", "bedrock", "cloudfront-keyvaluestore", "codewhisperer", "cognito-identity",
        "dynamodb", "ebs", "execute-api", "geo", "iot", "kendra", "kinesis", "kinesisvideo",
        "lambda", "polly", "rds-data", "s3", "s3-outposts", "sagemaker", "sns", "sqs", "ssmmessages",
        "textract", "timestream", "transcribe",
    }
)  # fmt: skip
"""AWS services some of whose events a trail logs only where it is told to (CloudTrail User Guide, data events)."""


@dataclass(frozen=True, slots=True)
class Logs:
    """All that was covered, by source and scope."""

    covered: Mapping[tuple[Source, str], LogCoverage] = field(default_factory=dict)

    def of(self, authority: Authority, scope: str) -> LogCoverage | None:
        """The log of that scope; for AWS that of any account: a trail may tell of many."""
        source = SOURCE_OF[authority]
        if authority is Authority.AWS:
            mine = [coverage for (each, _), coverage in self.covered.items() if each is source]
            return _whole(mine) if mine else None
        return self.covered.get((source, scope))


def merged(before: LogCoverage | None, more: LogCoverage) -> LogCoverage:
    """Both together."""
    return more if before is None else _whole([before, more])


def _whole(parts: Iterable[LogCoverage]) -> LogCoverage:
    first, *others = parts
    for other in others:
        names = {**first.unmapped}
        for name, count in other.unmapped.items():
            if name in names or len(names) < MAX_NAMES:
                names[name] = names.get(name, 0) + count
        first = replace(
            first,
            since=min(filter(None, (first.since, other.since)), default=0.0),  # of no event: 0
            until=max(first.until, other.until),
            events=first.events + other.events,
            seen=first.seen | other.seen,
            unmapped=names,
            malformed=first.malformed + other.malformed,
        )
    return first


def blind_to(grant: Grant, scope: str, logs: Logs) -> str:
    """Why the use of `grant` could not be seen; empty where it could."""
    source, log = SOURCE_OF[grant.authority], logs.of(grant.authority, scope)
    if log is None:
        return f"{source} was never connected"
    if grant.authority is not Authority.AWS and (grant.service, grant.level) in log.seen:
        return ""
    match grant.authority:
        case Authority.KUBERNETES:
            # A policy that logs anything logs changes; reads and lists are often left out, and then all of them are.
            changes = grant.level in (Level.WRITE, Level.PERMISSIONS)
            logged = changes or any(level is grant.level for _, level in log.seen)
            return "" if logged else f"nobody's {grant.level} requests are in {source}: its policy may leave them out"
        case Authority.AWS:
            # Management events are always logged. Data events are told apart as a service of their own.
            if grant.service not in DATA_EVENTS or (f"{grant.service} data", grant.level) in log.seen:
                return ""
            return f"no {grant.level} data event of {grant.service} is in {source}: trails log them where told to"
        case Authority.POSTGRESQL:
            return f"no {grant.level} of database {grant.service} is in {source}: set pgaudit.log, or log_statement"
