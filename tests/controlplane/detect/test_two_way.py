"""Blanks are listed, never smoothed over; tripwires say why they are not armed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.detect.proof import not_armed, proof_of
from controlplane.detect.tripwire import arm, blindness
from controlplane.detect.two_way import Proof, TwoWayFinding, two_way
from controlplane.posture.latent import Latent, latent_of
from controlplane.posture.used import Used
from inscope.alert import Alert, Crossing
from inscope.capability import CapabilityKind
from inscope.coverage import Source, SourceCoverage
from inscope.finding import Tripwire
from inscope.mode import Mode
from tests.conformance.store import alert_of, finding_of
from tests.controlplane.acts import RUN_GIT, T0, survey

FINDING = finding_of(1)
ALERT = alert_of(1)


def test_a_whole_pair_has_no_blanks() -> None:
    assert two_way([TwoWayFinding(FINDING)], [ALERT]).blanks == ()


@pytest.mark.parametrize(
    ("tripwire", "why"),
    [
        (Tripwire("", armed=True), "it has no tripwire"),
        (Tripwire("t", armed=False), "its tripwire is not armed and nothing says why"),
    ],
)
def test_a_finding_without_a_working_tripwire_is_a_blank(tripwire: Tripwire, why: str) -> None:
    answer = two_way([TwoWayFinding(replace(FINDING, tripwire=tripwire))], [])
    assert [(blank.what, blank.why) for blank in answer.blanks] == [("finding IN-1", why)]


def test_a_failed_proof_is_a_blank() -> None:
    answer = two_way([TwoWayFinding(FINDING, Proof.FAILED, "silence")], [])
    assert [blank.why for blank in answer.blanks] == ["its tripwire did not prove itself: silence"]


@pytest.mark.parametrize(
    "crossed",
    [
        (),
        (replace(ALERT.crossed[0], finding=None, reason=""),),
        (replace(ALERT.crossed[0], finding="", reason=""),),
    ],
)
def test_an_alert_that_names_nothing_is_a_blank(crossed: tuple[Crossing, ...]) -> None:
    assert [blank.what for blank in two_way([], [replace(ALERT, crossed=crossed)]).blanks] == ["alert AL-1"]


def test_only_an_alert_on_the_act_that_names_the_finding_proves_it() -> None:
    act = ALERT.behaviour
    named: Alert = replace(ALERT, crossed=(replace(ALERT.crossed[0], finding=FINDING.id),))
    other: Alert = replace(ALERT, crossed=(replace(ALERT.crossed[0], finding="IN-9"),))
    elsewhere = replace(named, behaviour=RUN_GIT)
    assert proof_of(FINDING, act, [other, named], Mode.DETECT).proof is Proof.FIRED
    assert proof_of(FINDING, act, [other], Mode.DETECT).proof is Proof.FAILED
    assert "IN-9" in proof_of(FINDING, act, [other], Mode.DETECT).reason
    assert proof_of(FINDING, act, [elsewhere], Mode.DETECT).reason == "its made-up crossing raised no alert"
    assert proof_of(FINDING, act, [], Mode.DETECT).proof is Proof.FAILED


def test_what_is_not_armed_is_said_with_the_reason() -> None:
    unarmed = replace(FINDING, tripwire=Tripwire("t", armed=False, reason="observing"))
    assert not_armed(unarmed) == TwoWayFinding(unarmed, Proof.NOT_ARMED, "observing")


def test_a_tripwire_is_armed_in_detect_with_a_source_and_a_whole_survey() -> None:
    whole, cut = latent(complete=True), latent(complete=False)
    assert arm(whole, Mode.DETECT, "") == Tripwire("inventory/executables", armed=True)
    assert arm(whole, Mode.OBSERVE, "").reason == "the workload is in observe: it learns and raises no alert"
    assert arm(whole, Mode.DETECT, "init never connected").reason == "init never connected"
    assert arm(cut, Mode.DETECT, "").reason == "the survey was cut at its bound: the set is not known to be whole"
    assert arm(cut, Mode.OBSERVE, "init never connected").reason.count(";") == 2


def latent(complete: bool) -> Latent:
    held = {each.kind: each for each in survey(complete=complete)}
    return next(each for each in latent_of(held, {}, Used()) if each.kind is CapabilityKind.EXECUTABLES)


ON = SourceCoverage(Source.INIT, T0, 0.0, {})
OFF = replace(ON, until=T0 + 5)
OTHER = replace(ON, source=Source.SOCKETS)


@pytest.mark.parametrize(
    ("instances", "live", "why"),
    [
        ([], True, "init never connected"),
        ([(OTHER,)], True, "init never connected"),
        ([(OFF,)], True, "init is not connected in any running instance"),
        ([(OFF,), (OTHER, ON)], True, ""),
        ([(OFF,)], False, ""),
    ],
)
def test_a_source_that_is_missing_blinds(instances: list[tuple[SourceCoverage, ...]], live: bool, why: str) -> None:
    assert blindness(instances, live=live) == why
