"""What IAM would decide, in three words: "Policy evaluation logic", AWS IAM User Guide. Pure.

An explicit denial ends it; then something has to allow it, in the identity's policies and within its boundary and the
session's policies where there are such. Where a condition cannot be decided from here the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controlplane.sources.aws_actions import wildcard
from controlplane.sources.iam.conditions import Context, Fit, conditions_hold, text_fits
from controlplane.sources.iam.documents import Policy, Statement


class Answer(StrEnum):
    """`CONDITIONAL`: it depends on what is not known."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Decision:
    """`by` are the statements that decided, each with its policy; none where nothing allows it."""

    answer: Answer
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Everything that bears on one identity. A boundary or session policies that are None do not restrict it."""

    policies: tuple[Policy, ...]
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None

    @property
    def limits(self) -> tuple[tuple[Policy, ...], ...]:
        """What has to allow it besides its own policies."""
        boundary = [(self.boundary,)] if self.boundary is not None else []
        session = [self.session] if self.session is not None else []
        return (*boundary, *session)


NOTHING: Context = {}


def evaluate(holder: Holder, action: str, resource: str, context: Context = NOTHING) -> Decision:
    """Whether `action` (`SERVICE:NAME`) on `resource` (an ARN) is allowed."""
    everything = [*holder.policies, *(policy for limit in holder.limits for policy in limit)]
    denied = _strongest(everything, False, action, resource, context)
    if denied and denied[0] is Fit.YES:
        return Decision(Answer.DENIED, (denied[1],))
    answers = [_strongest(policies, True, action, resource, context) for policies in (holder.policies, *holder.limits)]
    if any(answer is None for answer in answers):
        return Decision(Answer.DENIED)
    found = [answer for answer in answers if answer is not None]
    doubts = [denied] if denied else []  # a denial that may apply is why it is not certain
    by = tuple(dict.fromkeys(name for _, name in (*found, *doubts)))
    certain = not denied and all(fit is Fit.YES for fit, _ in found)
    return Decision(Answer.ALLOWED, by) if certain else Decision(Answer.CONDITIONAL, by)


def _strongest(
    policies: Sequence[Policy], allow: bool, action: str, resource: str, context: Context
) -> tuple[Fit, str] | None:
    """How sure it is that one of them says so, and which; None where none does."""
    best: tuple[Fit, str] | None = None
    for policy in policies:
        for statement in policy.statements:
            if statement.allow is not allow:
                continue
            fit = applies(statement, action, resource, context)
            if fit is not Fit.NO and (best is None or fit > best[0]):
                best = fit, f"{policy.name}, {statement.label}"
    return best


def applies(statement: Statement, action: str, resource: str, context: Context = NOTHING) -> Fit:
    """Whether a statement is about that request."""
    if not names_action(statement, action):
        return Fit.NO
    return min(_names_resource(statement, resource, context), conditions_hold(statement.conditions, context))


def names_action(statement: Statement, action: str) -> bool:
    """Whether it is about that action. Case does not matter."""
    lower = action.lower()
    if statement.not_actions:
        return not _any_matches(statement.not_actions, lower)
    return _any_matches(statement.actions, lower)


def _any_matches(patterns: Iterable[str], action: str) -> bool:
    return any(wildcard(pattern.lower()).fullmatch(action) for pattern in patterns)


def _names_resource(statement: Statement, resource: str, context: Context) -> Fit:
    if statement.not_resources:
        fit = max(text_fits(pattern, resource, context) for pattern in statement.not_resources)
        return Fit(Fit.YES - fit)
    if not statement.resources:  # a trust policy names none
        return Fit.YES
    return max(text_fits(pattern, resource, context) for pattern in statement.resources)
