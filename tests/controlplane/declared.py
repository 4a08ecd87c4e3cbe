"""A workload whose identities somebody else declares: grants, links, days of a log. What tests begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from controlplane.loop import Loop
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.coverage import Source
from inscope.exercise import Exercise, Identity, LogCoverage
from inscope.grant import Declaration, Grant, Link, LinkKind
from inscope.permission import Authority, Level, Permission
from tests.controlplane.acts import AGENT, DAY, T0

ACCOUNT = "system:serviceaccount:analytics:agent"
ROLE = "arn:aws:iam::123456789012:role/agent"
WHO = Identity(Authority.KUBERNETES, ACCOUNT, credential="JTI=1", address="10.42.7.9", client="kubernetes-client")
RBAC = "rbac.authorization.k8s.io"


def kubernetes(service: str, action: str, resource: str, scope: str = "analytics") -> Permission:
    return Permission(Authority.KUBERNETES, service, action, resource, scope)


READ_PODS = kubernetes("core", "get", "pods")
LIST_PODS = kubernetes("core", "list", "pods")
CREATE_BINDINGS = kubernetes(RBAC, "create", "rolebindings")
REVIEW = kubernetes("authorization.k8s.io", "create", "selfsubjectaccessreviews", "")

READER = Grant(
    Authority.KUBERNETES, ACCOUNT, ("RoleBinding analytics/agent", "Role analytics/reader"), "core", Level.READ,
    (READ_PODS, kubernetes("core", "get", "secrets")), 2, since=T0 - 200 * DAY, weight=("reads every secret",),
)  # fmt: skip
BINDER = Grant(
    Authority.KUBERNETES, ACCOUNT, ("ClusterRoleBinding agents", "ClusterRole binder"), RBAC, Level.PERMISSIONS,
    (kubernetes(RBAC, "*", "rolebindings", "*"),), -1, since=T0 - 200 * DAY,
)  # fmt: skip
EVERYBODY = Grant(
    Authority.KUBERNETES, ACCOUNT, ("ClusterRoleBinding system:basic-user", "ClusterRole system:basic-user"),
    "authorization.k8s.io", Level.WRITE, (REVIEW,), 1, since=T0 - 200 * DAY, inherited="group system:authenticated",
)  # fmt: skip
RUNS_AS = Link(LinkKind.RUNS_AS, str(AGENT), ACCOUNT, "serviceAccountName of the pod template")
FEDERATES = Link(LinkKind.FEDERATES, ACCOUNT, ROLE, "annotation eks.amazonaws.com/role-arn of ServiceAccount agent")
DECLARED = Declaration(Authority.KUBERNETES, "", T0, (READER, BINDER, EVERYBODY), (RUNS_AS, FEDERATES))
TRACKED = 34 * DAY
AUDITED = LogCoverage(
    Source.KUBERNETES_AUDIT, "", T0 - TRACKED, T0, 1_000,
    frozenset({("core", Level.READ), ("core", Level.WRITE), ("core", Level.PERMISSIONS)}), {},
)  # fmt: skip
TRAILED = LogCoverage(Source.CLOUDTRAIL, "123456789012", T0 - TRACKED, T0, 10, frozenset(), {})


def exercise(
    number: int,
    time: float,
    permission: Permission = READ_PODS,
    outcome: Outcome = Outcome.ALLOWED,
    who: Identity = WHO,
) -> Exercise:
    use = PermissionUse(permission, who.principal, outcome, "ClusterRoleBinding agents")
    return Exercise(f"event-{number}", time, who, use)


def assumption(number: int, time: float, issued: str = "") -> Exercise:
    """The service account took on the role that it is annotated with."""
    who = Identity(Authority.AWS, ACCOUNT)
    return Exercise(
        f"assume-{number}", time, who, RoleAssumption(ROLE, ACCOUNT, Means.WEB_IDENTITY, Outcome.ALLOWED), issued
    )


def history(days: int = 34) -> list[Exercise]:
    """The agent reads a pod each day."""
    return [exercise(day, T0 - day * DAY - 60.0) for day in range(days, 0, -1)]


def declare(loop: Loop, exercises: Iterable[Exercise] = (), now: float = T0) -> None:
    """Somebody imports what is granted, and replays the log."""
    loop.declare(replace(DECLARED, taken_at=now), now)
    loop.exercised(Source.KUBERNETES_AUDIT, "", list(exercises) or history(), now)
    loop.covered(AUDITED, now)
    loop.covered(TRAILED, now)
