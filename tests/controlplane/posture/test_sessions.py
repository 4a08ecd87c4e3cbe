"""Whose a database's session is, by the connects that sidecars saw: exact, ambiguous, or unknown and why."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.posture.sessions import SKEW, Certainty, End, Flow, Flows, Maker
from inscope.workload import InstanceId

ONE, OTHER = InstanceId("pod-1/agent"), InstanceId("pod-2/agent")
DATABASE = End("10.0.0.5", 5432)


def flow(instance: InstanceId, port: int, since: float, until: float, address: str = "10.1.0.7") -> Flow:
    return Flow(instance, End(address, port), DATABASE, "/usr/bin/python3 agent.py", since, until)


def test_one_match_is_exact_and_names_the_program() -> None:
    flows = Flows()
    flows.take(ONE, [flow(ONE, 40_000, 100.0, 200.0)])
    assert flows.maker("10.1.0.7", 40_000, 150.0) == Maker(Certainty.EXACT, (ONE,), "/usr/bin/python3 agent.py")
    assert flows.maker("::ffff:10.1.0.7", 40_000, 200.0 + SKEW).certainty is Certainty.EXACT


def test_a_port_that_another_had_before_is_told_apart_by_time() -> None:
    flows = Flows()
    flows.take(ONE, [flow(ONE, 40_000, 100.0, 200.0)])
    flows.take(OTHER, [flow(OTHER, 40_000, 203.0, 300.0)])
    assert flows.maker("10.1.0.7", 40_000, 199.0).instances == (ONE,)
    assert flows.maker("10.1.0.7", 40_000, 210.0).instances == (OTHER,)


def test_instances_that_share_an_address_and_port_are_ambiguous() -> None:
    """On the network of their machine, behind the same NAT."""
    flows = Flows()
    flows.take(ONE, [flow(ONE, 40_000, 100.0, 200.0)])
    flows.take(OTHER, [flow(OTHER, 40_000, 100.0, 200.0)])
    made = flows.maker("10.1.0.7", 40_000, 150.0)
    assert (made.certainty, made.instances) == (Certainty.AMBIGUOUS, (ONE, OTHER))
    assert "2 instances" in made.why


def test_an_address_of_nobody_is_a_pooler_or_nat_and_said_so() -> None:
    flows = Flows()
    flows.take(ONE, [flow(ONE, 40_000, 100.0, 200.0)])
    made = flows.maker("10.9.9.9", 40_000, 150.0)
    assert made.certainty is Certainty.UNKNOWN
    assert "pooler" in made.why


def test_what_is_unknown_says_why() -> None:
    flows = Flows()
    flows.take(ONE, [flow(ONE, 40_000, 100.0, 200.0)])
    assert "no sidecar saw" in flows.maker("10.1.0.7", 40_001, 150.0).why
    assert "at that time" in flows.maker("10.1.0.7", 40_000, 900.0).why
    assert "does not say from where" in flows.maker("", 0, 150.0).why
    assert "no address" in flows.maker("db.example", 1, 150.0).why


def test_a_sidecar_speaks_for_its_own_instance_only() -> None:
    flows = Flows()
    flows.take(ONE, [flow(OTHER, 40_000, 100.0, 200.0)])
    assert flows.maker("10.1.0.7", 40_000, 150.0).instances == (ONE,)


def test_a_connection_that_goes_on_is_one_flow() -> None:
    flows = Flows(per_instance=2)
    for second in range(100):
        flows.take(ONE, [flow(ONE, 40_000, float(second), float(second + 1))])
    assert flows.dropped == 0
    assert flows.maker("10.1.0.7", 40_000, 3.0).certainty is Certainty.EXACT


def test_what_is_no_connection_is_counted() -> None:
    flows = Flows()
    flows.take(ONE, [flow(ONE, 0, 1.0, 2.0), flow(ONE, 1, 2.0, 1.0), flow(ONE, 1, 1.0, 2.0, "nowhere")])
    assert flows.dropped == 3


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(0, 30), st.integers(0, 9)), max_size=120))
def test_memory_is_bounded_and_nothing_stays_behind(told: list[tuple[int, int, int, int]]) -> None:
    flows, names = Flows(per_instance=3, instances=4), set()
    for who, port, since, lasting in told:
        name = InstanceId(f"i{who}")
        names.add(name)
        flows.take(name, [flow(name, port, float(since), float(since + lasting))])
    assert sum(map(len, flows._flows.values())) <= 12
    for name in names:
        flows.forget(name)
    assert not flows._by_end
    assert not flows._addresses
