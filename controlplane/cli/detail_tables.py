"""What `inscope show` prints of one workload, as tables and paragraphs for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from controlplane.cli.output import cell, moment, number, table
from controlplane.cli.tables import ARMED, BAD, UNARMED, gates_table, mode_cell, runs_cell, version_text
from inscope.binary import Linkage
from inscope.codec import (
    binary_from_wire,
    containment_from_wire,
    coverage_from_wire,
    entry_from_wire,
    mode_from_wire,
    version_from_wire,
    workload_from_wire,
)
from inscope.coverage import SourceCoverage
from inscope.v1 import operator_pb2 as pb
from inscope.v1 import words_pb2


def detail_blocks(detail: pb.WorkloadDetail) -> Iterable[RenderableType]:
    """What `show` prints: the summary, then readiness, references, coverage, and the history of modes."""
    summary = detail.summary
    yield cell(workload_from_wire(summary.workload), "bold")
    yield cell(
        f"mode {mode_cell(summary)} · {'ready' if summary.ready else 'not ready'} to leave observe · "
        f"{runs_cell(summary)} runs, {number(summary.live_instances)} live · "
        f"{number(summary.findings)} findings · {number(summary.alerts)} alerts · "
        f"seen {moment(summary.first_seen)} to {moment(summary.last_seen)}"
    )
    yield from _section("Readiness to leave observe", gates_table(detail.gates))
    if detail.enforce_gates:
        yield from _section("Readiness to enforce", gates_table(detail.enforce_gates))
    running = [each for each in detail.instances if each.live]
    if running:
        yield from _section(
            "In force, by each running instance's own word", _in_force_table(running, detail.summary.mode)
        )
    yield from _section("References", _references_table(detail.references))
    for reference in detail.references:
        if reference.entries:
            yield from _section(f"Entries of {_version(reference.version)}", _entries_table(reference.entries))
    if detail.linkages:
        yield from _section("What the inventory's binaries say of themselves", _binaries_block(detail))
    yield from _section("Coverage, newest run first", _coverage_table(detail.instances, detail.unenrolled))
    if detail.mode_changes:
        yield from _section("Changes of mode", _mode_changes_table(detail.mode_changes))
    if detail.orders:
        yield from _section("Orders", _orders_table(detail.orders))


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
        linkage = cell(elf.linkage, BAD if elf.linkage is Linkage.MALFORMED else "")
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
    state = cell("lost", BAD) if run.lost else cell("not enrolled")
    said = cell(f"everything: {run.sentence}" if run.lost else run.sentence)
    return cell(run.id), cell(moment(run.issued)), state, cell("none"), said, cell("-")


def _source_text(source: SourceCoverage) -> str:
    return f"{source.source} ({source.note})" if source.note else source.source


def _losses_text(source: SourceCoverage) -> str:
    return ", ".join(f"{number(count)} {cause}" for cause, count in sorted(source.lost.items()) if count)


def _in_force_table(running: Iterable[pb.InstanceDetail], ordered: words_pb2.Mode.ValueType) -> Table:
    rows = table("RUN", "MODE", "CONTAINED", "SINCE", "HOLDS", "", fixed=("RUN", "SINCE"))
    for each in running:
        heard = bool(each.in_force_since)
        mode = (
            cell(mode_from_wire(each.mode), ARMED if each.mode == ordered else BAD) if heard else cell("not heard yet")
        )
        contained = cell(containment_from_wire(each.containment), ARMED if each.containment == each.ordered else BAD)
        holds = ", ".join(map(_version, each.acknowledged)) or "nothing yet"
        note = [f"refused: {each.refused}"] if each.refused else []
        note += [f"was without a control plane for longer than allowed, {moment(each.lapsed)}"] if each.lapsed else []
        rows.add_row(
            cell(each.id), mode, contained, cell(moment(each.in_force_since)), cell(holds), cell("; ".join(note), BAD)
        )
    return rows


def _orders_table(orders: Iterable[pb.Order]) -> Table:
    rows = table("TIME", "ORDER", "INSTANCE", "BY", "REASON", fixed=("TIME",))
    for order in orders:
        cells = (moment(order.time), order.act, order.instance or "all", order.by, order.reason)
        rows.add_row(*map(cell, cells))
    return rows


def _mode_changes_table(changes: Iterable[pb.ModeChange]) -> Table:
    rows = table("TIME", "MODE", "OF", "BY", "FORCED", fixed=("TIME",))
    for change in changes:
        forced = cell("forced", UNARMED) if change.forced else cell("no")
        of = cell(change.reference or "all")
        rows.add_row(cell(moment(change.time)), cell(mode_from_wire(change.mode)), of, cell(change.by), forced)
    return rows


def _version(wire: words_pb2.ReferenceVersion) -> str:
    return version_text(version_from_wire(wire))
