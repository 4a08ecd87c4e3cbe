"""Kubernetes' objects, read strictly where it matters: a role that is half understood would be another role. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controlplane.sources.fields import (
    Body,
    MalformedObjectError,
    bodies,
    created,
    mapping,
    name,
    namespace,
    selector,
    strings,
    strings_of,
    text,
)
from controlplane.sources.manifests import note, objects_in
from controlplane.sources.rbac.objects import (
    AWS_ROLE,
    AZURE_CLIENT,
    POD_IDENTITY,
    Account,
    Binding,
    Kinds,
    Object,
    Objects,
    Owner,
    Role,
    Rule,
    Runner,
    Subject,
)

_RBAC = "rbac.authorization.k8s.io/"
_TEMPLATED = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"}
_AZURE_USE = "azure.workload.identity/use"
_OWN_AUDIENCES = ("https://kubernetes.default.svc", "kubernetes.default.svc")
"""How the API server's own audience begins, where it is said at all."""

_POD_IDENTITY_AGENTS = ("http://169.254.170.23/", "http://[fd00:ec2::23]/")


def read_objects(files: Iterable[tuple[str, bytes]]) -> Objects:
    """What is in `files`, which are (name, content). What cannot be understood is told in `faults`."""
    read: list[Object] = []
    faults: list[str] = []
    for file, body in objects_in(files, faults):
        try:
            each = object_of(body)
        except MalformedObjectError as fault:
            note(faults, f"{file}: {fault}")
            continue
        if each is not None:
            read.append(each)
    return objects_of(read, faults)


def objects_of(read: Iterable[Object], faults: Iterable[str] = ()) -> Objects:
    """Sorted by what they are."""
    every = tuple(read)
    return Objects(
        tuple(each for each in every if isinstance(each, Role)),
        tuple(each for each in every if isinstance(each, Binding)),
        tuple(each for each in every if isinstance(each, Account)),
        tuple(each for each in every if isinstance(each, Runner)),
        tuple(each for each in every if isinstance(each, Kinds)),
        tuple(faults),
    )


def object_of(body: Body) -> Object | None:
    """What it is of ours; None where it is something else.

    Raises:
        MalformedObjectError: it is not what its kind says.
    """
    kind, version = text(body, "kind"), text(body, "apiVersion")
    if kind in ("Role", "ClusterRole") and version.startswith(_RBAC):
        return _role(body, kind)
    if kind in ("RoleBinding", "ClusterRoleBinding") and version.startswith(_RBAC):
        return _binding(body, kind)
    if kind == "ServiceAccount":
        meta = mapping(body, "metadata")
        return Account(namespace(meta), name(meta), strings_of(meta, "annotations"), created(meta))
    if kind in _TEMPLATED:
        return _runner(body, kind, mapping(mapping(body, "spec"), "template"))
    if kind == "CronJob":
        job = mapping(mapping(mapping(body, "spec"), "jobTemplate"), "spec")
        return _runner(body, kind, mapping(job, "template"))
    if kind == "Pod":
        return _runner(body, kind, body)
    if kind == "APIResourceList":
        return _kinds(body)
    return None


def _role(body: Body, kind: str) -> Role:
    meta = mapping(body, "metadata")
    aggregation = mapping(body, "aggregationRule")
    return Role(
        name(meta),
        namespace(meta) if kind == "Role" else "",
        tuple(_rule(rule) for rule in bodies(body, "rules")),
        created(meta),
        strings_of(meta, "labels"),
        tuple(selector(each) for each in bodies(aggregation, "clusterRoleSelectors")),
        stored=bool(text(meta, "resourceVersion")),
    )


def _rule(rule: Body) -> Rule:
    return Rule(
        strings(rule, "verbs"),
        strings(rule, "apiGroups"),
        strings(rule, "resources"),
        strings(rule, "resourceNames"),
        strings(rule, "nonResourceURLs"),
    )


def _binding(body: Body, kind: str) -> Binding:
    meta, ref = mapping(body, "metadata"), mapping(body, "roleRef")
    where = namespace(meta) if kind == "RoleBinding" else ""
    role_kind = text(ref, "kind")
    if role_kind not in ("Role", "ClusterRole") or (role_kind == "Role" and not where):
        raise MalformedObjectError(f"{kind} {name(meta)} refers to {role_kind or 'nothing'}, which cannot be bound so")
    role_namespace = where if role_kind == "Role" else ""
    subjects = tuple(_subject(subject) for subject in bodies(body, "subjects"))
    return Binding(name(meta), where, text(ref, "name"), role_namespace, subjects, created(meta))


def _subject(subject: Body) -> Subject:
    return Subject(text(subject, "kind"), text(subject, "name"), text(subject, "namespace"))


def _runner(body: Body, kind: str, template: Body) -> Runner:
    meta, spec = mapping(body, "metadata"), mapping(template, "spec")
    labels = strings_of(mapping(template, "metadata"), "labels")
    return Runner(
        kind,
        namespace(meta),
        name(meta),
        text(spec, "serviceAccountName") or text(spec, "serviceAccount") or "default",
        _owner(meta),
        labels.get("pod-template-hash", ""),
        tuple(dict.fromkeys(_audiences(spec))),
        tuple(dict.fromkeys(_exchanged(spec))),
        labels.get(_AZURE_USE) == "true",
        created(meta),
    )


def _owner(meta: Body) -> Owner | None:
    for each in bodies(meta, "ownerReferences"):
        if each.get("controller") is True:
            return Owner(text(each, "kind"), text(each, "name"))
    return None


def _audiences(spec: Body) -> Iterator[str]:
    """Of tokens that somebody else than the API server is to accept."""
    for volume in bodies(spec, "volumes"):
        for source in bodies(mapping(volume, "projected"), "sources"):
            audience = text(mapping(source, "serviceAccountToken"), "audience")
            if audience and not audience.startswith(_OWN_AUDIENCES):
                yield audience


def _exchanged(spec: Body) -> Iterator[tuple[str, str]]:
    """Cloud roles that the containers' environment names, with the variable that does. A value that comes from
    elsewhere (`valueFrom`) is not known here.
    """
    for container in (*bodies(spec, "initContainers"), *bodies(spec, "containers")):
        said = {text(each, "name"): text(each, "value") for each in bodies(container, "env")}
        if role := said.get(AWS_ROLE):
            yield AWS_ROLE, role
        if (client := said.get(AZURE_CLIENT)) and said.get("AZURE_FEDERATED_TOKEN_FILE"):
            yield AZURE_CLIENT, client
        if said.get(POD_IDENTITY, "").startswith(_POD_IDENTITY_AGENTS):
            yield POD_IDENTITY, ""


def _kinds(body: Body) -> Kinds:
    """A document of discovery. It has no metadata."""
    group, _, _ = text(body, "groupVersion").rpartition("/")
    verbs = {text(each, "name"): strings(each, "verbs") for each in bodies(body, "resources")}
    return Kinds(group, verbs)
