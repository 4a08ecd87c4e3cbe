"""Every decision of ours equals the API server's own, on thousands of generated questions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from random import Random

from controlplane.sources.rbac.manifests import read_objects
from controlplane.sources.rbac.resolver import Rbac
from tests.kube.cluster import Cluster
from tests.kube.generated_rbac import API, NAMESPACES, Question, objects, questions, review

QUESTIONS = 2_400
KINDS = ("clusterroles", "roles", "clusterrolebindings", "rolebindings")


def test_decisions_equal_the_api_servers(cluster: Cluster) -> None:
    random = Random(20)
    for namespace in NAMESPACES:
        cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    parts: list[dict[str, object]] = []
    for path, body in objects(random):
        if "aggregationRule" in body:  # no controller runs here that would write its rules
            body = {**body, "rules": [rule for part in parts for rule in part["rules"]]}  # type: ignore[attr-defined]
        elif body["kind"] == "ClusterRole" and body["metadata"]["labels"]:
            parts.append(body)
        cluster.create(path, body)
    held = [(kind, json.dumps(cluster.ask("GET", f"{API}/{kind}").body).encode()) for kind in KINDS]
    ours = Rbac(read_objects(held))
    asked = questions(random, QUESTIONS)
    with ThreadPoolExecutor(8) as pool:
        theirs = list(pool.map(lambda question: _allowed(cluster, question), asked))
    mine = [ours.decide(question.asker, question.request) is not None for question in asked]
    differing = [(question, one) for question, one, other in zip(asked, mine, theirs, strict=True) if one != other]
    assert differing == []
    assert QUESTIONS / 10 < sum(theirs) < QUESTIONS * 9 / 10, "neither is rare, or equality would say little"


def _allowed(cluster: Cluster, question: Question) -> bool:
    answer = cluster.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review(question))
    return bool(answer.body["status"]["allowed"])
