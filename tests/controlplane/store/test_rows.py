"""Words to text and back: nothing is lost, and nothing but what was written is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store import rows
from inscope.alert import Crossing
from inscope.behaviour import Behaviour
from inscope.coverage import SourceCoverage
from inscope.observation import Ancestor
from inscope.reference import ReferenceVersion
from tests.controlplane.strategies import behaviours, texts
from tests.strategies import ancestries, coverages, crossings, versions

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=8,
)
_READERS = (
    rows.read_behaviour, rows.read_crossings, rows.read_ancestry, rows.read_agent, rows.read_coverage,
    rows.read_versions, rows.read_strings,
)  # fmt: skip


@given(behaviours)
def test_any_behaviour_comes_back_as_it_was(behaviour: Behaviour) -> None:
    assert rows.read_behaviour(rows.behaviour_text(behaviour)) == behaviour


@given(st.lists(crossings, max_size=3))
def test_crossings_come_back_with_their_labels(crossed: list[Crossing]) -> None:
    back = rows.read_crossings(rows.crossings_text(crossed))
    assert list(back) == crossed
    assert [crossing.entry.label for crossing in back] == [crossing.entry.label for crossing in crossed]


@given(st.lists(coverages, max_size=3), st.lists(versions, max_size=3))
def test_coverage_and_versions_come_back(sources: list[SourceCoverage], held: list[ReferenceVersion]) -> None:
    assert list(rows.read_coverage(rows.coverage_text(sources))) == sources
    assert list(rows.read_versions(rows.versions_text(held))) == held


@given(ancestries)
def test_a_lineage_comes_back(ancestry: tuple[Ancestor, ...]) -> None:
    assert rows.read_ancestry(rows.ancestry_text(ancestry)) == ancestry


@given(_json.map(json.dumps) | st.text(max_size=20))
def test_any_other_text_is_malformed_and_nothing_else(text: str) -> None:
    for read in _READERS:
        try:
            read(text)
        except rows.MalformedRowError:
            continue


@pytest.mark.parametrize("text", ["", "[]", '["exec"]', '["exec",1,2,3,4]', '["nothing","x"]', '["code-memory",["x"]]'])
def test_a_behaviour_of_the_wrong_shape_is_malformed(text: str) -> None:
    with pytest.raises(rows.MalformedRowError):
        rows.read_behaviour(text)
