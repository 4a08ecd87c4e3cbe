"""NetworkPolicies and namespaces out of manifests. Pure. What is not understood of a policy is left undecided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from controlplane.sources.fields import (
    Body,
    MalformedObjectError,
    bodies,
    mapping,
    name,
    namespace,
    selector,
    strings,
    strings_of,
    text,
)
from controlplane.sources.manifests import note, objects_in
from controlplane.sources.networkpolicy.egress import NAME_LABEL, Network
from controlplane.sources.networkpolicy.policy import Block, Pods, Policy, Ports, Range, Rule

_GROUPS = ("networking.k8s.io/", "extensions/")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def read_network(files: Iterable[tuple[str, bytes]], inside: Iterable[Range] = ()) -> Network:
    """What is in `files`, which are (name, content). `inside` are the ranges of the cluster's pods and services."""
    policies: list[Policy] = []
    namespaces: dict[str, dict[str, str]] = {}
    faults: list[str] = []
    for file, body in objects_in(files, faults):
        try:
            kind, version = text(body, "kind"), text(body, "apiVersion")
            if kind == "Namespace":
                meta = mapping(body, "metadata")
                labels = strings_of(meta, "labels")
                if not text(meta, "resourceVersion"):  # the API server adds it, since 1.21
                    labels.setdefault(NAME_LABEL, name(meta))
                namespaces[name(meta)] = labels
            elif kind == "NetworkPolicy" and version.startswith(_GROUPS):
                policies += _policy(body, file, faults)
            elif kind.endswith(("NetworkPolicy", "NetworkPolicies")):
                note(faults, f"{file}: {kind} of {version} is not read: what it restricts or allows is not known")
        except MalformedObjectError as fault:
            note(faults, f"{file}: {fault}")
    return Network(tuple(policies), namespaces, tuple(inside), tuple(faults))


def _policy(body: Body, file: str, faults: list[str]) -> Iterator[Policy]:
    """Where it restricts egress."""
    meta = mapping(body, "metadata")
    where, called = namespace(meta), name(meta)
    try:
        spec = mapping(body, "spec")
        rules = tuple(_rule(each) for each in bodies(spec, "egress"))
        types = strings(spec, "policyTypes")
        if "Egress" in types or (not types and rules):
            yield Policy(where, called, selector(mapping(spec, "podSelector")), rules)
    except MalformedObjectError as fault:
        note(faults, f"{file}: NetworkPolicy {where}/{called}: {fault}")
        yield Policy(where, called, understood=False)


def _rule(body: Body) -> Rule:
    return Rule(
        tuple(_peer(each) for each in bodies(body, "to")), tuple(_ports(each) for each in bodies(body, "ports"))
    )


def _peer(body: Body) -> Block | Pods:
    block = body.get("ipBlock")
    pods, namespaces = body.get("podSelector"), body.get("namespaceSelector")
    if (block is None) == (pods is None and namespaces is None):
        raise MalformedObjectError("a peer that is neither a block nor pods, or is both")
    if block is not None:
        said = mapping(body, "ipBlock")
        return Block(_range(text(said, "cidr")), tuple(_range(each) for each in strings(said, "except")))
    return Pods(selector(pods) if pods is not None else (), selector(namespaces) if namespaces is not None else None)


def _range(said: str) -> Range:
    try:
        return ip_network(said, strict=False)
    except ValueError as fault:
        raise MalformedObjectError(f"{said!r} is no range of addresses") from fault


def _ports(body: Body) -> Ports:
    protocol = text(body, "protocol") or "TCP"
    if protocol not in _PROTOCOLS:
        raise MalformedObjectError(f"{protocol} is no protocol of a NetworkPolicy")
    port, end = body.get("port"), body.get("endPort")
    if port is None and end is None:
        return Ports(protocol)
    if isinstance(port, str) and port and end is None:
        return Ports(protocol, name=text(body, "port"))
    first = _number(port)
    last = first if end is None else _number(end)
    if first > last:
        raise MalformedObjectError(f"no port is from {first} to {last}")
    return Ports(protocol, first, last)


def _number(said: object) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= 65_535:
        raise MalformedObjectError(f"{said!r} is no port")
    return said
