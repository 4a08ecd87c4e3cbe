"""Aggregated roles get the rules that the cluster's controller would give them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources.fields import Requirement
from controlplane.sources.rbac.aggregation import aggregated
from controlplane.sources.rbac.objects import Role, Rule


def rule(name: str) -> Rule:
    return Rule(("get",), ("",), (name,))


def selecting(name: str, *labels: str, rules: tuple[Rule, ...] = (), stored: bool = False, own: str = "") -> Role:
    selectors = tuple((Requirement(label, "In", ("true",)),) for label in labels)
    return Role(name, "", rules, labels={own: "true"} if own else {}, aggregates=selectors, stored=stored)


def part(name: str, *labels: str, namespace: str = "") -> Role:
    return Role(name, namespace, (rule(name),), labels=dict.fromkeys(labels, "true"))


def rules_of(*roles: Role) -> dict[str, set[str]]:
    return {role.name: {kind for rule in role.rules for kind in rule.resources} for role in aggregated(roles)}


def test_by_any_of_its_selectors() -> None:
    found = rules_of(selecting("whole", "a", "b"), part("x", "a"), part("y", "b"), part("z", "c"))
    assert found["whole"] == {"x", "y"}


def test_through_what_is_itself_aggregated_in_whatever_order() -> None:
    roles = [selecting("admin", "to-admin"), selecting("edit", "to-edit", own="to-admin"), part("x", "to-edit")]
    assert rules_of(*roles) == rules_of(*reversed(roles)) == {"admin": {"x"}, "edit": {"x"}, "x": {"x"}}


def test_in_a_circle_too() -> None:
    found = rules_of(selecting("a", "b", own="a"), selecting("b", "a", own="b"), part("x", "a"))
    assert found["a"] == found["b"] == {"x"}


def test_a_role_read_from_a_server_is_as_it_stands_there() -> None:
    found = rules_of(selecting("whole", "a", rules=(rule("old"),), stored=True), part("x", "a"))
    assert found["whole"] == {"old"}


def test_what_selects_nothing_at_hand_is_as_it_is() -> None:
    assert rules_of(selecting("whole", "a", rules=(rule("written"),)))["whole"] == {"written"}


def test_the_rules_of_a_namespaces_role_are_never_taken() -> None:
    assert rules_of(selecting("whole", "a"), part("x", "a", namespace="shop"))["whole"] == set()


def test_an_absent_label_may_be_what_is_asked_for() -> None:
    lacking = Role("whole", "", (), aggregates=((Requirement("a", "DoesNotExist"),),))
    assert rules_of(lacking, part("x", "a"), part("y"))["whole"] == {"y"}


@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), max_size=6))
def test_the_end_is_reached_from_any_roles(made: list[tuple[set[str], set[str]]]) -> None:
    roles = [
        Role(
            f"r{number}",
            "",
            () if wanted else (rule(f"r{number}"),),
            labels=dict.fromkeys(sorted(own), "true"),
            aggregates=tuple((Requirement(label, "Exists"),) for label in sorted(wanted)),
        )
        for number, (own, wanted) in enumerate(made)
    ]
    once = tuple(aggregated(roles))
    assert [set(role.rules) for role in aggregated(once)] == [set(role.rules) for role in once]
