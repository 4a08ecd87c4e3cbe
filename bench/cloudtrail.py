"""What replaying CloudTrail costs: events per second of one core, from the file's bytes to exercises.

    python -m bench.cloudtrail [--events 100000] [--rounds 5] [--read FILE…]

The events are made here, with the fields of the examples in the CloudTrail User Guide. `--read` tells of files of
one's own how many of their events are mapped.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from bench.measure import Figure
from controlplane.sources.cloudtrail.reader import CloudTrailReader

WANTED = 20_000
PER_FILE = 5_000
ACCOUNT = "123456789012"
KINDS = (
    ("s3", "GetObject", [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::data/people/anna.csv"}], {"key": "x"}),
    ("s3", "ListObjectsV2", [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::data"}], {"bucketName": "data"}),
    ("dynamodb", "Query", [{"ARN": f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t"}], {"tableName": "t"}),
    ("lambda", "Invoke20150331", None, {"functionName": "agent-tool", "invocationType": "Event"}),
    ("ec2", "DescribeInstances", None, {"instancesSet": {}, "filterSet": {}}),
    ("kms", "Decrypt", [{"type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"}], {"a": "b"}),
    ("sts", "AssumeRole", None, {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/other", "roleSessionName": "s"}),
    ("monitoring", "GetMetricData", None, None),
    ("signin", "ConsoleLogin", None, None),
)


def events(count: int) -> Iterator[bytes]:
    """As many, always the same."""
    random = Random(7)
    for number in range(count):
        yield json.dumps(_event(number, random), separators=(",", ":")).encode()


def _event(number: int, random: Random) -> dict[str, Any]:
    service, name, resources, parameters = random.choice(KINDS)
    role = f"agent-{random.randrange(50)}"
    issued = {"credentials": {"accessKeyId": f"ASIA{number:016d}", "sessionToken": "x" * 400}}
    event = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:{role}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session",
            "accountId": ACCOUNT,
            "accessKeyId": f"ASIA{random.randrange(10_000):016d}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "userName": role},
                "attributes": {"creationDate": "2026-11-20T09:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"2026-11-20T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": f"10.0.{random.randrange(256)}.{random.randrange(256)}",
        "userAgent": "Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.9",
        "requestParameters": parameters,
        "responseElements": issued if name == "AssumeRole" else None,
        "requestID": f"request-{number}",
        "eventID": f"event-{number}",
        "readOnly": True,
        "resources": resources,
        "eventType": "AwsApiCall",
        "managementEvent": resources is None,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data" if resources else "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    }
    if random.random() < 0.05:
        event |= {"errorCode": "AccessDenied", "errorMessage": "not authorized to perform this"}
    return event


def one_file(count: int) -> list[bytes]:
    """All in one, which is larger than what is read at once."""
    return [b'{"Records":[' + b",".join(events(count)) + b"]}"]


def files(count: int) -> list[bytes]:
    """As CloudTrail stores them, but not packed: some thousands in each."""
    every = events(count)
    return [b'{"Records":[' + b",".join(some) + b"]}" for some in iter(lambda: list(islice(every, PER_FILE)), [])]


def packed(count: int) -> list[bytes]:
    """As they lie in the bucket: gzip."""
    return [gzip.compress(each, 6) for each in files(count)]


def lines(count: int) -> list[bytes]:
    """A line each: CloudWatch Logs, CloudTrail Lake."""
    return [b"\n".join(events(count))]


FORMS: tuple[Callable[[int], list[bytes]], ...] = (files, packed, one_file, lines)


def replayed(texts: list[bytes], count: int) -> float:
    """Events per second of CPU time."""
    reader = CloudTrailReader()
    begin = time.process_time()
    for text in texts:
        for _ in reader.read(io.BytesIO(text)):
            pass
    taken = time.process_time() - begin
    if reader.coverage().events != count or reader.coverage().malformed:
        raise SystemExit(f"{reader.coverage().events:,} of {count:,} events were read")
    return count / taken


def peak(texts: list[bytes]) -> float:
    """MiB that a replay allocates at the most, the text itself not counted."""
    streams, reader = [io.BytesIO(text) for text in texts], CloudTrailReader()
    tracemalloc.start()
    for stream in streams:
        for _ in reader.read(stream):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / (1 << 20)


def tell_of(files: list[Path]) -> None:
    """How much of them is mapped."""
    reader, told = CloudTrailReader(), 0
    for path in files:
        with path.open("rb") as stream:
            told += sum(1 for _ in reader.read(stream))
    coverage = reader.coverage()
    unmapped = sum(coverage.unmapped.values())
    print(f"{coverage.events:,} events, {told:,} exercises, {unmapped:,} not mapped, {coverage.malformed:,} malformed")
    for name, times in islice(sorted(coverage.unmapped.items(), key=lambda each: -each[1]), 20):
        print(f"  {times:6,}  {name}")


def main() -> None:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--read", type=Path, nargs="+", metavar="FILE")
    options = parser.parse_args()
    if options.read:
        tell_of(options.read)
        return
    texts = {form.__name__: form(options.events) for form in FORMS}
    taken: dict[str, list[float]] = {name: [] for name in texts}
    replayed(files(10), 10)  # AWS's actions are read once
    for _ in range(options.rounds):
        for name, text in texts.items():
            taken[name].append(replayed(text, options.events))
    print(f"{options.events:,} events of {len(texts['lines'][0]) // options.events:,} bytes, {options.rounds} rounds")
    for name, text in texts.items():
        print(
            f"  {name:<12} {Figure.of(taken[name]):10,.0f} events/s   wanted >= {WANTED:,}   peak {peak(text):6.1f} MiB"
        )


if __name__ == "__main__":
    main()
