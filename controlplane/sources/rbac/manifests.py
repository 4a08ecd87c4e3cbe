"""Manifests as objects: YAML of several documents, JSON, and Lists of either. Bounded, and strict where it matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import yaml

from controlplane.sources.rbac.objects import (
    Account,
    Binding,
    Objects,
    Owner,
    Requirement,
    Role,
    Rule,
    Runner,
    Selector,
    Subject,
)
from inscope.text import printable

MAX_OBJECTS = 500_000
MAX_FAULTS = 1_000
MAX_DEPTH = 64
MAX_ITEMS = 100_000
"""Elements of one list within an object."""

_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RBAC = "rbac.authorization.k8s.io/"
_TEMPLATED = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"}

Body = Mapping[str, Any]


class MalformedObjectError(ValueError):
    """An object is not what its kind says. The message says where."""


class _Loader(_SAFE):  # type: ignore[misc, valid-type]  # the C loader where PyYAML has it
    """A safe loader to which a date is the text that it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _SAFE.yaml_implicit_resolvers.items()
}


def read_objects(files: Iterable[tuple[str, bytes]]) -> Objects:
    """What is in `files`, which are (name, content). What cannot be understood is told in `faults`."""
    roles: list[Role] = []
    bindings: list[Binding] = []
    accounts: list[Account] = []
    runners: list[Runner] = []
    faults: list[str] = []
    for number, (name, body) in enumerate(_bodies(files, faults)):
        if number >= MAX_OBJECTS:
            faults.append(f"{name}: more than {MAX_OBJECTS:,} objects: the rest is left out")
            break
        try:
            match _object(body):
                case Role() as role:
                    roles.append(role)
                case Binding() as binding:
                    bindings.append(binding)
                case Account() as account:
                    accounts.append(account)
                case Runner() as runner:
                    runners.append(runner)
        except MalformedObjectError as fault:
            _note(faults, f"{name}: {fault}")
    return Objects(tuple(roles), tuple(bindings), tuple(accounts), tuple(runners), tuple(faults))


def _bodies(files: Iterable[tuple[str, bytes]], faults: list[str]) -> Iterator[tuple[str, Body]]:
    for name, content in files:
        try:
            for document in _documents(content):
                for body in _listed(document):
                    yield name, body
        except (yaml.YAMLError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as fault:
            _note(faults, f"{name}: {' '.join(str(fault).split())}")


def _documents(content: bytes) -> Iterator[Any]:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        yield msgspec.json.decode(content)
        return
    _refuse_bombs(content)
    yield from yaml.load_all(content, Loader=_Loader)


def _refuse_bombs(content: bytes) -> None:
    """A few lines of aliases are gigabytes when they are written out, and Kubernetes' own tools write none."""
    depth = 0
    for event in yaml.parse(content, Loader=_SAFE):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read: write them out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")


def _listed(document: Any) -> Iterator[Body]:
    if isinstance(document, list):
        for item in document:
            yield from _listed(item)
    elif isinstance(document, Mapping):
        items = document.get("items")
        if isinstance(items, list) and str(document.get("kind", "")).endswith("List"):
            kind = str(document["kind"]).removesuffix("List")
            for item in items:
                if isinstance(item, Mapping):  # the API leaves kind out of a list's items
                    yield {"kind": kind, "apiVersion": document.get("apiVersion", ""), **item}
        else:
            yield document
    elif document is not None:
        raise ValueError("a document that is no object")


def _object(body: Body) -> Role | Binding | Account | Runner | None:
    kind, version = _text(body, "kind"), _text(body, "apiVersion")
    if kind in ("Role", "ClusterRole") and version.startswith(_RBAC):
        return _role(body, kind)
    if kind in ("RoleBinding", "ClusterRoleBinding") and version.startswith(_RBAC):
        return _binding(body, kind)
    if kind == "ServiceAccount":
        meta = _mapping(body, "metadata")
        return Account(_namespace(meta), _name(meta), _strings_of(meta, "annotations"), _created(meta))
    if kind in _TEMPLATED:
        return _runner(body, kind, _mapping(_mapping(_mapping(body, "spec"), "template"), "spec"))
    if kind == "CronJob":
        job = _mapping(_mapping(_mapping(body, "spec"), "jobTemplate"), "spec")
        return _runner(body, kind, _mapping(_mapping(job, "template"), "spec"))
    if kind == "Pod":
        return _runner(body, kind, _mapping(body, "spec"))
    return None


def _role(body: Body, kind: str) -> Role:
    meta = _mapping(body, "metadata")
    aggregation = _mapping(body, "aggregationRule")
    return Role(
        _name(meta),
        _namespace(meta) if kind == "Role" else "",
        tuple(_rule(rule) for rule in _list(body, "rules")),
        _created(meta),
        _strings_of(meta, "labels"),
        tuple(_selector(selector) for selector in _list(aggregation, "clusterRoleSelectors")),
    )


def _rule(rule: Any) -> Rule:
    if not isinstance(rule, Mapping):
        raise MalformedObjectError("a rule that is no object")
    return Rule(
        _strings(rule, "verbs"),
        _strings(rule, "apiGroups"),
        _strings(rule, "resources"),
        _strings(rule, "resourceNames"),
        _strings(rule, "nonResourceURLs"),
    )


def _selector(selector: Any) -> Selector:
    if not isinstance(selector, Mapping):
        raise MalformedObjectError("a selector that is no object")
    labels = [Requirement(key, "In", (value,)) for key, value in _strings_of(selector, "matchLabels").items()]
    for each in _list(selector, "matchExpressions"):
        if not isinstance(each, Mapping) or _text(each, "operator") not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise MalformedObjectError("a selector's expression without a known operator")
        labels.append(Requirement(_text(each, "key"), _text(each, "operator"), _strings(each, "values")))
    return tuple(labels)


def _binding(body: Body, kind: str) -> Binding:
    meta, ref = _mapping(body, "metadata"), _mapping(body, "roleRef")
    namespace = _namespace(meta) if kind == "RoleBinding" else ""
    role_kind = _text(ref, "kind")
    if role_kind not in ("Role", "ClusterRole") or (role_kind == "Role" and not namespace):
        raise MalformedObjectError(f"{kind} {_name(meta)} refers to {role_kind or 'nothing'}, which cannot be bound so")
    role_namespace = namespace if role_kind == "Role" else ""
    subjects = tuple(_subject(subject) for subject in _list(body, "subjects"))
    return Binding(_name(meta), namespace, _text(ref, "name"), role_namespace, subjects, _created(meta))


def _subject(subject: Any) -> Subject:
    if not isinstance(subject, Mapping):
        raise MalformedObjectError("a subject that is no object")
    return Subject(_text(subject, "kind"), _text(subject, "name"), _text(subject, "namespace"))


def _runner(body: Body, kind: str, spec: Body) -> Runner:
    meta = _mapping(body, "metadata")
    account = _text(spec, "serviceAccountName") or _text(spec, "serviceAccount") or "default"
    hashes = _strings_of(meta, "labels").get("pod-template-hash", "")
    return Runner(
        kind,
        _namespace(meta),
        _name(meta),
        account,
        _owner(meta),
        hashes,
        tuple(_audiences(spec)),
        tuple(_roles(spec)),
        _created(meta),
    )


def _owner(meta: Body) -> Owner | None:
    for each in _list(meta, "ownerReferences"):
        if isinstance(each, Mapping) and each.get("controller") is True:
            return Owner(_text(each, "kind"), _text(each, "name"))
    return None


def _audiences(spec: Body) -> Iterator[str]:
    """Tokens that somebody else than the API server is to accept."""
    for volume in _list(spec, "volumes"):
        projected = _mapping(volume, "projected") if isinstance(volume, Mapping) else {}
        for source in _list(projected, "sources"):
            token = _mapping(source, "serviceAccountToken") if isinstance(source, Mapping) else {}
            if audience := _text(token, "audience"):
                yield audience


def _roles(spec: Body) -> Iterator[str]:
    """Cloud roles that the containers' environment names."""
    for container in (*_list(spec, "initContainers"), *_list(spec, "containers")):
        for variable in _list(container, "env") if isinstance(container, Mapping) else ():
            if isinstance(variable, Mapping) and variable.get("name") == "AWS_ROLE_ARN":
                yield _text(variable, "value")


def _mapping(body: Body, key: str) -> Body:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedObjectError(f"{key} is no object")
    return value


def _list(body: Body, key: str) -> list[Any]:
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise MalformedObjectError(f"{key} is no list, or has more than {MAX_ITEMS:,} elements")
    return value


def _text(body: Body, key: str) -> str:
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedObjectError(f"{key} is no text")
    return printable(value[:1_024])


def _strings(body: Body, key: str) -> tuple[str, ...]:
    values = _list(body, key)
    if not all(isinstance(value, str) for value in values):
        raise MalformedObjectError(f"{key} has something else than text in it")
    return tuple(printable(value[:1_024]) for value in values)


def _strings_of(body: Body, key: str) -> dict[str, str]:
    return {str(name): printable(str(value)[:1_024]) for name, value in _mapping(body, key).items()}


def _name(meta: Body) -> str:
    name = _text(meta, "name")
    if not name:
        raise MalformedObjectError("an object without a name")
    return name


def _namespace(meta: Body) -> str:
    return _text(meta, "namespace") or "default"


def _created(meta: Body) -> float:
    stamp = _text(meta, "creationTimestamp")
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp() if stamp else 0.0
    except ValueError:
        return 0.0


def _note(faults: list[str], fault: str) -> None:
    if len(faults) < MAX_FAULTS:
        faults.append(printable(fault[:500]))
