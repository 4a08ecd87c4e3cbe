"""The sidecar's judgement: a behaviour against the local reference. Pure; the control plane decides by the same rule.

What is missing matters in every mode, because a deviation is reported at once and known behaviour is only counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from inscope.behaviour import Behaviour, Connect
from inscope.containment import Containment
from inscope.judgement import reaches_out, verdict_on
from inscope.lapse import Lapse
from inscope.mode import Mode
from inscope.reference import Entry, ReferenceVersion, missing
from inscope.verdict import Verdict


@dataclass(frozen=True, slots=True)
class LocalReference:
    """What the control plane last said: what is in scope, and how far the instance is cut off. Swapped whole, never
    edited.

    `ttl` is for how many seconds it holds while the control plane is away (0: for ever), `on_lapse` what is done then.
    """

    mode: Mode = Mode.OBSERVE
    versions: tuple[ReferenceVersion, ...] = ()
    entries: frozenset[Entry] = frozenset()
    containment: Containment = Containment.FREE
    ttl: float = 0.0
    on_lapse: Lapse = Lapse.KEEP


NOTHING_YET = LocalReference()
"""Before the first push: learn, judge nothing."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done about a behaviour, and the entries it lacks (none: it is in scope)."""

    verdict: Verdict
    missing: tuple[Entry, ...]


def judge(behaviour: Behaviour, reference: LocalReference) -> Judgement:
    """Judge by the local reference alone: no clock, no I/O, no control plane."""
    verdict = verdict_on(behaviour, reference.mode, reference.containment, reference.entries)
    return Judgement(verdict, missing(behaviour, reference.entries))


def deviates(behaviour: Behaviour, reference: LocalReference) -> bool:
    """Whether `behaviour` is news for an alert. In observe nothing is: what is missing is about to be learned."""
    return reference.mode is not Mode.OBSERVE and bool(judge(behaviour, reference).missing)


def countable(behaviour: Behaviour, writable: bool, reference: LocalReference) -> bool:
    """Whether repetitions of an observed behaviour may be counted where they happen, and never looked at again.

    In observe all may. After that what deviates is looked at each time, and so is the content of a file that the
    workload can write. In detect also a connect, whose real peer is held against what the call said.
    What a containment cuts off is looked at in every mode.
    """
    if reference.containment is not Containment.FREE and reaches_out(behaviour):
        return False
    if reference.mode is Mode.OBSERVE:
        return True
    raced = isinstance(behaviour, Connect) and reference.mode is Mode.DETECT
    return not writable and not raced and not deviates(behaviour, reference)


def updated(
    held: LocalReference, mode: Mode, versions: Iterable[ReferenceVersion], entries: Iterable[Entry]
) -> LocalReference:
    """`held` after a push: the kinds named in `versions` are replaced whole, the others stay. So does what a push
    says of containment and time to live: `replace` it.

    Labels are dropped: they are for people, are never compared, and would cost a third of the memory.
    """
    pushed = {version.kind: version for version in versions}
    kept = frozenset(entry for entry in held.entries if entry.reference not in pushed)
    taken = frozenset(replace(entry, label="") for entry in entries)
    states = {version.kind: version for version in held.versions} | pushed
    return replace(held, mode=mode, versions=tuple(states.values()), entries=kept | taken)
