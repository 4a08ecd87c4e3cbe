"""The objects of a cluster that say who may do what, and who runs as whom: those parts of them, as frozen types."""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.sources.fields import Selector

SERVICE_ACCOUNT, USER, GROUP = "ServiceAccount", "User", "Group"

AWS_ROLE, AZURE_CLIENT = "AWS_ROLE_ARN", "AZURE_CLIENT_ID"
POD_IDENTITY = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""Variables by which a container is told what its token is exchanged for; the last names an agent and no role."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule. `groups` has the empty string for the core group; nothing in `names` means any name."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A Role (with a namespace) or a ClusterRole. `aggregates` are the selectors of its aggregation rule. `stored`: it
    was read from a server, whose decisions are by the rules as they stand there.
    """

    name: str
    namespace: str
    rules: tuple[Rule, ...]
    created: float = 0.0
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    aggregates: tuple[Selector, ...] = ()
    stored: bool = False

    def __str__(self) -> str:
        return f"Role {self.namespace}/{self.name}" if self.namespace else f"ClusterRole {self.name}"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a binding names."""

    kind: str
    name: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """A RoleBinding (with a namespace) or a ClusterRoleBinding. `role_namespace` is empty for a ClusterRole."""

    name: str
    namespace: str
    role: str
    role_namespace: str
    subjects: tuple[Subject, ...]
    created: float = 0.0

    def __str__(self) -> str:
        return f"RoleBinding {self.namespace}/{self.name}" if self.namespace else f"ClusterRoleBinding {self.name}"


@dataclass(frozen=True, slots=True)
class Account:
    """A service account, with what its annotations say it is exchanged for."""

    namespace: str
    name: str
    annotations: dict[str, str] = field(default_factory=dict, hash=False)
    created: float = 0.0

    @property
    def principal(self) -> str:
        """As the API server names it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


@dataclass(frozen=True, slots=True)
class Owner:
    """An entry of `ownerReferences` that controls."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Runner:
    """What has pods, or is one: the account they run as, the foreign audiences of the tokens that they mount, and
    (variable, role) of what their environment says these are exchanged for. `azure`: they ask for Azure's exchange.
    """

    kind: str
    namespace: str
    name: str
    account: str
    owner: Owner | None = None
    template_hash: str = ""
    audiences: tuple[str, ...] = ()
    exchanged: tuple[tuple[str, str], ...] = ()
    azure: bool = False
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Kinds:
    """What discovery tells of one version of an API group: its resources and subresources, each with its verbs."""

    group: str
    verbs: dict[str, tuple[str, ...]] = field(hash=False)


Object = Role | Binding | Account | Runner | Kinds


@dataclass(frozen=True, slots=True)
class Objects:
    """Everything that was read. `faults` are what was not understood, one sentence each."""

    roles: tuple[Role, ...] = ()
    bindings: tuple[Binding, ...] = ()
    accounts: tuple[Account, ...] = ()
    runners: tuple[Runner, ...] = ()
    kinds: tuple[Kinds, ...] = ()
    faults: tuple[str, ...] = ()
