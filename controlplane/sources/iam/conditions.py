"""Whether conditions hold, as far as the context of a request is known: yes, no, or nobody can tell from here. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum

from controlplane.sources.aws_actions import wildcard
from controlplane.sources.iam.documents import Condition

Context = Mapping[str, str]
"""What is known of a request, by condition key. A key that is not there is unknown, not absent."""

_LITERAL = str.maketrans({"*": "\ue000", "?": "\ue001"})
"""What `${*}` and `${?}` stand for: the letters themselves, in a pattern where they else are wildcards."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Fit(IntEnum):
    """Ordered, so that what needs all takes the least, and what needs any the greatest."""

    NO = 0
    MAYBE = 1
    YES = 2


def conditions_hold(conditions: Iterable[Condition], context: Context) -> Fit:
    """All of them."""
    return min((_holds(condition, context) for condition in conditions), default=Fit.YES)


def text_fits(pattern: str, text: str, context: Context) -> Fit:
    """Whether a pattern with wildcards and policy variables means `text`."""
    known = True

    def value(match: re.Match[str]) -> str:
        nonlocal known
        name = match[1].partition(",")[0].strip()
        if name in ("*", "?", "$"):
            return name.translate(_LITERAL)
        known = known and name in context
        return context.get(name, "*")

    filled = _VARIABLE.sub(value, pattern)
    if not wildcard(filled).fullmatch(text.translate(_LITERAL)):
        return Fit.NO
    return Fit.YES if known else Fit.MAYBE


def _holds(condition: Condition, context: Context) -> Fit:
    operator = condition.operator
    known = {name.lower(): value for name, value in context.items()}
    actual = known.get(condition.key.lower())
    if actual is None or operator.startswith("For"):
        return Fit.MAYBE
    base = operator.removesuffix("IfExists")
    if base == "Null":
        return Fit.YES if condition.values[:1] == ("false",) else Fit.NO
    negated = "Not" in base
    compare = _OPERATORS.get(base.replace("Not", ""))
    if compare is None:
        return Fit.MAYBE
    fits = max((compare(wanted, actual, context) for wanted in condition.values), default=Fit.NO)
    return _opposite(fits) if negated else fits


def _opposite(fit: Fit) -> Fit:
    return Fit(Fit.YES - fit)


def _plain(compare: Callable[[str, str], bool]) -> Callable[[str, str, Context], Fit]:
    """Text against text; a policy variable in it is filled in first, or makes it undecidable."""

    def compared(wanted: str, actual: str, context: Context) -> Fit:
        known = True

        def value(match: re.Match[str]) -> str:
            nonlocal known
            name = match[1].partition(",")[0].strip()
            if name in ("*", "?", "$"):
                return name
            known = known and name in context
            return context.get(name, "")

        filled = _VARIABLE.sub(value, wanted)
        if not known:
            return Fit.MAYBE
        return Fit.YES if compare(filled, actual) else Fit.NO

    return compared


_ARN_PARTS = 6


def _arn_fits(pattern: str, text: str, context: Context) -> Fit:
    """Part by part: a star of one does not reach into the next ("Amazon Resource Name (ARN) condition operators")."""
    patterns, parts = (each.split(":", _ARN_PARTS - 1) for each in (pattern, text))
    if len(patterns) != _ARN_PARTS or len(parts) != _ARN_PARTS or "${" in pattern:
        return text_fits(pattern, text, context)
    return min(text_fits(one, other, context) for one, other in zip(patterns, parts, strict=True))


_OPERATORS: Mapping[str, Callable[[str, str, Context], Fit]] = {
    "StringEquals": _plain(lambda wanted, actual: wanted == actual),
    "StringEqualsIgnoreCase": _plain(lambda wanted, actual: wanted.lower() == actual.lower()),
    "StringLike": text_fits,
    "ArnEquals": _arn_fits,
    "ArnLike": _arn_fits,
    "Bool": _plain(lambda wanted, actual: wanted.lower() == actual.lower()),
}
"""Those that text decides; numbers, dates and addresses are left as they are: nobody can tell from here."""
