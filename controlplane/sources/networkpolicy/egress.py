"""What a pod may reach, by the policies that choose it. Pure.

A pod that no policy with egress chooses may reach everything; one that some choose, what any of them allows. What the
standard leaves to the network plugin, and what is not known of a destination, is undecidable and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from controlplane.sources.fields import chooses
from controlplane.sources.networkpolicy.policy import Block, Pods, Policy, Ports, Range, Rule

Address = IPv4Address | IPv6Address

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that every namespace has by itself, since 1.21."""

UNRESTRICTED = "no NetworkPolicy restricts what it reaches"


class Answer(Enum):
    """Of a policy about a destination."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Decision:
    """`policies` are those that allow it, else those that might, else those that refuse it; `why` in one sentence."""

    answer: Answer
    policies: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, as its labels and its containers' named ports tell. `ports` is None where they are not known."""

    namespace: str
    labels: Mapping[str, str] = field(hash=False)
    ports: Mapping[str, int] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a connection goes: what is known of it. `protocol` is `TCP`, `UDP`, `SCTP`, or another's name, which no
    policy speaks of. `address` is None where only a name is known, `pod` where it is none or not known which.
    """

    port: int
    protocol: str = "TCP"
    address: Address | None = None
    pod: Pod | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A cluster's policies that restrict egress, and its namespaces' labels. `inside` are the ranges of its pods and
    services, where they are known: an address outside of them is nobody's pod; none known, each that the whole Internet
    may route is taken for outside. `faults` are what was not read, one sentence each.
    """

    policies: tuple[Policy, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    inside: tuple[Range, ...] = ()
    faults: tuple[str, ...] = ()

    def egress_of(self, pod: Pod, host_network: bool = False) -> Egress:
        """What `pod` may reach. To a pod in its node's own network policies need not apply, and often do not."""
        mine = tuple(
            policy
            for policy in self.policies
            if policy.namespace == pod.namespace and (not policy.understood or chooses(policy.selector, pod.labels))
        )
        return Egress(mine, self, host_network)

    def is_outside(self, address: Address) -> bool:
        """Whether it is certainly no pod's and no service's."""
        if self.inside:
            return not any(address in each for each in self.inside)
        return address.is_global


@dataclass(frozen=True, slots=True)
class Egress:
    """The policies that choose a pod."""

    policies: tuple[Policy, ...]
    network: Network
    host_network: bool = False

    @property
    def open_ended(self) -> bool:
        """Whether nothing restricts it."""
        return not self.policies

    def allows(self, destination: Destination) -> Decision:
        """Whether it may be reached."""
        destination = replace(destination, address=_plain(destination.address))
        if destination.address is not None and destination.address.is_loopback:
            return Decision(Answer.ALLOWED, (), "what is the pod's own never leaves it")
        if not self.policies:
            return Decision(Answer.ALLOWED, (), UNRESTRICTED)
        if self.host_network:
            return Decision(Answer.UNDECIDABLE, self._names(self.policies), "the pod is in its node's own network")
        doubts: dict[str, str] = {}
        for policy in self.policies:
            for doubt in self._rules(policy, destination):
                if not doubt:
                    return Decision(Answer.ALLOWED, (str(policy),), f"{policy} allows it")
                doubts.setdefault(str(policy), doubt)
        if doubts:
            return Decision(Answer.UNDECIDABLE, tuple(doubts), "; ".join(dict.fromkeys(doubts.values())))
        return Decision(Answer.NOT_ALLOWED, self._names(self.policies), "no rule of theirs allows it")

    def used_by(self, destination: Destination) -> Iterator[tuple[Policy, Rule]]:
        """The rules that allow it, or may."""
        for policy in self.policies:
            for rule in policy.rules:
                if self._rule(policy, rule, destination) is not None:
                    yield policy, rule

    @staticmethod
    def _names(policies: Iterable[Policy]) -> tuple[str, ...]:
        return tuple(map(str, policies))

    def _rules(self, policy: Policy, destination: Destination) -> Iterator[str]:
        """Of each rule that may allow it why it is not certain; empty where it is."""
        for rule in policy.rules:
            doubt = self._rule(policy, rule, destination)
            if doubt is not None:
                yield doubt
        if not policy.understood:
            yield f"{policy} was not understood"

    def _rule(self, policy: Policy, rule: Rule, destination: Destination) -> str | None:
        """None: it does not allow it. A text: it may, and why that is not certain; empty where it does."""
        port = _any(_port(each, destination) for each in rule.ports) if rule.ports else ""
        if port is None:
            return None
        peer = _any(self._peer(policy, each, destination) for each in rule.peers) if rule.peers else ""
        return None if peer is None else port or peer

    def _peer(self, policy: Policy, peer: Block | Pods, destination: Destination) -> str | None:
        match peer:
            case Block():
                return self._block(peer, destination)
            case Pods():
                return self._pods(policy, peer, destination)

    def _block(self, block: Block, destination: Destination) -> str | None:
        address = destination.address
        if address is None:
            return "which address it has is not known" if destination.pod is None else _PODS_IN_BLOCKS
        if address not in block.range or any(address in each for each in block.exceptions):
            return None
        outside = destination.pod is None and self.network.is_outside(address)
        return "" if outside else _PODS_IN_BLOCKS

    def _pods(self, policy: Policy, peer: Pods, destination: Destination) -> str | None:
        pod = destination.pod
        if pod is None:
            outside = destination.address is not None and self.network.is_outside(destination.address)
            return None if outside else "which pod it is, if it is one, is not known"
        if not chooses(peer.pods, pod.labels):
            return None
        if peer.namespaces is None:
            return "" if pod.namespace == policy.namespace else None
        labels = self.network.namespaces.get(pod.namespace)
        if labels is None:
            if any(each.key != NAME_LABEL for each in peer.namespaces):
                return f"the labels of namespace {pod.namespace} are not known"
            labels = {NAME_LABEL: pod.namespace}
        return "" if chooses(peer.namespaces, labels) else None


_PODS_IN_BLOCKS = "whether a block of addresses covers what is in the cluster is the network plugin's to say"


def _plain(address: Address | None) -> Address | None:
    """An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is the former."""
    return getattr(address, "ipv4_mapped", None) or address


def _port(ports: Ports, destination: Destination) -> str | None:
    if ports.protocol != destination.protocol.upper():
        return None
    if ports.name:
        if destination.pod is None or destination.pod.ports is None:
            return f"which port is called {ports.name} there is not known"
        return "" if destination.pod.ports.get(ports.name) == destination.port else None
    if not ports.first:
        return ""
    return "" if ports.first <= destination.port <= ports.last else None


def _any(answers: Iterable[str | None]) -> str | None:
    """Certain where one is; else a doubt, where one is; else not."""
    doubt: str | None = None
    for answer in answers:
        if answer == "":
            return ""
        doubt = doubt or answer
    return doubt
