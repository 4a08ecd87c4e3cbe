"""RBAC as the API server decides it: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac and its helpers. Pure.

It only ever allows: what no rule allows is not allowed. A name that a rule restricts matches no request without one,
which is why `resourceNames` restrict neither `create` nor `list` nor `deletecollection` of a kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from controlplane.sources.rbac.aggregation import aggregated
from controlplane.sources.rbac.objects import GROUP, SERVICE_ACCOUNT, USER, Binding, Objects, Role, Rule, Subject

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ACCOUNTS = "system:serviceaccounts"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as authenticated."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. A path alone is a request for something that is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """By which binding and role something is held. `through` is the group that the binding names; empty: by name."""

    binding: Binding
    role: Role
    through: str = ""


def service_account(namespace: str, name: str) -> Asker:
    """A service account, with the groups that each is in."""
    groups = (ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED)
    return Asker(f"system:serviceaccount:{namespace}:{name}", groups)


class Rbac:
    """The objects of one cluster, indexed."""

    def __init__(self, objects: Objects) -> None:
        self._roles = {(role.namespace, role.name): role for role in aggregated(objects.roles)}
        self._bindings: defaultdict[Subject, list[Binding]] = defaultdict(list)
        for binding in objects.bindings:
            named_in = (_canonical(subject, binding) for subject in binding.subjects)
            for subject in dict.fromkeys(filter(None, named_in)):
                self._bindings[subject].append(binding)

    @property
    def accounts(self) -> set[tuple[str, str]]:
        """(namespace, name) of the service accounts that bindings name."""
        return {(each.namespace, each.name) for each in self._bindings if each.kind == SERVICE_ACCOUNT}

    def paths(self, asker: Asker) -> Iterator[Path]:
        """The bindings that apply to `asker`, each with its role, if there is one."""
        for subject, through in _subjects(asker):
            for binding in self._bindings.get(subject, ()):
                role = self._roles.get((binding.role_namespace, binding.role))
                if role is not None:
                    yield Path(binding, role, through)

    def decide(self, asker: Asker, request: Request) -> Path | None:
        """The first path by which it is allowed; None where it is not."""
        for path in self.paths(asker):
            # A binding of a namespace says nothing of what is elsewhere, of no namespace, or no resource.
            local = path.binding.namespace
            if local and (request.path or local != request.namespace):
                continue
            if any(allows(rule, request) for rule in path.role.rules):
                return path
        return None


def allows(rule: Rule, request: Request) -> bool:
    """Whether one rule allows it."""
    if not _among(request.verb, rule.verbs):
        return False
    if request.path:
        return any(_url_matches(url, request.path) for url in rule.urls)
    return (
        _among(request.group, rule.groups)
        and _resource_matches(request, rule.resources)
        and (not rule.names or request.name in rule.names)
    )


def _among(value: str, allowed: Iterable[str]) -> bool:
    return any(each in ("*", value) for each in allowed)


def _resource_matches(request: Request, resources: Iterable[str]) -> bool:
    sub = request.subresource
    whole = f"{request.resource}/{sub}" if sub else request.resource
    return any(each in ("*", whole) or (bool(sub) and each == f"*/{sub}") for each in resources)


def _url_matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern.rstrip("*"))


def _canonical(subject: Subject, binding: Binding) -> Subject | None:
    """What it really names; None where that is nobody."""
    if subject.kind == SERVICE_ACCOUNT:
        namespace = subject.namespace or binding.namespace
        return Subject(SERVICE_ACCOUNT, subject.name, namespace) if namespace else None
    return Subject(subject.kind, subject.name) if subject.kind in (USER, GROUP) else None


def _subjects(asker: Asker) -> Iterator[tuple[Subject, str]]:
    """What bindings may call `asker`, and for a group its name."""
    parts = asker.user.split(":")
    if parts[:2] == ["system", "serviceaccount"] and len(parts) == 4:
        yield Subject(SERVICE_ACCOUNT, parts[3], parts[2]), ""
    yield Subject(USER, asker.user), ""
    for group in asker.groups:
        yield Subject(GROUP, group), group
