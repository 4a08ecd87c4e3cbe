"""The words as tables and paragraphs for people. What each column means is in docs/cli.md."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from controlplane.cli.output import cell, measure, moment, number, table
from inscope.alert import Alert, Crossing
from inscope.binary import Linkage
from inscope.codec import (
    binary_from_wire,
    coverage_from_wire,
    entry_from_wire,
    mode_from_wire,
    version_from_wire,
    workload_from_wire,
)
from inscope.coverage import SourceCoverage
from inscope.finding import Finding, Tripwire
from inscope.reference import ReferenceVersion
from inscope.v1 import operator_pb2 as pb
from inscope.v1 import words_pb2

_ARMED, _UNARMED, _BAD = "green", "yellow", "red"


def workloads_table(summaries: Iterable[pb.WorkloadSummary]) -> Table:
    """One workload a row."""
    rows = table(
        "WORKLOAD",
        "MODE",
        "READY",
        "LIVE",
        "RUNS",
        "LAST EXIT",
        "FINDINGS",
        "ALERTS",
        "LAST SEEN",
        fixed=("LAST SEEN",),
    )
    for each in summaries:
        rows.add_row(
            cell(workload_from_wire(each.workload)),
            cell(mode_from_wire(each.mode)),
            cell("yes" if each.ready else "no"),
            cell(number(each.live_instances)),
            _runs_cell(each),
            cell(each.last_exit_status if each.last_exit_status >= 0 else "-"),
            cell(number(each.findings)),
            cell(number(each.alerts)),
            cell(moment(each.last_seen)),
        )
    return rows


def findings_blocks(findings: Iterable[Finding]) -> Iterable[RenderableType]:
    """A table for each workload: what is held and not used, and whether its tripwire watches."""
    for workload, its in groupby(findings, key=lambda finding: finding.workload):
        yield cell(workload, "bold")
        rows = table("ID", "FINDING", "REFERENCE", "TRIPWIRE", fixed=("ID", "REFERENCE"))
        for each in its:
            reference = cell(version_text(each.reference))
            rows.add_row(cell(each.id, "bold"), cell(each.sentence), reference, tripwire_cell(each.tripwire))
        yield rows


def alert_block(alert: Alert) -> RenderableType:
    """One alert: a line of facts, its sentence, and a line for each reference it crossed."""
    often = "once" if alert.count == 1 else f"{number(alert.count)} times"
    facts = [alert.id, f"rank {alert.rank}", moment(alert.last_seen), often, *alert.techniques]
    if alert.approved:
        facts.append(f"approved: {alert.approved}")
    crossed = [_crossing_line(crossing) for crossing in alert.crossed]
    return Group(
        cell("  ".join(facts), "bold"), Padding(Group(cell(alert.sentence), *crossed), (0, 0, 0, 2), expand=False)
    )


def detail_blocks(detail: pb.WorkloadDetail) -> Iterable[RenderableType]:
    """What `show` prints: the summary, then readiness, references, coverage, and the history of modes."""
    summary = detail.summary
    yield cell(workload_from_wire(summary.workload), "bold")
    yield cell(
        f"mode {mode_from_wire(summary.mode)} · {'ready' if summary.ready else 'not ready'} to leave observe · "
        f"{_runs_cell(summary)} runs, {number(summary.live_instances)} live · "
        f"{number(summary.findings)} findings · {number(summary.alerts)} alerts · "
        f"seen {moment(summary.first_seen)} to {moment(summary.last_seen)}"
    )
    yield from _section("Readiness", gates_table(detail.gates))
    yield from _section("References", _references_table(detail.references))
    for reference in detail.references:
        if reference.entries:
            yield from _section(f"Entries of {_version(reference.version)}", _entries_table(reference.entries))
    if detail.linkages:
        yield from _section("What the inventory's binaries say of themselves", _binaries_block(detail))
    yield from _section("Coverage, newest run first", _coverage_table(detail.instances, detail.unenrolled))
    if detail.mode_changes:
        yield from _section("Changes of mode", _mode_changes_table(detail.mode_changes))


def gates_table(gates: Iterable[pb.Gate]) -> Table:
    """The conditions for leaving observe, each with its number."""
    rows = table("GATE", "MET", "VALUE", "THRESHOLD", "WHAT IT SAYS", fixed=("GATE",))
    for gate in gates:
        met = cell("yes", _ARMED) if gate.met else cell("no", _UNARMED)
        rows.add_row(
            cell(gate.name), met, cell(measure(gate.value)), cell(measure(gate.threshold)), cell(gate.sentence)
        )
    return rows


def proofs_table(findings: Iterable[tuple[Finding, str, str]]) -> Table:
    """Findings → tripwires; with `--prove` (finding, proof, reason) what became of the made-up crossing."""
    rows = table("FINDING", "WHAT IT SAYS", "TRIPWIRE", "PROOF", fixed=("FINDING",))
    for finding, proof, reason in findings:
        said = f"{proof}: {reason}" if proof == "failed" else proof or "-"
        style = {"fired": _ARMED, "failed": _BAD}.get(proof, _UNARMED)
        rows.add_row(
            cell(finding.id, "bold"), cell(finding.sentence), tripwire_cell(finding.tripwire), cell(said, style)
        )
    return rows


def foreseen_table(alerts: Iterable[Alert]) -> Table:
    """Alerts → the references they crossed and the findings that foresaw them, a crossing a row."""
    rows = table("ALERT", "CROSSED", "WHAT WAS MISSING", "FORESEEN BY", fixed=("ALERT",))
    for alert in alerts:
        for crossing in alert.crossed:
            rows.add_row(
                cell(alert.id, "bold"),
                cell(version_text(crossing.reference)),
                cell(crossing.entry),
                _foreseen_cell(crossing),
            )
    return rows


def blanks_table(blanks: Iterable[pb.Blank]) -> Table:
    """What two-way must not have."""
    rows = table("BLANK", "WHY")
    for blank in blanks:
        rows.add_row(cell(blank.what, _BAD), cell(blank.why))
    return rows


def tripwire_cell(tripwire: Tripwire) -> Text:
    """`armed`, or why it is not."""
    return cell("armed", _ARMED) if tripwire.armed else cell(f"not armed: {tripwire.reason}", _UNARMED)


def version_text(version: ReferenceVersion) -> str:
    """`inventory v12`."""
    return f"{version.kind} v{version.version}"


def _crossing_line(crossing: Crossing) -> Text:
    return Text.assemble(f"{version_text(crossing.reference)}: ", _foreseen_cell(crossing))


def _foreseen_cell(crossing: Crossing) -> Text:
    if crossing.finding:
        return cell(f"foreseen by {crossing.finding}", _ARMED)
    return cell(f"not foreseen: {crossing.reason}", _UNARMED)


def _runs_cell(summary: pb.WorkloadSummary) -> Text:
    lost = cell(f" + {number(summary.lost_runs)} lost", _BAD) if summary.lost_runs else Text()
    return Text.assemble(cell(number(summary.instances)), lost)


def _section(title: str, body: RenderableType) -> Iterable[RenderableType]:
    yield Text()
    yield cell(title, "bold underline")
    yield body


def _references_table(references: Iterable[pb.ReferenceDetail]) -> Table:
    rows = table("REFERENCE", "ENTRIES")
    for each in references:
        counts = (f"{number(count)} {dimension}" for dimension, count in sorted(each.dimensions.items()))
        rows.add_row(cell(_version(each.version)), cell(", ".join(counts) or "none"))
    return rows


def _entries_table(entries: Iterable[pb.EntryDetail]) -> Table:
    rows = table("DIMENSION", "ENTRY", "STANDING", "COUNT", "RUNS", "LAST SEEN", fixed=("DIMENSION", "LAST SEEN"))
    for each in entries:
        entry = entry_from_wire(each.entry)
        numbers = (cell(number(count)) for count in (each.count, each.sessions))
        rows.add_row(cell(entry.dimension), cell(entry), cell(each.standing), *numbers, cell(moment(each.last_seen)))
    return rows


def _binaries_block(detail: pb.WorkloadDetail) -> RenderableType:
    counts = cell(", ".join(f"{number(count)} {linkage}" for linkage, count in sorted(detail.linkages.items())))
    if not detail.binaries:
        return counts
    rows = table("BINARY", "SHA256", "LINKAGE", "BUILD ID", "SONAME", fixed=("LINKAGE",))
    for each in map(binary_from_wire, detail.binaries):
        elf = each.elf
        linkage = cell(elf.linkage, _BAD if elf.linkage is Linkage.MALFORMED else "")
        rows.add_row(cell(each.path), cell(each.sha256), linkage, cell(elf.build_id or "-"), cell(elf.soname or "-"))
    return Group(counts, rows)


def _coverage_table(instances: Iterable[pb.InstanceDetail], unenrolled: Iterable[pb.UnenrolledRun]) -> Table:
    rows = table("RUN", "STARTED", "STATE", "SOURCES", "LOST", "NOT VERIFIED", fixed=("RUN", "STARTED", "STATE"))
    lines = [(each.last_seen, _instance_cells(each)) for each in instances]
    lines += [(each.issued, _unenrolled_cells(each)) for each in unenrolled]
    for _, cells in sorted(lines, key=lambda line: line[0], reverse=True):
        rows.add_row(*cells)
    return rows


def _instance_cells(run: pb.InstanceDetail) -> tuple[Text, ...]:
    state = "live" if run.live else f"exit {run.exit_status}" if run.exit_status >= 0 else "ended"
    sources = [coverage_from_wire(source) for source in run.coverage]
    seen = ", ".join(map(_source_text, sources)) or "none"
    lost = ", ".join(filter(None, map(_losses_text, sources))) or "nothing"
    unverified = number(sum(source.unverified for source in sources))
    return tuple(map(cell, (run.id, moment(run.first_seen), state, seen, lost, unverified)))


def _unenrolled_cells(run: pb.UnenrolledRun) -> tuple[Text, ...]:
    state = cell("lost", _BAD) if run.lost else cell("not enrolled")
    said = cell(f"everything: {run.sentence}" if run.lost else run.sentence)
    return cell(run.id), cell(moment(run.issued)), state, cell("none"), said, cell("-")


def _source_text(source: SourceCoverage) -> str:
    return f"{source.source} ({source.note})" if source.note else source.source


def _losses_text(source: SourceCoverage) -> str:
    return ", ".join(f"{number(count)} {cause}" for cause, count in sorted(source.lost.items()) if count)


def _mode_changes_table(changes: Iterable[pb.ModeChange]) -> Table:
    rows = table("TIME", "MODE", "BY", "FORCED", fixed=("TIME",))
    for change in changes:
        forced = cell("forced", _UNARMED) if change.forced else cell("no")
        rows.add_row(cell(moment(change.time)), cell(mode_from_wire(change.mode)), cell(change.by), forced)
    return rows


def _version(wire: words_pb2.ReferenceVersion) -> str:
    return version_text(version_from_wire(wire))
