"""Declared against contacted: what was reached that no policy allows, and what is allowed that nobody reached. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controlplane.sources.networkpolicy.egress import Answer, Decision, Destination, Egress
from controlplane.sources.networkpolicy.policy import Policy, Rule


@dataclass(frozen=True, slots=True)
class Compared:
    """Each destination with its decision, by the answer. `unused` are rules that nothing contacted needed, or may have
    needed: with `open_ended`, where nothing restricts egress at all, what these findings are made of.
    """

    allowed: tuple[tuple[Destination, Decision], ...]
    not_allowed: tuple[tuple[Destination, Decision], ...]
    undecidable: tuple[tuple[Destination, Decision], ...]
    unused: tuple[tuple[Policy, Rule], ...]
    open_ended: bool


def compared(egress: Egress, contacted: Iterable[Destination]) -> Compared:
    """Hold them against each other. What was contacted and is not allowed says that no plugin enforces the policy, that
    it is younger than the contact, or that more is allowed by what is not read.
    """
    every = [(each, egress.allows(each)) for each in contacted]
    used = {place for each, _ in every for place in map(_place, egress.used_by(each))}
    unused = [
        (policy, rule) for policy in egress.policies for rule in policy.rules if _place((policy, rule)) not in used
    ]

    def answered(answer: Answer) -> tuple[tuple[Destination, Decision], ...]:
        return tuple((each, decision) for each, decision in every if decision.answer is answer)

    return Compared(
        answered(Answer.ALLOWED),
        answered(Answer.NOT_ALLOWED),
        answered(Answer.UNDECIDABLE),
        tuple(unused),
        egress.open_ended,
    )


def _place(allowing: tuple[Policy, Rule]) -> tuple[str, Rule]:
    policy, rule = allowing
    return str(policy), rule
