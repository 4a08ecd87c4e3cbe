"""An account and its trail, as a person imports and replays them: an act is whose the credential was given to."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.sources.cloudtrail.test_reader import TAGS, by_pod_identity, event
from tests.controlplane.sources.iam.test_declaration import ROLE, details
from tests.controlplane.sources.iam.test_evaluator import allow, document
from tests.controlplane.sources.rbac.test_declaration import MANIFESTS
from tests.e2e.conftest import an_installation
from tests.e2e.installation import Installation

POD_IDENTITY = document(
    {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole"]}
)
AGENT = "analytics/Deployment/agent"


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    with an_installation() as installation:
        yield installation


def stored(path: Path, *events: dict[str, Any]) -> str:
    path.write_bytes(gzip.compress(json.dumps({"Records": events}).encode()))
    return str(path)


def test_an_act_counts_for_whom_the_credential_was_given_to(installed: Installation, tmp_path: Path) -> None:
    manifests = tmp_path / "cluster.yaml"
    manifests.write_bytes(MANIFESTS)
    installed.ask("import", "rbac", str(manifests))
    account, association = tmp_path / "account.json", tmp_path / "association.json"
    account.write_text(json.dumps(details(allow(["s3:GetObject", "iam:PassRole"]), trust=POD_IDENTITY)))
    named = {"clusterName": "prod", "namespace": "analytics", "serviceAccount": "agent", "roleArn": ROLE}
    association.write_text(json.dumps({"association": named}))
    (imported,) = installed.ask("import", "iam", str(account), str(association))
    assert (imported["grants"], imported["links"]) == (2, 1)

    pod = {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/agent/eks-prod-agent-0"}
    used = event(
        userIdentity={**pod, "accessKeyId": "ASIAPOD"},
        eventTime="2026-11-20T10:05:00Z",
        eventCategory="Data",
        resources=[{"ARN": "arn:aws:s3:::data/people/anna.csv"}],
    )
    files = [stored(tmp_path / "1.json.gz", used), stored(tmp_path / "2.json.gz", by_pod_identity(*TAGS))]
    (replayed,) = installed.ask("replay", "cloudtrail", *files)
    assert (replayed["events"], replayed["workloads"]) == (2, [AGENT])

    (chain,) = installed.ask("chain", AGENT)
    steps = [(step["kind"], step["target"], step["observed"]) for step in chain["steps"]]
    assert ("federates", ROLE, True) in steps
    (gap,) = installed.ask("gap", AGENT)
    mine = [held for held in gap["held"] if held["authority"] == "aws"]
    by_service = {held["service"]: [len(held["used"]), held["latent"]] for held in mine}
    assert by_service == {"s3": [1, 0], "iam": [0, 1]}
    policy = json.loads(installed.inscope("gap", AGENT, "--emit", "iam").stdout)
    assert [(each["Action"], each["Resource"]) for each in policy["Statement"]] == [
        (["s3:GetObject"], ["arn:aws:s3:::data/*"])
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "iam", "x.json", "--live"), "--live is for iam, instead of files"),
        (("import", "rbac", "--live"), "--live is for iam"),
        (("import", "iam", "/dev/null", "--cluster", "x"), "is not ISSUER=CLUSTER"),
        (("replay", "cloudtrail", "/dev/null", "--cluster", "=x"), "is not ISSUER=CLUSTER"),
    ],
)
def test_what_is_asked_wrongly_is_said(installed: Installation, arguments: tuple[str, ...], said: str) -> None:
    done = installed.inscope(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
