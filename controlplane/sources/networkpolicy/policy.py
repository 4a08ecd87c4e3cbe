"""A NetworkPolicy's rules of what its pods may reach (networking.k8s.io/v1), as frozen types."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from controlplane.sources.fields import Selector

Range = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses within `range`, but for those within an exception."""

    range: Range
    exceptions: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Pods:
    """Those whose labels `pods` chooses, in the policy's own namespace, or where `namespaces` is given in those that it
    chooses.
    """

    pods: Selector = ()
    namespaces: Selector | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """Of one protocol (`TCP`, `UDP`, `SCTP`), from `first` to `last`; a name, of the pod's own ports; or all of them,
    where there is neither.
    """

    protocol: str
    first: int = 0
    last: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom (nobody in particular: everybody) by which ports (none in particular: all, of every protocol)."""

    peers: tuple[Block | Pods, ...] = ()
    ports: tuple[Ports, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the pods that `selector` chooses may reach. `understood` is false where a part of it was not: it may then
    choose any pod of its namespace, and allow anything.
    """

    namespace: str
    name: str
    selector: Selector = ()
    rules: tuple[Rule, ...] = ()
    understood: bool = True

    def __str__(self) -> str:
        return f"NetworkPolicy {self.namespace}/{self.name}"
