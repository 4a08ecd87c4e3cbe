"""What pods may reach, as networking.k8s.io/v1 says it: each rule of the documentation, and what nobody can say."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources.networkpolicy import Answer, Decision, Destination, Network, Pod, compared, read_network

AGENT = Pod("analytics", {"app": "agent"})
DATABASE = Pod("data", {"app": "db"}, {"sql": 5432})
NEIGHBOUR = Pod("analytics", {"app": "cache"}, {})
INSIDE = (ip_network("10.0.0.0/8"),)
ALLOWED, NOT_ALLOWED, UNDECIDABLE = Answer.ALLOWED, Answer.NOT_ALLOWED, Answer.UNDECIDABLE


def policy(name: str = "p", chosen: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "NetworkPolicy",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": {"name": name, "namespace": "analytics"},
        "spec": {"podSelector": chosen or {}, **spec},
    }


def egress(*rules: dict[str, Any], name: str = "p") -> dict[str, Any]:
    return policy(name, policyTypes=["Egress"], egress=list(rules))


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, "labels": labels}}


def network(*bodies: dict[str, Any]) -> Network:
    return read_network([("x", json.dumps(bodies).encode())], INSIDE)


def to(address: str, port: int = 443, protocol: str = "TCP", pod: Pod | None = None) -> Destination:
    return Destination(port, protocol, ip_address(address), pod)


def asked(destination: Destination, *bodies: dict[str, Any], of: Pod = AGENT) -> Decision:
    return network(*bodies).egress_of(of).allows(destination)


def matching(**labels: str) -> dict[str, Any]:
    return {"matchLabels": labels}


OUTSIDE = to("198.35.26.96")
SQL = to("10.1.2.3", 5432, pod=DATABASE)


def test_without_a_policy_everything() -> None:
    assert asked(OUTSIDE) == Decision(ALLOWED, (), "no NetworkPolicy restricts what it reaches")


def test_a_policy_of_ingress_alone_restricts_no_egress() -> None:
    assert asked(OUTSIDE, policy(policyTypes=["Ingress"])).answer is ALLOWED
    assert asked(OUTSIDE, policy(ingress=[{}])).answer is ALLOWED, "the default without egress rules"


def test_egress_rules_alone_make_a_policy_of_egress() -> None:
    assert asked(SQL, policy(egress=[{"ports": [{"port": 443}]}])).answer is NOT_ALLOWED


def test_a_rule_less_policy_refuses_everything_and_an_empty_rule_allows_it() -> None:
    refused = asked(OUTSIDE, egress())
    assert refused == Decision(NOT_ALLOWED, ("NetworkPolicy analytics/p",), "no rule of theirs allows it")
    assert asked(OUTSIDE, egress({})).answer is ALLOWED
    assert asked(Destination(1, "ICMP", ip_address("192.0.2.1")), egress({})).answer is ALLOWED


def test_a_policy_is_of_its_namespace_and_of_the_pods_that_it_chooses() -> None:
    assert asked(OUTSIDE, egress(), of=DATABASE).answer is ALLOWED
    other = policy(chosen=matching(app="other"), policyTypes=["Egress"])
    assert asked(OUTSIDE, other).answer is ALLOWED
    by_expression = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["agent"]}]}
    assert asked(OUTSIDE, policy(chosen=by_expression, policyTypes=["Egress"])).answer is NOT_ALLOWED


def test_policies_add_up_and_the_one_that_allows_is_named() -> None:
    block = egress({"to": [{"ipBlock": {"cidr": "198.35.0.0/16"}}]}, name="wide")
    assert asked(OUTSIDE, egress(name="none"), block).policies == ("NetworkPolicy analytics/wide",)


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("198.35.26.96", ALLOWED),
        ("198.35.27.1", NOT_ALLOWED),
        ("::ffff:198.35.26.96", ALLOWED),
        ("2001:db8::1", NOT_ALLOWED),
    ],
)
def test_a_block_and_its_exceptions(address: str, answer: Answer) -> None:
    block = {"ipBlock": {"cidr": "198.35.26.0/23", "except": ["198.35.27.0/24"]}}
    assert asked(to(address), egress({"to": [block]})).answer is answer


@pytest.mark.parametrize(
    ("ports", "destination", "answer"),
    [
        ([{"port": 443}], OUTSIDE, ALLOWED),
        ([{"port": 443, "protocol": "UDP"}], OUTSIDE, NOT_ALLOWED),
        ([{"protocol": "TCP"}], OUTSIDE, ALLOWED),
        ([{"port": 400, "endPort": 500}], OUTSIDE, ALLOWED),
        ([{"port": 444, "endPort": 500}], OUTSIDE, NOT_ALLOWED),
        ([{"port": "sql"}], SQL, ALLOWED),
        ([{"port": "web"}], SQL, NOT_ALLOWED),
        ([{"port": "sql"}], OUTSIDE, UNDECIDABLE),
        ([{"port": "sql"}, {"port": 443}], OUTSIDE, ALLOWED),
    ],
)
def test_ports(ports: list[dict[str, Any]], destination: Destination, answer: Answer) -> None:
    assert asked(destination, egress({"ports": ports})).answer is answer


def test_pods_by_themselves_are_those_of_the_policys_namespace() -> None:
    rule = {"to": [{"podSelector": {}}]}
    assert asked(to("10.0.0.1", pod=NEIGHBOUR), egress(rule)).answer is ALLOWED
    assert asked(SQL, egress(rule)).answer is NOT_ALLOWED


def test_namespaces_by_their_labels_and_both_together() -> None:
    data = namespace("data", team="data")
    chosen = {"namespaceSelector": matching(team="data")}
    assert asked(SQL, data, egress({"to": [chosen]})).answer is ALLOWED
    assert asked(SQL, namespace("data"), egress({"to": [chosen]})).answer is NOT_ALLOWED
    both = {**chosen, "podSelector": matching(app="other")}
    assert asked(SQL, data, egress({"to": [both]})).answer is NOT_ALLOWED
    either = [chosen, {"podSelector": matching(app="other")}]
    assert asked(SQL, data, egress({"to": either})).answer is ALLOWED


def test_a_namespace_is_known_by_its_name_where_its_labels_are_not() -> None:
    named = {"namespaceSelector": matching(**{"kubernetes.io/metadata.name": "data"})}
    assert asked(SQL, egress({"to": [named]})).answer is ALLOWED
    assert asked(SQL, namespace("data"), egress({"to": [named]})).answer is ALLOWED
    every: dict[str, Any] = {"namespaceSelector": {}}
    assert asked(SQL, egress({"to": [every]})).answer is ALLOWED
    labelled = {"namespaceSelector": matching(team="data")}
    assert "labels of namespace data are not known" in asked(SQL, egress({"to": [labelled]})).why


def test_what_nobody_can_say_is_undecidable() -> None:
    pods = egress({"to": [{"podSelector": {}}]})
    assert asked(to("10.0.0.1"), pods).answer is UNDECIDABLE, "it may be a pod of the namespace"
    assert asked(OUTSIDE, pods).answer is NOT_ALLOWED, "it is none"
    block = egress({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})
    assert asked(SQL, block).answer is UNDECIDABLE, "plugins differ about pods in blocks"
    assert asked(Destination(443), block).answer is UNDECIDABLE, "a name alone"
    assert network(pods).egress_of(AGENT, host_network=True).allows(OUTSIDE).answer is UNDECIDABLE


def test_without_the_clusters_ranges_what_the_internet_routes_is_outside() -> None:
    unknown = read_network([("x", json.dumps(egress({"to": [{"podSelector": {}}]})).encode())])
    assert unknown.egress_of(AGENT).allows(OUTSIDE).answer is NOT_ALLOWED
    assert unknown.egress_of(AGENT).allows(to("192.168.1.1")).answer is UNDECIDABLE


def test_its_own_loopback_is_nobodys_business() -> None:
    assert asked(to("127.0.0.1"), egress()).answer is ALLOWED
    assert asked(to("::ffff:127.0.0.1"), egress()).answer is ALLOWED


@pytest.mark.parametrize(
    "broken",
    [
        {"to": [{"ipBlock": {"cidr": "nowhere"}}]},
        {"to": [{}]},
        {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]},
        {"ports": [{"port": 0}]},
        {"ports": [{"port": True}]},
        {"ports": [{"port": 9, "endPort": 8}]},
        {"ports": [{"port": "sql", "endPort": 8}]},
        {"ports": [{"protocol": "GRE"}]},
    ],
)
def test_a_policy_that_is_not_understood_decides_nothing_and_hides_nothing(broken: dict[str, Any]) -> None:
    read = network(egress(broken))
    assert len(read.faults) == 1
    assert read.egress_of(AGENT).allows(OUTSIDE).answer is UNDECIDABLE
    also = network(egress(broken), egress({}, name="all"))
    assert also.egress_of(AGENT).allows(OUTSIDE).answer is ALLOWED, "they add up"


def test_policies_of_other_kinds_are_told() -> None:
    other = {"kind": "CiliumNetworkPolicy", "apiVersion": "cilium.io/v2", "metadata": {"name": "x"}}
    assert "CiliumNetworkPolicy of cilium.io/v2 is not read" in network(other).faults[0]


def test_declared_against_contacted() -> None:
    used = {"ports": [{"port": 443}]}
    unused = {"ports": [{"port": 25}]}
    held = compared(network(egress(used, unused)).egress_of(AGENT), [OUTSIDE, to("198.35.26.96", 80)])
    assert [each.port for each, _ in held.allowed] == [443]
    assert [each.port for each, _ in held.not_allowed] == [80]
    assert [rule.ports[0].first for _, rule in held.unused] == [25]
    assert not held.open_ended
    assert compared(network().egress_of(AGENT), [OUTSIDE]).open_ended


PEERS = st.sampled_from(
    [
        {"ipBlock": {"cidr": "0.0.0.0/0"}},
        {"ipBlock": {"cidr": "198.35.0.0/16", "except": ["198.35.26.0/24"]}},
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": {"team": "data"}}},
        {"podSelector": {"matchLabels": {"app": "db"}}, "namespaceSelector": {}},
    ]
)
PORTS = st.sampled_from([{"port": 443}, {"port": "sql"}, {"protocol": "UDP"}, {"port": 1, "endPort": 6000}])
RULES = st.fixed_dictionaries({}, optional={"to": st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=2)})
DESTINATIONS = st.sampled_from([OUTSIDE, SQL, to("10.0.0.1", 53, "UDP"), Destination(443), to("198.35.1.1", 5432)])
ORDER = {NOT_ALLOWED: 0, UNDECIDABLE: 1, ALLOWED: 2}


@given(st.lists(RULES, max_size=3), RULES, DESTINATIONS)
def test_one_rule_more_never_takes_anything_away(
    rules: list[dict[str, Any]], more: dict[str, Any], destination: Destination
) -> None:
    before, after = asked(destination, egress(*rules)), asked(destination, egress(*rules, more))
    assert ORDER[before.answer] <= ORDER[after.answer]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["to", "ports", "egress", "ipBlock", "cidr", "port"]), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_no_object_breaks_it(body: object) -> None:
    read = read_network([("x", json.dumps(policy(policyTypes=["Egress"], egress=body)).encode())])
    read.egress_of(AGENT).allows(OUTSIDE)
