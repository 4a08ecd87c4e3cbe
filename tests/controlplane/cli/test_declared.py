"""`import`, `replay`, `gap` and `chain` as a person types them, on a control plane of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.controlplane.sources.rbac.test_declaration import MANIFESTS
from tests.e2e.conftest import an_installation
from tests.e2e.installation import Installation

AGENT = "analytics/Deployment/agent"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    with an_installation() as installation:
        yield installation


def event(number: int, time: datetime, verb: str = "get", resource: str = "pods", group: str = "") -> str:
    """A line of an audit log."""
    return json.dumps(
        {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": f"id-{number}", "stage": "ResponseComplete",
            "verb": verb, "user": {"username": "system:serviceaccount:analytics:agent"},
            "sourceIPs": ["10.42.1.7"], "userAgent": "agent/1.0",
            "objectRef": {"resource": resource, "namespace": "analytics", "apiGroup": group},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": time.isoformat().replace("+00:00", "Z"),
        }
    )  # fmt: skip


def history(path: Path) -> Path:
    lines = [event(day, NOW - timedelta(days=day)) for day in range(90, 0, -1)]
    path.write_text("\n".join(lines))
    return path


def test_ninety_days_of_history_arm_the_gap_within_the_hour(installed: Installation, tmp_path: Path) -> None:
    manifests = tmp_path / "cluster.yaml"
    manifests.write_bytes(MANIFESTS)
    said = installed.inscope("import", "rbac", str(manifests))
    assert "who runs as them: analytics/Deployment/agent" in said.stdout
    log = history(tmp_path / "audit.log")
    (first,) = installed.ask("replay", "audit", str(log))
    (second,) = installed.ask("replay", "audit", str(log))
    assert (first["taken"], second["taken"], second["duplicates"]) == (90, 0, 90)
    moved = installed.inscope("mode", AGENT, "detect", "--reference", "permission-gap")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    (shown,) = installed.ask("show", AGENT)
    assert (shown["mode"], shown["apart"], shown["log_days"]) == ("observe", {"permission-gap": "detect"}, 90)

    crossing = tmp_path / "now.log"
    crossing.write_text(event(900, datetime.now(UTC), "create", "rolebindings", "rbac.authorization.k8s.io"))
    told = installed.inscope("replay", "audit", str(crossing))
    assert "AL-1  agent exercised `create rolebindings.rbac.authorization.k8s.io in analytics`" in told.stdout
    (alert,) = installed.ask("alerts", AGENT)
    assert alert["agent"]["service_account"] == "system:serviceaccount:analytics:agent"
    assert alert["crossed"][0]["finding"].startswith("PG-")


def test_gap_and_chain_read_as_tables(installed: Installation) -> None:
    gap = installed.inscope("gap", AGENT).stdout
    assert "RoleBinding analytics/agents → ClusterRole binder" in gap
    assert "kubernetes-audit" in gap
    chain = installed.inscope("chain", AGENT).stdout
    assert "└ runs as system:serviceaccount:analytics:agent" in chain
    assert "└ is exchanged for arn:aws:iam::123456789012:role/agent" in chain
    assert "never observed" in chain


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("replay", "audit", "EMPTY"), 1, "it is empty"),
        (("replay", "audit", "NOISE"), 1, "no event of such a log (audit)"),
        (("replay", "audit", "/nonexistent"), 2, "cannot be read"),
        (("import", "rbac", "NOISE"), 2, "nothing to import"),
        (("import", "iam", "NOISE"), 2, "nothing to import"),
        (("gap", "no/Such/workload"), 3, "no workload no/Such/workload is known"),
        (("mode", AGENT, "detect", "--reference", "envelope"), 2, "invalid choice"),
    ],
)
def test_what_cannot_be_done_says_why(
    installed: Installation, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "EMPTY").write_bytes(b"")
    (tmp_path / "NOISE").write_bytes(b'{"hello": "world"}\n')
    named = [str(tmp_path / word) if word.isupper() else word for word in words]
    done = installed.inscope(*named)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
