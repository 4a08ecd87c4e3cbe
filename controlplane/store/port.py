"""What the loop needs from storage, and the rows it keeps. SQLite implements it; PostgreSQL will, under the same tests.

Synchronous on purpose: one thread owns the store (a single writer), and the servers hand work to that thread. Every
method that takes a workload answers for an unknown one with nothing rather than an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from inscope.alert import Alert
from inscope.behaviour import Behaviour
from inscope.binary import Binary
from inscope.capability import Capability, CapabilityKind
from inscope.containment import Containment
from inscope.coverage import SourceCoverage
from inscope.denial import Denial
from inscope.exercise import LogCoverage
from inscope.finding import Finding
from inscope.grant import Declaration
from inscope.mode import Mode
from inscope.reference import Entry, Evidence, ReferenceKind, ReferenceVersion
from inscope.workload import InstanceId, Workload


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """A workload as stored. Times are seconds since the epoch. `apart` are references that are in a mode of their
    own.
    """

    workload: Workload
    mode: Mode
    first_seen: float
    last_seen: float
    apart: Mapping[ReferenceKind, Mode] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogDay:
    """What one log told of one workload on one day (UTC): to references that are learned from logs, a session.

    `id` stands for it in evidence: `kubernetes-audit/2026-11-25`. Times are seconds since the epoch; `lost` counts
    what had no room.
    """

    workload: Workload
    id: InstanceId
    first_seen: float
    last_seen: float
    events: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as stored. `epoch` and `sequence` are the last batch that is durable; `exit_status` -1: unknown.

    `rejected` counts what the control plane itself dropped at its own bounds. `mode` and `containment` are what is in
    force since `in_force_since` (0: nothing was heard of it yet), `refused` why that is not what was pushed; `lapsed`
    is when it last went on without us for longer than its reference's time to live (0: never).
    """

    id: InstanceId
    workload: Workload
    first_seen: float
    last_seen: float
    epoch: str = ""
    sequence: int = 0
    mode: Mode = Mode.OBSERVE
    acknowledged: tuple[ReferenceVersion, ...] = ()
    coverage: tuple[SourceCoverage, ...] = ()
    exit_status: int = -1
    rejected: int = 0
    containment: Containment = Containment.FREE
    in_force_since: float = 0.0
    refused: str = ""
    lapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class ModeChange:
    """One line of the audit trail of a workload's mode; of one `reference`, or of all."""

    time: float
    workload: Workload
    mode: Mode
    by: str
    forced: bool
    reference: ReferenceKind | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the audit trail of what was ordered, but for changes of mode. `instance` empty: the whole
    workload."""

    time: float
    workload: Workload
    act: str
    instance: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class JoinTokenRow:
    """A one-time token; only its sha256 is kept. It is there until it is redeemed, and an expired one never is."""

    token_sha256: str
    workload: Workload
    instance: InstanceId
    mode: Mode
    issued: float
    expires: float


class StoreError(Exception):
    """The store could not do it: a full disk, a corrupt or a newer file. The message says what and what to do."""


class Store(Protocol):
    """Durable state. Writes inside `transaction()` are all kept or none; outside of one, each is its own."""

    def transaction(self) -> AbstractContextManager[None]:
        """Group writes. Not re-entrant."""

    def workloads(self) -> list[WorkloadRow]: ...
    def workload(self, workload: Workload) -> WorkloadRow | None: ...
    def put_workload(self, row: WorkloadRow) -> None: ...

    def instances(self, workload: Workload) -> list[InstanceRow]: ...
    def instance(self, instance: InstanceId) -> InstanceRow | None: ...
    def put_instance(self, row: InstanceRow) -> None: ...

    def entries(self, workload: Workload) -> dict[Entry, Evidence]: ...
    def put_entries(self, workload: Workload, entries: Mapping[Entry, Evidence]) -> None: ...
    def versions(self, workload: Workload) -> dict[ReferenceKind, int]: ...
    def put_versions(self, workload: Workload, versions: Mapping[ReferenceKind, int]) -> None: ...

    def capabilities(self, workload: Workload) -> dict[CapabilityKind, Capability]: ...
    def put_capability(self, workload: Workload, capability: Capability) -> None: ...

    def findings(self, workload: Workload) -> list[Finding]: ...
    def put_findings(self, workload: Workload, findings: Iterable[Finding]) -> None:
        """Replace the workload's findings with these."""

    def next_number(self, series: str) -> int:
        """1, 2, 3… for each series, never twice."""

    def alert(self, alert_id: str) -> Alert | None: ...
    def alerts(self, workload: Workload | None = None, since: float = 0.0) -> list[Alert]:
        """Oldest first; `since` compares with `last_seen`."""

    def put_alert(self, alert: Alert) -> None: ...

    def mode_changes(self, workload: Workload) -> list[ModeChange]: ...
    def add_mode_change(self, change: ModeChange) -> None: ...

    def denials(self, workload: Workload) -> dict[Behaviour, Denial]:
        """What lacked an entry when it was done, by behaviour."""

    def put_denials(self, workload: Workload, denials: Iterable[Denial]) -> None: ...
    def drop_denials(self, workload: Workload, last_seen_before: float) -> int:
        """Forget the old ones; how many."""

    def containments(self, workload: Workload) -> dict[str, Containment]:
        """By instance; that of the whole workload under the empty string. Who is free is not there."""

    def put_containment(self, workload: Workload, instance: str, containment: Containment) -> None: ...

    def orders(self, workload: Workload) -> list[Order]:
        """Oldest first."""

    def add_order(self, order: Order) -> None: ...

    def binaries(self, sha256s: Iterable[str]) -> dict[str, Binary]: ...
    def put_binaries(self, binaries: Iterable[Binary]) -> None: ...

    def declarations(self) -> list[Declaration]:
        """The newest of each authority and scope."""

    def put_declaration(self, declaration: Declaration) -> None:
        """Replace the one of its authority and scope."""

    def logs(self) -> list[LogCoverage]:
        """What each log has covered in all, one for each source and scope."""

    def put_log(self, coverage: LogCoverage) -> None: ...

    def log_days(self, workload: Workload) -> list[LogDay]:
        """Oldest first."""

    def put_log_day(self, day: LogDay) -> None: ...

    def take_events(self, log: str, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that were never taken of that log, taken by this."""

    def put_join_token(self, row: JoinTokenRow) -> None: ...
    def take_join_token(self, token_sha256: str, now: float) -> JoinTokenRow | None:
        """The token, which is gone afterwards; None where there is none, or one that has expired (which stays)."""

    def join_tokens(self, workload: Workload) -> list[JoinTokenRow]:
        """Those that nobody has taken, oldest first."""

    def drop_join_tokens(self, token_sha256s: Iterable[str]) -> None: ...

    def scratch_copy(self) -> Store:
        """An independent copy that nobody else sees and that vanishes when closed."""

    def close(self) -> None: ...
