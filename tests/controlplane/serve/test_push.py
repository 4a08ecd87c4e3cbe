"""Which part of a reference a sidecar is sent, and what it is known to hold."""

from __future__ import annotations

from controlplane.loop.batch import InForce
from controlplane.serve.push import MAX_UNANSWERED, Pushes, Terms
from inscope.containment import Containment
from inscope.lapse import Lapse
from inscope.mode import Mode
from inscope.reference import Dimension, Entry, ReferenceKind, ReferenceVersion
from inscope.v1 import sidecar_pb2, words_pb2

ENVELOPE, INVENTORY = ReferenceKind.ENVELOPE, ReferenceKind.INVENTORY
DESTINATION = Entry(Dimension.DESTINATION, "db:5432/tcp")
LIBRARY = Entry(Dimension.LIBRARY, "sha256:00", "/usr/lib/libc.so")


def in_force(envelope: int, inventory: int, mode: Mode = Mode.OBSERVE) -> InForce:
    versions = ReferenceVersion(ENVELOPE, envelope), ReferenceVersion(INVENTORY, inventory)
    return InForce(mode, versions, (DESTINATION, LIBRARY))


def test_a_sidecar_that_holds_nothing_gets_everything() -> None:
    push = Pushes([]).push(in_force(1, 2), "n1")
    assert (push.nonce, push.mode) == ("n1", words_pb2.MODE_OBSERVE)
    assert [version.version for version in push.versions] == [1, 2]
    assert {(entry.dimension, entry.value, entry.label) for entry in push.entries} == {
        ("destination", "db:5432/tcp", ""),
        ("library", "sha256:00", "/usr/lib/libc.so"),
    }


def test_what_it_says_it_holds_is_not_sent_again() -> None:
    push = Pushes([ReferenceVersion(ENVELOPE, 1), ReferenceVersion(INVENTORY, 1)]).push(in_force(1, 2), "n1")
    assert [entry.value for entry in push.entries] == ["sha256:00"]
    assert [version.version for version in push.versions] == [2]


def test_a_change_of_mode_alone_carries_no_entries() -> None:
    pushes = Pushes([])
    pushes.push(in_force(1, 2), "n1")
    pushes.accepted("n1")
    push = pushes.push(in_force(1, 2, Mode.DETECT), "n2")
    assert (push.mode, list(push.versions), list(push.entries)) == (words_pb2.MODE_DETECT, [], [])


def test_what_was_rejected_or_not_answered_comes_again_whole() -> None:
    pushes = Pushes([])
    pushes.push(in_force(1, 2), "n1")
    pushes.push(in_force(1, 2), "n2")
    assert pushes.rejected("n2") == in_force(1, 2)
    assert len(pushes.push(in_force(1, 2), "n3").entries) == 2


def test_only_a_nonce_that_is_awaited_counts_and_only_once() -> None:
    pushes = Pushes([])
    pushes.push(in_force(1, 2), "n1")
    assert pushes.accepted("guess") is None
    assert pushes.accepted("n1") == in_force(1, 2)
    assert pushes.accepted("n1") is None


def test_a_sidecar_that_never_answers_costs_a_bounded_memory() -> None:
    pushes = Pushes([])
    for number in range(MAX_UNANSWERED + 5):
        pushes.push(in_force(number, number), f"n{number}")
    assert pushes.accepted("n4") is None
    assert pushes.accepted("n5") == in_force(5, 5)


def test_each_push_says_how_long_it_holds_and_how_far_the_instance_is_cut_off() -> None:
    push = Pushes([], Terms(90.0, Lapse.OBSERVE)).push(in_force(1, 2), "n1", Containment.FROZEN)
    assert (push.ttl, push.on_lapse) == (90.0, sidecar_pb2.LAPSE_OBSERVE)
    assert push.containment == words_pb2.CONTAINMENT_FROZEN
