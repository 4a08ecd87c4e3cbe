"""Who runs as whom, what a service account is exchanged for, and whose a pod is. Pure.

What a workload's template says comes first; what only its pods say, as webhooks change them when they are made, comes
beside it. A revision that nothing runs of any more (an old replica set) says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from controlplane.sources.rbac.objects import AWS_ROLE, AZURE_CLIENT, POD_IDENTITY, Account, Objects, Runner
from inscope.grant import Link, LinkKind
from inscope.workload import InvalidWorkloadError, Workload

AWS, GOOGLE, AZURE = "eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id"
_PREFIX = {AWS: "", GOOGLE: "gcp:", AZURE: "azure:"}
"""The annotations by which a service account names a cloud's role, and what tells those apart that are no ARN."""

POD_IDENTITY_AUDIENCE = "pods.eks.amazonaws.com"
"""Whom EKS Pod Identity's agent shows a pod's token to. Which role it gets is said by AWS alone."""

_EXCHANGES = {AWS_ROLE: "", AZURE_CLIENT: "azure:", POD_IDENTITY: f"audience:{POD_IDENTITY_AUDIENCE}"}

Owners = Mapping[tuple[str, str, str], Runner]
"""What was read, by namespace, kind and name."""


def links_of(objects: Objects, cluster: str) -> Iterator[Link]:
    """All of them, each once."""
    owners = {(each.namespace, each.kind, each.name): each for each in objects.runners}
    told: dict[tuple[str, str, str], None] = {}
    pods: dict[tuple[str, str, str], Link] = {}
    for runner in objects.runners:
        workload = workload_of(runner, owners, cluster)
        if workload is None:
            continue
        if runner.kind == "Pod":
            yield Link(LinkKind.OWNS, str(workload), f"{runner.namespace}/{runner.name}", "ownerReferences of the pod")
        if runner.kind == "Pod" and runner.owner is not None:
            for link in _identities(runner, workload, f"the pods of {workload}"):
                first = pods.setdefault(_edge(link), link)
                if link.since < first.since:
                    pods[_edge(link)] = link
        elif runner.owner is None or _top(runner, owners).owner is not None:  # or its owner was not read
            for link in _identities(runner, workload, f"{runner.kind} {runner.namespace}/{runner.name}"):
                told[_edge(link)] = None
                yield link
    yield from (link for edge, link in pods.items() if edge not in told)
    asking = {(each.namespace, each.account) for each in objects.runners if each.azure}
    for account in objects.accounts:
        yield from _federations(account, asking)


def workload_of(runner: Runner, owners: Owners, cluster: str) -> Workload | None:
    """Whom it belongs to: what owns what owns it, where that is known; None where its name is none of a workload's."""
    top = _top(runner, owners)
    if top.owner is not None:
        return _named(top.namespace, *_unhashed(top.owner.kind, top.owner.name, top.template_hash), cluster)
    return _named(top.namespace, top.kind, top.name, cluster)


def _top(runner: Runner, owners: Owners) -> Runner:
    """The outermost that was read."""
    for _ in range(4):  # pod, replica set, deployment; pod, job, cron job
        owner = runner.owner
        known = owners.get((runner.namespace, owner.kind, owner.name)) if owner else None
        if known is None:
            break
        runner = known
    return runner


def _unhashed(kind: str, name: str, template_hash: str) -> tuple[str, str]:
    """A replica set that a template made is a deployment's."""
    if kind == "ReplicaSet" and template_hash and name.endswith(f"-{template_hash}"):
        return "Deployment", name.removesuffix(f"-{template_hash}")
    return kind, name


def _identities(runner: Runner, workload: Workload, where: str) -> Iterator[Link]:
    """Whom it runs as, and what that is exchanged for. `where` says whose specification it is."""
    account = f"system:serviceaccount:{runner.namespace}:{runner.account}"
    yield Link(LinkKind.RUNS_AS, str(workload), account, f"serviceAccountName of {where}", runner.created)
    federates = Link(LinkKind.FEDERATES, account, "", "", runner.created)
    for variable, role in runner.exchanged:
        yield replace(
            federates, target=f"{_EXCHANGES[variable]}{role}", via=f"{variable} in the environment of {where}"
        )
    for audience in runner.audiences:
        yield replace(federates, target=f"audience:{audience}", via=f"projected token in {where}")


def _federations(account: Account, asking: Iterable[tuple[str, str]]) -> Iterator[Link]:
    where = f"of ServiceAccount {account.namespace}/{account.name}"
    for name, prefix in _PREFIX.items():
        if target := account.annotations.get(name):
            unasked = name == AZURE and (account.namespace, account.name) not in asking
            via = f"annotation {name} {where}{', which no pod known asks for by its label' if unasked else ''}"
            yield Link(LinkKind.FEDERATES, account.principal, f"{prefix}{target}", via, account.created)


def _edge(link: Link) -> tuple[str, str, str]:
    return link.kind, link.source, link.target


def _named(namespace: str, kind: str, name: str, cluster: str) -> Workload | None:
    try:
        return Workload(namespace, kind, name, cluster)
    except InvalidWorkloadError:
        return None
