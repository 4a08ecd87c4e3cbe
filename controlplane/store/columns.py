"""How each row of the words lies in its SQLite table: columns out, rows in, one pair per table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from controlplane.store import declared, rows
from controlplane.store.port import InstanceRow, JoinTokenRow, LogDay, ModeChange, Order, WorkloadRow
from inscope.alert import Alert
from inscope.binary import Binary, ElfDescription, Linkage
from inscope.capability import Capability, CapabilityKind
from inscope.containment import Containment
from inscope.coverage import Source
from inscope.denial import Denial
from inscope.exercise import LogCoverage
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.grant import Declaration
from inscope.mode import Mode
from inscope.permission import Authority
from inscope.reference import Dimension, Entry, Evidence, ReferenceKind, ReferenceVersion, Standing
from inscope.verdict import Verdict
from inscope.workload import InstanceId, Workload

PUT_INSTANCE = """
INSERT INTO instance
    (id, workload, first_seen, last_seen, epoch, sequence, mode, acknowledged, coverage, exit_status, rejected,
     containment, in_force_since, refused, lapsed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    workload = excluded.workload, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    epoch = excluded.epoch, sequence = excluded.sequence, mode = excluded.mode,
    acknowledged = excluded.acknowledged, coverage = excluded.coverage,
    exit_status = excluded.exit_status, rejected = excluded.rejected, containment = excluded.containment,
    in_force_since = excluded.in_force_since, refused = excluded.refused, lapsed = excluded.lapsed
"""

PUT_ENTRY = """
INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    label = excluded.label, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    count = excluded.count, sessions = excluded.sessions, instances = excluded.instances,
    source = excluded.source, standing = excluded.standing
"""

PUT_ALERT = """
INSERT INTO alert
    (id, workload, time, last_seen, agent, tripwire, crossed, behaviour, ancestry, verdict, techniques, rank, sentence,
     count, trace_id, approved)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    workload = excluded.workload, time = excluded.time, last_seen = excluded.last_seen, agent = excluded.agent,
    tripwire = excluded.tripwire, crossed = excluded.crossed, behaviour = excluded.behaviour,
    ancestry = excluded.ancestry, verdict = excluded.verdict, techniques = excluded.techniques,
    rank = excluded.rank, sentence = excluded.sentence, count = excluded.count, trace_id = excluded.trace_id,
    approved = excluded.approved
"""

ADD_MODE_CHANGE = """
INSERT INTO mode_change (workload, time, mode, by, forced, reference) VALUES (?, ?, ?, ?, ?, ?)
"""

PUT_JOIN_TOKEN = """
INSERT OR REPLACE INTO join_token (token_sha256, workload, instance, mode, issued, expires) VALUES (?, ?, ?, ?, ?, ?)
"""

Columns = tuple[str | float, ...]


def read_workload(row: sqlite3.Row) -> WorkloadRow:
    workload, apart = Workload.parse(row["workload"]), rows.read_modes(row["apart"])
    return WorkloadRow(workload, Mode(row["mode"]), row["first_seen"], row["last_seen"], apart)


def instance_columns(row: InstanceRow) -> Columns:
    return (
        row.id, str(row.workload), row.first_seen, row.last_seen, row.epoch, row.sequence, row.mode,
        rows.versions_text(row.acknowledged), rows.coverage_text(row.coverage), row.exit_status, row.rejected,
        row.containment, row.in_force_since, row.refused, row.lapsed,
    )  # fmt: skip


def read_instance(row: sqlite3.Row) -> InstanceRow:
    return InstanceRow(
        id=InstanceId(row["id"]),
        workload=Workload.parse(row["workload"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        epoch=row["epoch"],
        sequence=row["sequence"],
        mode=Mode(row["mode"]),
        acknowledged=rows.read_versions(row["acknowledged"]),
        coverage=rows.read_coverage(row["coverage"]),
        exit_status=row["exit_status"],
        rejected=row["rejected"],
        containment=Containment(row["containment"]),
        in_force_since=row["in_force_since"],
        refused=row["refused"],
        lapsed=row["lapsed"],
    )


def entry_columns(workload: str, entry: Entry, evidence: Evidence) -> Columns:
    return (
        workload, entry.dimension, entry.value, entry.label, evidence.first_seen, evidence.last_seen, evidence.count,
        evidence.sessions, _instances(evidence.instances), evidence.source, evidence.standing,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _instances(ids: tuple[str, ...]) -> str:
    # Most entries of a workload were seen by the same few instances: a batch writes the same text again and again.
    return rows.strings(ids)


def read_entry(row: sqlite3.Row) -> tuple[Entry, Evidence]:
    evidence = Evidence(
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        count=row["count"],
        sessions=row["sessions"],
        instances=rows.read_strings(row["instances"]),
        source=row["source"],
        standing=Standing(row["standing"]),
    )
    return Entry(Dimension(row["dimension"]), row["value"], row["label"]), evidence


def read_capability(row: sqlite3.Row) -> Capability:
    members = frozenset(rows.read_strings(row["members"]))
    return Capability(CapabilityKind(row["kind"]), members, row["surveyed_at"], bool(row["complete"]))


def finding_columns(position: int, finding: Finding) -> Columns:
    held, tripwire = finding.capability, finding.tripwire
    return (
        str(finding.workload), position, finding.id, finding.kind, finding.reference.kind, finding.reference.version,
        held.held, held.used, held.latent, rows.strings(held.examples), tripwire.id, tripwire.armed, tripwire.reason,
        finding.sentence, finding.since,
    )  # fmt: skip


def read_finding(row: sqlite3.Row) -> Finding:
    return Finding(
        id=row["id"],
        kind=CapabilityKind(row["kind"]),
        workload=Workload.parse(row["workload"]),
        reference=ReferenceVersion(ReferenceKind(row["reference"]), row["version"]),
        capability=HeldCapability(row["held"], row["used"], row["latent"], rows.read_strings(row["examples"])),
        tripwire=Tripwire(row["tripwire"], bool(row["armed"]), row["reason"]),
        sentence=row["sentence"],
        since=row["since"],
    )


def alert_columns(alert: Alert) -> Columns:
    return (
        alert.id, str(alert.workload), alert.time, alert.last_seen, rows.agent_text(alert.agent), alert.tripwire,
        rows.crossings_text(alert.crossed), rows.behaviour_text(alert.behaviour), rows.ancestry_text(alert.ancestry),
        alert.verdict, rows.strings(alert.techniques), alert.rank, alert.sentence, alert.count, alert.trace_id,
        alert.approved,
    )  # fmt: skip


def read_alert(row: sqlite3.Row) -> Alert:
    return Alert(
        id=row["id"],
        time=row["time"],
        last_seen=row["last_seen"],
        workload=Workload.parse(row["workload"]),
        agent=rows.read_agent(row["agent"]),
        tripwire=row["tripwire"],
        crossed=rows.read_crossings(row["crossed"]),
        behaviour=rows.read_behaviour(row["behaviour"]),
        ancestry=rows.read_ancestry(row["ancestry"]),
        verdict=Verdict(row["verdict"]),
        techniques=rows.read_strings(row["techniques"]),
        rank=row["rank"],
        sentence=row["sentence"],
        count=row["count"],
        trace_id=row["trace_id"],
        approved=row["approved"],
    )


def read_mode_change(row: sqlite3.Row) -> ModeChange:
    reference = ReferenceKind(row["reference"]) if row["reference"] else None
    return ModeChange(
        row["time"], Workload.parse(row["workload"]), Mode(row["mode"]), row["by"], bool(row["forced"]), reference
    )  # fmt: skip


def mode_change_columns(change: ModeChange) -> Columns:
    return str(change.workload), change.time, change.mode, change.by, change.forced, change.reference or ""


def declaration_columns(declaration: Declaration) -> Columns:
    return (
        declaration.authority, declaration.scope, declaration.taken_at, declared.links_text(declaration.links),
        rows.strings(declaration.faults),
    )  # fmt: skip


def read_declaration(row: sqlite3.Row, grants: Iterable[sqlite3.Row]) -> Declaration:
    return Declaration(
        authority=Authority(row["authority"]),
        scope=row["scope"],
        taken_at=row["taken_at"],
        grants=tuple(declared.read_grant(grant["held"]) for grant in grants),
        links=declared.read_links(row["links"]),
        faults=rows.read_strings(row["faults"]),
    )


def log_columns(coverage: LogCoverage) -> Columns:
    return (
        coverage.source, coverage.scope, coverage.since, coverage.until, coverage.events,
        declared.seen_text(coverage.seen), declared.counts_text(coverage.unmapped), coverage.malformed,
    )  # fmt: skip


def read_log(row: sqlite3.Row) -> LogCoverage:
    return LogCoverage(
        source=Source(row["source"]),
        scope=row["scope"],
        since=row["since"],
        until=row["until"],
        events=row["events"],
        seen=declared.read_seen(row["seen"]),
        unmapped=declared.read_counts(row["unmapped"]),
        malformed=row["malformed"],
    )


def read_log_day(row: sqlite3.Row) -> LogDay:
    return LogDay(
        Workload.parse(row["workload"]), InstanceId(row["id"]), row["first_seen"], row["last_seen"], row["events"],
        row["lost"],
    )  # fmt: skip


def event_number(log: str, event: str) -> int:
    """64 bits that stand for one event of one log, signed as SQLite's integers are."""
    return int.from_bytes(blake2b(f"{log}\0{event}".encode(), digest_size=8).digest(), "big", signed=True)


def read_order(row: sqlite3.Row) -> Order:
    return Order(
        row["time"], Workload.parse(row["workload"]), row["act"], row["instance"], row["by"], row["reason"]
    )  # fmt: skip


def denial_columns(workload: str, denial: Denial) -> Columns:
    behaviour = rows.behaviour_text(denial.behaviour)
    return workload, behaviour, denial.first_seen, denial.last_seen, denial.count, denial.denied


def read_denial(row: sqlite3.Row) -> Denial:
    return Denial(
        rows.read_behaviour(row["behaviour"]), row["first_seen"], row["last_seen"], row["count"], row["denied"]
    )  # fmt: skip


def binary_columns(binary: Binary) -> Columns:
    elf = binary.elf
    return (
        binary.sha256, binary.path, elf.build_id, elf.soname, rows.strings(elf.needed), elf.interpreter, elf.linkage,
        binary.size,
    )  # fmt: skip


def read_binary(row: sqlite3.Row) -> Binary:
    elf = ElfDescription(
        linkage=Linkage(row["linkage"]),
        build_id=row["build_id"],
        soname=row["soname"],
        needed=rows.read_strings(row["needed"]),
        interpreter=row["interpreter"],
    )
    return Binary(row["sha256"], row["path"], row["size"], elf)


def read_join_token(row: sqlite3.Row) -> JoinTokenRow:
    return JoinTokenRow(
        row["token_sha256"], Workload.parse(row["workload"]), InstanceId(row["instance"]), Mode(row["mode"]),
        row["issued"], row["expires"],
    )  # fmt: skip
