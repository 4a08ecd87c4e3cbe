"""Both directions of the loop, checked: every finding arms a tripwire, every alert names what foresaw it.

What is missing is a blank, and a blank is a fault of inscope: it is listed, never smoothed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from inscope.alert import Alert
from inscope.finding import Finding


class Proof(StrEnum):
    """What became of a finding's made-up crossing. `UNASKED` is the empty string: nobody asked for a proof."""

    UNASKED = ""
    FIRED = "fired"
    FAILED = "failed"
    NOT_ARMED = "not armed"


@dataclass(frozen=True, slots=True)
class TwoWayFinding:
    """A finding and the proof of its tripwire. `reason` says why it failed or is not armed, or which alert fired."""

    finding: Finding
    proof: Proof = Proof.UNASKED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Blank:
    """`what` has a hole, and `why` it is one."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class TwoWay:
    """The whole answer; it is clean where `blanks` is empty."""

    findings: tuple[TwoWayFinding, ...]
    alerts: tuple[Alert, ...]
    blanks: tuple[Blank, ...]


def two_way(findings: Iterable[TwoWayFinding], alerts: Iterable[Alert]) -> TwoWay:
    """Put both directions side by side and list the blanks."""
    proven, raised = tuple(findings), tuple(alerts)
    blanks = [blank for each in proven for blank in _finding_blanks(each)]
    blanks += [blank for alert in raised for blank in _alert_blanks(alert)]
    return TwoWay(proven, raised, tuple(blanks))


def _finding_blanks(each: TwoWayFinding) -> Iterator[Blank]:
    tripwire = each.finding.tripwire
    if not tripwire.id:
        yield Blank(f"finding {each.finding.id}", "it has no tripwire")
    elif not tripwire.armed and not tripwire.reason:
        yield Blank(f"finding {each.finding.id}", "its tripwire is not armed and nothing says why")
    if each.proof is Proof.FAILED:
        yield Blank(f"finding {each.finding.id}", f"its tripwire did not prove itself: {each.reason}")


def _alert_blanks(alert: Alert) -> Iterator[Blank]:
    if not alert.crossed:
        yield Blank(f"alert {alert.id}", "it names no reference that was crossed")
    for crossing in alert.crossed:
        if not crossing.finding and not crossing.reason:
            yield Blank(f"alert {alert.id}", f"no finding foresaw {crossing.entry}, and nothing says why not")
