"""The local judge's laws."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inscope.containment import Containment
from inscope.judgement import reaches_out
from inscope.mode import Mode
from inscope.reference import ReferenceKind, ReferenceVersion, can_be_in_scope, entries_of
from inscope.verdict import Verdict
from sidecar.judge.local import NOTHING_YET, LocalReference, countable, deviates, judge, updated
from tests.strategies import behaviours, entries

references = st.builds(LocalReference, st.sampled_from(Mode), st.just(()), st.frozensets(entries, max_size=5))
CONTAINED = (Containment.QUARANTINED, Containment.FROZEN)


@given(behaviours)
def test_an_empty_reference_flags_everything(behaviour):
    assert judge(behaviour, LocalReference(Mode.DETECT)).missing == entries_of(behaviour)


@given(behaviours)
def test_a_reference_made_of_a_behaviour_passes_it_unless_it_can_never_be_in_scope(behaviour):
    reference = LocalReference(Mode.DETECT, (), frozenset(entries_of(behaviour)))
    never = tuple(entry for entry in entries_of(behaviour) if not can_be_in_scope(entry))
    assert judge(behaviour, reference).missing == never


@given(behaviours, references, st.frozensets(entries, max_size=5))
def test_a_larger_reference_never_flags_more(behaviour, reference, more):
    larger = LocalReference(reference.mode, (), reference.entries | more | frozenset(entries_of(behaviour)[:1]))
    assert set(judge(behaviour, larger).missing) <= set(judge(behaviour, reference).missing)


@given(behaviours, references)
def test_only_enforce_refuses_and_only_what_is_missing(behaviour, reference):
    judgement = judge(behaviour, reference)
    refused = reference.mode is Mode.ENFORCE and bool(judgement.missing)
    assert judgement.verdict is (Verdict.DENY if refused else Verdict.ALLOW)


@given(behaviours)
def test_in_observe_nothing_deviates_and_in_detect_the_unknown_does(behaviour):
    assert not deviates(behaviour, NOTHING_YET)
    assert deviates(behaviour, LocalReference(Mode.DETECT))


@given(st.frozensets(entries, max_size=8), st.frozensets(entries, max_size=8))
def test_a_push_replaces_the_kinds_it_names_and_keeps_the_others(before, pushed):
    held = LocalReference(Mode.OBSERVE, (ReferenceVersion(ReferenceKind.INVENTORY, 4),), before)
    version = ReferenceVersion(ReferenceKind.ENVELOPE, 7)
    after = updated(held, Mode.DETECT, [version], [e for e in pushed if e.reference is ReferenceKind.ENVELOPE])
    assert {e for e in after.entries if e.reference is ReferenceKind.ENVELOPE} == {
        e for e in pushed if e.reference is ReferenceKind.ENVELOPE
    }
    assert {e for e in after.entries if e.reference is ReferenceKind.INVENTORY} == {
        e for e in before if e.reference is ReferenceKind.INVENTORY
    }
    assert after.mode is Mode.DETECT
    assert set(after.versions) == {version, ReferenceVersion(ReferenceKind.INVENTORY, 4)}


@given(behaviours, references, st.sampled_from(CONTAINED))
def test_what_is_contained_reaches_nobody_whatever_its_mode_and_is_judged_as_before_otherwise(
    behaviour, reference, containment
):
    held = replace(reference, containment=containment)
    expected = Verdict.QUARANTINE if reaches_out(behaviour) else judge(behaviour, reference).verdict
    assert judge(behaviour, held).verdict is expected
    if reaches_out(behaviour):
        assert not countable(behaviour, False, held)
