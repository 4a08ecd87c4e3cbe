"""What replaying an audit log costs: events per second of one core, from the file's bytes to exercises.

    python -m bench.audit [--events 150000] [--rounds 5]

The events are those that a real API server recorded for the tests, at level Metadata, each with an id of its own. The
forms are asked in turn.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Figure
from controlplane.sources.audit.reader import AuditReader

RECORDED = Path(__file__).parent.parent / "tests/controlplane/sources/audit/recorded/audit-eventlist-picked.json"
WANTED = 20_000


def events(count: int) -> Iterator[bytes]:
    """As many events, in the order of the recording."""
    recorded = [each for each in json.loads(RECORDED.read_text())["items"] if each["level"] == "Metadata"]
    texts = [
        json.dumps({"kind": "Event", "apiVersion": "audit.k8s.io/v1", **each}, separators=(",", ":")).encode()
        for each in recorded
    ]
    ids = [each["auditID"].encode() for each in recorded]
    for number in range(count):
        index = number % len(texts)
        yield texts[index].replace(ids[index], b"%s-%d" % (ids[index][:20], number))


def lines(count: int) -> bytes:
    """As `--audit-log-path` writes them."""
    return b"\n".join(events(count))


def one_list(count: int) -> bytes:
    """One `EventList`, on one line."""
    return b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[' + b",".join(events(count)) + b"]}"


def packed(count: int) -> bytes:
    """Lines, gzip."""
    return gzip.compress(lines(count), 6)


def cloudwatch(count: int) -> bytes:
    """As `aws logs filter-log-events` prints EKS' logs: each event a text in JSON."""
    stream = {"logStreamName": "kube-apiserver-audit-1", "timestamp": 1}
    return json.dumps({"events": [{**stream, "message": each.decode()} for each in events(count)]}, indent=4).encode()


FORMS: tuple[Callable[[int], bytes], ...] = (lines, one_list, packed, cloudwatch)


def replayed(text: bytes, count: int) -> float:
    """Events per second of CPU time."""
    reader = AuditReader("bench")
    begin = time.process_time()
    for _ in reader.read(io.BytesIO(text)):
        pass
    taken = time.process_time() - begin
    if reader.coverage().events != count or reader.faults:
        raise SystemExit(f"{reader.coverage().events:,} of {count:,} events were told: {reader.faults}")
    return count / taken


def peak(text: bytes) -> float:
    """MiB that a replay allocates at the most, the text itself not counted."""
    stream = io.BytesIO(text)
    tracemalloc.start()
    for _ in AuditReader("bench").read(stream):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / (1 << 20)


def main() -> None:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    texts = {form.__name__: form(options.events) for form in FORMS}
    taken: dict[str, list[float]] = {name: [] for name in texts}
    for _ in range(options.rounds):
        for name, text in texts.items():
            taken[name].append(replayed(text, options.events))
    print(f"{options.events:,} events of {len(texts['lines']) // options.events:,} bytes, {options.rounds} rounds")
    for name, text in texts.items():
        print(
            f"  {name:<12} {Figure.of(taken[name]):10,.0f} events/s   wanted >= {WANTED:,}   peak {peak(text):6.1f} MiB"
        )


if __name__ == "__main__":
    main()
