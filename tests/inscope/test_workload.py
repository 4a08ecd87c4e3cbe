"""Workloads are typed by people and sent by peers."""

from __future__ import annotations

import pytest
from hypothesis import given

from inscope.workload import Agent, InvalidWorkloadError, Workload
from tests.strategies import workloads


@given(workloads)
def test_what_is_printed_can_be_typed(workload: Workload) -> None:
    assert Workload.parse(str(workload)) == workload


def test_a_bare_name_is_a_local_process() -> None:
    assert str(Workload.parse("agent")) == "local/Process/agent"


@pytest.mark.parametrize(
    "text", ["", "/", "a/b", "a//b", "a/b/c/d/e", "../Process/x", "a/b/c\n", "a/b/-c", "a/b/" + "x" * 300]
)
def test_anything_else_is_refused_with_what_was_given(text: str) -> None:
    with pytest.raises(InvalidWorkloadError):
        Workload.parse(text)


def test_an_agent_is_named_by_what_is_known_of_it() -> None:
    workload = Workload("shop", "Deployment", "support")
    assert str(Agent(workload)) == "shop/Deployment/support"
    assert str(Agent(workload, name="support-agent")) == "support-agent"
