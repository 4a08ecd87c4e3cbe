"""The scope chain and the permission gap for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from controlplane.cli.output import cell, moment, number, table
from controlplane.cli.tables import ARMED, BAD, UNARMED
from inscope.codec import workload_from_wire
from inscope.codec.authority import log_coverage_from_wire
from inscope.codec.logged import permission_from_wire
from inscope.v1 import authority_pb2
from inscope.v1 import operator_pb2 as pb

SHOWN = 4
"""Permissions named of one grant; `-o json` has all."""

_VERBS = {
    "runs-as": "runs as",
    "federates": "is exchanged for",
    "assumes": "may take on",
    "owns": "owns",
}


def gap_blocks(detail: pb.OutsideDetail) -> Iterator[RenderableType]:
    """What `gap` prints: for each identity its grants, gravest first, then what is not covered, and the logs."""
    yield cell(workload_from_wire(detail.workload), "bold")
    if not detail.held:
        yield cell("No grant of any identity of it is known: `inscope import` reads what authorities declare.")
    for principal, its in groupby(sorted(detail.held, key=lambda each: each.grant.principal), _principal):
        yield Text()
        yield cell(principal, "bold underline")
        yield _held_table(its)
    if detail.ungranted:
        yield Text()
        yield cell("Exercised, and granted by nothing that is known", "bold underline")
        for permission in map(permission_from_wire, detail.ungranted):
            yield cell(f"  {permission}", UNARMED)
    yield Text()
    yield cell("Logs", "bold underline")
    yield _logs_table(detail.logs) if detail.logs else cell("none: what is used cannot be told from what is not")


def chain_blocks(detail: pb.OutsideDetail) -> Iterator[RenderableType]:
    """A tree: the workload, and below each identity what it leads to."""
    workload = str(workload_from_wire(detail.workload))
    yield cell(workload, "bold")
    if not detail.steps:
        yield cell("  leads to no identity that is known: `inscope import` reads what authorities declare")
    yield from _branches(workload, detail, "  ", {workload})
    if detail.cut:
        yield cell(f"  … and more: only the first {len(detail.steps):,} steps are told", BAD)


def _branches(source: str, detail: pb.OutsideDetail, indent: str, seen: set[str]) -> Iterator[RenderableType]:
    for step in detail.steps:
        if step.source != source:
            continue
        verb = _VERBS.get(step.kind, step.kind)
        yield Text.assemble(cell(f"{indent}└ {verb} "), cell(step.target, "bold"), cell(f"  {_standing(step)}"))
        grants = [each for each in detail.held if each.grant.principal == step.target]
        if grants:
            yield cell(f"{indent}    {_scope(grants)}")
        if step.target not in seen:
            yield from _branches(step.target, detail, indent + "  ", seen | {step.target})


def _standing(step: pb.ChainStep) -> Text:
    if step.via and step.observed:
        return cell(f"declared ({step.via}) and observed, last {moment(step.last_seen)}", ARMED)
    if step.via:
        return cell(f"declared ({step.via}), never observed", UNARMED)
    return cell(f"observed {number(step.count)} times, last {moment(step.last_seen)}, declared nowhere", BAD)


def _scope(grants: list[pb.HeldGrant]) -> str:
    services = sorted({f"{each.grant.authority}:{each.grant.service}" for each in grants})
    inherited = sorted({each.grant.inherited for each in grants if each.grant.inherited})
    said = f"scope: {', '.join(services[:SHOWN])}" + (" …" if len(services) > SHOWN else "")
    latent = sum(1 for each in grants if each.finding)
    said += f" · {number(len(grants))} grants, {number(latent)} with something latent"
    return said + (f" · inherited through {', '.join(inherited)}" if inherited else "")


def _principal(each: pb.HeldGrant) -> str:
    return each.grant.principal


def _held_table(held: Iterable[pb.HeldGrant]) -> Table:
    rows = table("FINDING", "GRANTED BY", "LEVEL", "WHAT", "HELD", "USED", "LATENT", "NOTE", fixed=("FINDING", "LEVEL"))
    for each in held:
        grant = each.grant
        style = UNARMED if each.latent else ARMED
        rows.add_row(
            cell(each.finding or "-", "bold"),
            cell(" → ".join(grant.path)),
            cell(grant.level),
            cell(_named(grant)),
            cell(number(grant.size)),
            cell(number(len(each.used))),
            cell(number(each.latent), style),
            cell("; ".join(_notes(each))),
        )
    return rows


def _named(grant: authority_pb2.Grant) -> str:
    names = [str(permission_from_wire(permission)) for permission in grant.permissions]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _notes(each: pb.HeldGrant) -> Iterator[str]:
    grant = each.grant
    yield from grant.weight
    if grant.conditional:
        yield "under conditions"
    if grant.inherited:
        yield f"inherited through {grant.inherited}"
    if each.blind:
        yield f"unobservable: {each.blind}"
    if each.young:
        yield each.young


def _logs_table(logs: Iterable[authority_pb2.LogCoverage]) -> Table:
    rows = table("LOG", "SCOPE", "FROM", "UNTIL", "EVENTS", "NOT MAPPED", "NOT UNDERSTOOD", fixed=("FROM", "UNTIL"))
    for each in map(log_coverage_from_wire, logs):
        unmapped = sum(each.unmapped.values())
        rows.add_row(
            cell(each.source),
            cell(each.scope or "-"),
            cell(moment(each.since)),
            cell(moment(each.until)),
            cell(number(each.events)),
            cell(number(unmapped), UNARMED if unmapped else ""),
            cell(number(each.malformed), BAD if each.malformed else ""),
        )
    return rows
