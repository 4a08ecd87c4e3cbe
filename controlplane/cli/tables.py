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
from inscope.codec import (
    containment_from_wire,
    mode_from_wire,
    workload_from_wire,
)
from inscope.containment import Containment
from inscope.finding import Finding, Tripwire
from inscope.reference import ReferenceVersion
from inscope.v1 import operator_pb2 as pb
from inscope.verdict import Verdict

ARMED, UNARMED, BAD = "green", "yellow", "red"
"""Colours of what is as it should be, of what is not yet, and of what must not be."""

_OUTCOME = {Verdict.DENY: "denied", Verdict.KILL: "killed", Verdict.QUARANTINE: "cut off"}
"""What became of an act that did not simply happen."""


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
            mode_cell(each),
            cell("yes" if each.ready else "no"),
            cell(number(each.live_instances)),
            runs_cell(each),
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
    outcome = [_OUTCOME[alert.verdict]] if alert.verdict in _OUTCOME else []
    facts = [alert.id, f"rank {alert.rank}", *outcome, moment(alert.last_seen), often, *alert.techniques]
    if alert.approved:
        facts.append(f"approved: {alert.approved}")
    crossed = [_crossing_line(crossing) for crossing in alert.crossed]
    return Group(
        cell("  ".join(facts), "bold"), Padding(Group(cell(alert.sentence), *crossed), (0, 0, 0, 2), expand=False)
    )


def gates_table(gates: Iterable[pb.Gate]) -> Table:
    """The conditions for leaving observe, each with its number."""
    rows = table("GATE", "MET", "VALUE", "THRESHOLD", "WHAT IT SAYS", fixed=("GATE",))
    for gate in gates:
        met = cell("yes", ARMED) if gate.met else cell("no", UNARMED)
        rows.add_row(
            cell(gate.name), met, cell(measure(gate.value)), cell(measure(gate.threshold)), cell(gate.sentence)
        )
    return rows


def proofs_table(findings: Iterable[tuple[Finding, str, str]]) -> Table:
    """Findings → tripwires; with `--prove` (finding, proof, reason) what became of the made-up crossing."""
    rows = table("FINDING", "WHAT IT SAYS", "TRIPWIRE", "PROOF", fixed=("FINDING",))
    for finding, proof, reason in findings:
        said = f"{proof}: {reason}" if proof == "failed" else proof or "-"
        style = {"fired": ARMED, "failed": BAD}.get(proof, UNARMED)
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
        rows.add_row(cell(blank.what, BAD), cell(blank.why))
    return rows


def tripwire_cell(tripwire: Tripwire) -> Text:
    """`armed`, or why it is not."""
    return cell("armed", ARMED) if tripwire.armed else cell(f"not armed: {tripwire.reason}", UNARMED)


def version_text(version: ReferenceVersion) -> str:
    """`inventory v12`."""
    return f"{version.kind} v{version.version}"


def _crossing_line(crossing: Crossing) -> Text:
    return Text.assemble(f"{version_text(crossing.reference)}: ", _foreseen_cell(crossing))


def _foreseen_cell(crossing: Crossing) -> Text:
    if crossing.finding:
        return cell(f"foreseen by {crossing.finding}", ARMED)
    return cell(f"not foreseen: {crossing.reason}", UNARMED)


def mode_cell(summary: pb.WorkloadSummary) -> Text:
    """The mode, and whether it is cut off, as a whole or some instances of it."""
    whole = containment_from_wire(summary.containment)
    some = f"{number(summary.contained_instances)} contained" if summary.contained_instances else ""
    said = whole.value if whole is not Containment.FREE else some
    apart = [f", {kind} {mode_from_wire(mode)}" for kind, mode in sorted(summary.apart.items())]
    return Text.assemble(
        cell(mode_from_wire(summary.mode)), cell("".join(apart)), cell(f", {said}", BAD) if said else Text()
    )


def runs_cell(summary: pb.WorkloadSummary) -> Text:
    """How many runs there were, and of how many nothing was ever heard."""
    lost = cell(f" + {number(summary.lost_runs)} lost", BAD) if summary.lost_runs else Text()
    return Text.assemble(cell(number(summary.instances)), lost)
