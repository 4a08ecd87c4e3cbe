"""The objects of a cluster that say who may do what, and who runs as whom: those parts of them, as frozen types."""

from __future__ import annotations

from dataclasses import dataclass, field

SERVICE_ACCOUNT, USER, GROUP = "ServiceAccount", "User", "Group"


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule. `groups` has the empty string for the core group; nothing in `names` means any name."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """A part of a label selector. `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether `labels` meet it."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values and self.key in labels
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


Selector = tuple[Requirement, ...]
"""All of it has to be met."""


@dataclass(frozen=True, slots=True)
class Role:
    """A Role (with a namespace) or a ClusterRole. `aggregates` are the selectors of its aggregation rule."""

    name: str
    namespace: str
    rules: tuple[Rule, ...]
    created: float = 0.0
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    aggregates: tuple[Selector, ...] = ()

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
    """What has pods, or is one: the account they run as, the token audiences they mount, their roles by environment."""

    kind: str
    namespace: str
    name: str
    account: str
    owner: Owner | None = None
    template_hash: str = ""
    audiences: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Objects:
    """Everything that was read. `faults` are what was not understood, one sentence each."""

    roles: tuple[Role, ...] = ()
    bindings: tuple[Binding, ...] = ()
    accounts: tuple[Account, ...] = ()
    runners: tuple[Runner, ...] = ()
    faults: tuple[str, ...] = ()
