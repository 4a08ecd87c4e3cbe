"""What the permission gap costs: resolving a cluster, computing every gap, judging events, reading logs.

    python -m bench.gap [--rounds 5] [--short]

A cluster of 1,000 service accounts, each run as by a workload, and 5,000 bindings of 300 roles; then a log of one
workload, judged in detect. No server: the loop over a real store; seconds are of CPU. Exit status 1 where a bound
does not hold.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.measure import Figure
from controlplane.loop import Loop
from controlplane.sources.audit.reader import AuditReader
from controlplane.sources.aws_actions import known_actions
from controlplane.sources.cloudtrail.reader import CloudTrailReader
from controlplane.sources.rbac import declaration_of
from controlplane.sources.rbac.grants import parts_of
from controlplane.sources.rbac.objects import Account, Binding, Objects, Role, Rule, Runner, Subject
from controlplane.store.sqlite import open_store
from inscope.coverage import Source
from inscope.grant import Declaration
from inscope.mode import Mode
from inscope.reference import TOLD_BY_LOGS
from inscope.workload import Workload

NOW = 1_800_000_000.0
BATCH = 5_000
AGENT = Workload("ns-0", "Deployment", "agent-0")


@dataclass(frozen=True)
class Measured:
    """A figure and its bound; `most` says whether it is not to exceed it, or not to fall short of it."""

    what: str
    figure: Figure
    bound: float
    unit: str
    most: bool = True

    def print(self) -> bool:
        """True where it does not hold."""
        off = bool(self.bound) and (self.figure.median > self.bound if self.most else self.figure.median < self.bound)
        wanted = f"(wanted {'≤' if self.most else '≥'} {self.bound:,g})" if self.bound else ""
        print(f"{self.what:<58} {self.figure:10,.1f} {self.unit:<9} {wanted} {'OFF' if off else ''}", flush=True)
        return off


def cluster(accounts: int, bindings: int, roles: int) -> Objects:
    """Objects of the sizes asked for, from a seed."""
    random = Random(1)
    verbs, kinds = ("get", "list", "watch", "create", "update", "delete"), [f"kind{n}" for n in range(60)]
    made = [
        Role(
            f"role-{n}",
            "",
            tuple(Rule(tuple(random.sample(verbs, 3)), ("", "apps"), tuple(random.sample(kinds, 4))) for _ in range(3)),
        )
        for n in range(roles)
    ]
    names = [(f"ns-{n % 50}", f"agent-{n}") for n in range(accounts)]
    bound = []
    for number in range(bindings):
        namespace, name = names[number % accounts]
        local = namespace if random.random() < 0.7 else ""
        subject = Subject("ServiceAccount", name, namespace)
        bound.append(Binding(f"binding-{number}", local, random.choice(made).name, "", (subject,)))
    held = tuple(Account(namespace, name) for namespace, name in names)
    runners = tuple(Runner("Deployment", namespace, name, name) for namespace, name in names)
    return Objects(tuple(made), tuple(bound), held, runners)


def audit_lines(number: int) -> bytes:
    """So many events of one agent, as an API server writes them."""
    lines = []
    for at in range(number):
        event = {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": f"id-{at}",
            "stage": "ResponseComplete", "requestURI": f"/api/v1/namespaces/ns-0/kind{at % 60}", "verb": "get",
            "user": {"username": "system:serviceaccount:ns-0:agent-0", "groups": ["system:authenticated"],
                     "extra": {"authentication.kubernetes.io/pod-name": ["agent-0-66b5f6b998-x7k2m"]}},
            "sourceIPs": ["10.42.1.7"], "userAgent": "agent/1.0",
            "objectRef": {"resource": f"kind{at % 60}", "namespace": "ns-0", "name": f"x{at}", "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": 200},
            "requestReceivedTimestamp": "2026-11-22T22:32:29.283694Z", "stageTimestamp": "2026-11-22T22:32:29.285054Z",
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: allowed by "
                            'ClusterRoleBinding "binding-0" of ClusterRole "role-0" to ServiceAccount "agent-0/ns-0"'},
        }  # fmt: skip
        lines.append(json.dumps(event, separators=(",", ":")))
    return "\n".join(lines).encode()


def trail(number: int) -> bytes:
    """So many events, as a trail writes them."""
    role = "arn:aws:iam::123456789012:role/agent"
    identity = {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::123456789012:assumed-role/agent/s",
        "accessKeyId": "ASIA1",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}},
    }
    events = [
        {
            "eventVersion": "1.09", "eventID": f"id-{at}", "eventTime": "2026-11-20T10:00:00Z",
            "userIdentity": identity,
            "eventSource": "s3.amazonaws.com", "eventName": ("GetObject", "PutObject", "ListObjectsV2")[at % 3],
            "awsRegion": "eu-1", "sourceIPAddress": "198.35.26.7", "userAgent": "Boto3/1.35", "readOnly": True,
            "requestParameters": {"bucketName": "data", "key": f"k{at}"}, "responseElements": None,
            "eventCategory": "Data", "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::data/k{at}"}],
        }
        for at in range(number)
    ]  # fmt: skip
    return json.dumps({"Records": events}).encode()


def seconds(act: Callable[[], object]) -> float:
    """How much of one core it took: others' work on this machine is not counted."""
    began = time.process_time()
    act()
    return time.process_time() - began


def figures(rounds: int, share: int) -> Iterator[Measured]:
    """All of them."""
    objects = cluster(1_000 // share, 5_000 // share, 300)
    first, again = list[float](), list[float]()
    for _ in range(rounds):
        parts_of.cache_clear()
        first.append(seconds(lambda: declaration_of(objects, "", NOW)))
        again.append(seconds(lambda: declaration_of(objects, "", NOW)))
    yield Measured("resolve 1,000 accounts x 5,000 bindings into grants", Figure.of(first), 5, "s")
    yield Measured("the same again, as after a change of one binding", Figure.of(again), 0, "s")
    declaration = declaration_of(objects, "", NOW)
    yield from loop_figures(declaration, rounds, share)
    number = 50_000 // share
    lines, records = audit_lines(number), trail(number)
    known_actions()
    rate = [number / seconds(lambda: _drain(AuditReader().read(io.BytesIO(lines)))) for _ in range(rounds)]
    yield Measured("audit events read in replay", Figure.of(rate), 20_000, "events/s", most=False)
    rate = [number / seconds(lambda: _drain(CloudTrailReader().read(io.BytesIO(records)))) for _ in range(rounds)]
    yield Measured("CloudTrail events read in replay", Figure.of(rate), 20_000, "events/s", most=False)


def loop_figures(declaration: Declaration, rounds: int, share: int) -> Iterator[Measured]:
    """Every gap computed, and events judged."""
    with tempfile.TemporaryDirectory(prefix="inscope-") as folder:
        store = open_store(Path(folder) / "inscope.db")
        loop = Loop(store)
        took = [seconds(lambda: loop.declare(declaration, NOW)) for _ in range(min(rounds, 3))]
        yield Measured("declare it: keep it, and find every workload's gap", Figure.of(took), 0, "s")
        exercises = list(AuditReader().read(io.BytesIO(audit_lines(60))))
        loop.exercised(Source.KUBERNETES_AUDIT, "", exercises, NOW)
        for reference in sorted(TOLD_BY_LOGS):
            loop.set_mode(AGENT, Mode.DETECT, force=True, by="bench", now=NOW, reference=reference)
        number = BATCH * rounds // share
        events = list(AuditReader().read(io.BytesIO(audit_lines(number + 60))))[60:]
        batches = [events[at : at + BATCH] for at in range(0, number, BATCH)]
        took = [
            seconds(lambda some=some: loop.exercised(Source.KUBERNETES_AUDIT, "", some, NOW)) / len(some) * 1e6  # type: ignore[misc]
            for some in batches
        ]
        yield Measured("an audit event judged, with its commit", Figure.of(took), 50, "µs")
        store.close()


def _drain(items: Iterator[object]) -> None:
    for _ in items:
        pass


def main() -> int:
    """Measure and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="a tenth of the work: shows that it runs, not the figure")
    given = parser.parse_args()
    rounds, share = (2, 10) if given.short else (given.rounds, 1)
    missed = [measured.print() for measured in figures(rounds, share)]
    return 1 if any(missed) and not given.short else 0


if __name__ == "__main__":
    sys.exit(main())
