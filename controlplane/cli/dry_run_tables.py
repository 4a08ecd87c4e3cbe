"""What `mode W enforce --dry-run` prints for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType

from controlplane.cli.output import cell, moment, number, table
from controlplane.cli.tables import BAD
from inscope.behaviour import subject_of
from inscope.codec import behaviour_from_wire, mode_from_wire
from inscope.mode import Mode
from inscope.v1 import operator_pb2 as pb
from inscope.workload import Workload

SHOWN = 3
"""Examples of a group; `-o json` has more."""


def dry_run_blocks(workload: Workload, answer: pb.DryRunResponse, days: float) -> Iterable[RenderableType]:
    """The groups, and what can be done about them."""
    mode = mode_from_wire(answer.mode)
    if not answer.groups:
        yield cell(f"Enforce would have denied nothing that {workload} did in the last {days:g} days.")
    else:
        yield _table(answer.groups)
        yield cell("")
        acts = sum(group.count for group in answer.groups)
        denied = sum(group.denied for group in answer.groups)
        really = f", of which {number(denied)} really were" if denied else ""
        yield cell(
            f"Enforce would have denied {number(acts)} acts in {len(answer.groups)} groups{really} "
            f"(counted since each was first seen; seen in the last {days:g} days)."
        )
        yield cell("In scope after all? inscope approve GROUP --reason …   Otherwise leave it: it will be denied.")
    if mode is Mode.OBSERVE:
        yield cell(f"{workload} is in observe: what it does is learned, and only what is never learned is listed here.")


def _table(groups: Iterable[pb.DenialGroup]) -> RenderableType:
    rows = table("GROUP", "ACT", "BY", "WHERE", "TIMES", "LAST SEEN", "SUCH AS", fixed=("GROUP", "LAST SEEN"))
    for group in groups:
        examples = [subject_of(behaviour_from_wire(act)) for act in group.examples[:SHOWN]]
        more = group.behaviours - len(examples)
        such = ", ".join(examples) + (f" and {number(more)} more" if more else "")
        rows.add_row(
            cell(group.id, "bold"),
            cell(group.kind),
            cell(group.actor or "the runtime"),
            cell(group.target),
            cell(number(group.count)),
            cell(moment(group.last_seen)),
            cell(f"{such} (cannot be approved: {group.never})", BAD) if group.never else cell(such),
        )
    return rows
