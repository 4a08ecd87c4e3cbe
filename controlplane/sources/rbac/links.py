"""Who runs as whom, what a service account is exchanged for, and whose a pod is. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.sources.rbac.objects import Account, Objects, Runner
from inscope.grant import Link, LinkKind
from inscope.workload import InvalidWorkloadError, Workload

AWS, GOOGLE, AZURE = "eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id"
_PREFIX = {AWS: "", GOOGLE: "gcp:", AZURE: "azure:"}
"""The annotations by which a service account names a cloud's role, and what tells those apart that are no ARN."""


def links_of(objects: Objects, cluster: str) -> Iterator[Link]:
    """All of them."""
    owners = {(each.namespace, each.kind, each.name): each for each in objects.runners}
    for runner in objects.runners:
        workload = workload_of(runner, owners, cluster)
        if workload is None:
            continue
        if runner.kind == "Pod":
            yield Link(LinkKind.OWNS, str(workload), f"{runner.namespace}/{runner.name}", "ownerReferences of the pod")
        if runner.kind != "Pod" or runner.owner is None:
            yield from _identities(runner, workload)
    for account in objects.accounts:
        yield from _federations(account)


def workload_of(runner: Runner, owners: dict[tuple[str, str, str], Runner], cluster: str) -> Workload | None:
    """Whom it belongs to: what owns what owns it, where that is known; None where its name is none of a workload's."""
    for _ in range(4):  # pod, replica set, deployment; pod, job, cron job
        owner = runner.owner
        if owner is None:
            break
        known = owners.get((runner.namespace, owner.kind, owner.name))
        if known is None:
            return _named(runner.namespace, *_unhashed(owner.kind, owner.name, runner.template_hash), cluster)
        runner = known
    return _named(runner.namespace, runner.kind, runner.name, cluster)


def _unhashed(kind: str, name: str, template_hash: str) -> tuple[str, str]:
    """A replica set that a template made is a deployment's."""
    if kind == "ReplicaSet" and template_hash and name.endswith(f"-{template_hash}"):
        return "Deployment", name.removesuffix(f"-{template_hash}")
    return kind, name


def _identities(runner: Runner, workload: Workload) -> Iterator[Link]:
    account = f"system:serviceaccount:{runner.namespace}:{runner.account}"
    template = f"{runner.kind} {runner.namespace}/{runner.name}"
    if runner.owner is None:
        yield Link(LinkKind.RUNS_AS, str(workload), account, f"serviceAccountName of {template}", runner.created)
    for role in runner.roles:
        yield Link(LinkKind.FEDERATES, account, role, f"AWS_ROLE_ARN in the environment of {template}", runner.created)
    for audience in runner.audiences:
        via = f"projected token in {template}"
        yield Link(LinkKind.FEDERATES, account, f"audience:{audience}", via, runner.created)


def _federations(account: Account) -> Iterator[Link]:
    where = f"of ServiceAccount {account.namespace}/{account.name}"
    for name, prefix in _PREFIX.items():
        if target := account.annotations.get(name):
            via = f"annotation {name} {where}"
            yield Link(LinkKind.FEDERATES, account.principal, f"{prefix}{target}", via, account.created)


def _named(namespace: str, kind: str, name: str, cluster: str) -> Workload | None:
    try:
        return Workload(namespace, kind, name, cluster)
    except InvalidWorkloadError:
        return None
