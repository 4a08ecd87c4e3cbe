"""What the container holds, from parts to capabilities."""

from __future__ import annotations

from inscope.capability import Capability, CapabilityKind
from sidecar.normalise.paths import default_generaliser
from sidecar.observe import surveyor
from sidecar.observe.bodies import Head, SurveyPart
from sidecar.observe.kinds import SurveyKind
from sidecar.observe.patterns import default_watch_list
from sidecar.observe.records import SurveyRecord

HEAD = Head(0, 0, 0, 0, 1, 1, 0)


def part(kind: int, *members: bytes, last: int = 1, complete: int = 1) -> SurveyRecord:
    return SurveyRecord(HEAD, SurveyPart(kind, last, complete, len(members)), members)


def new_surveyor() -> surveyor.Surveyor:
    return surveyor.Surveyor(default_generaliser(), default_watch_list())


def test_parts_become_a_capability_at_the_last() -> None:
    one = new_surveyor()
    assert one.surveyed(part(SurveyKind.LIBRARIES, b"/lib/libz.so.1.2", last=0), 5.0) == []
    assert one.surveyed(part(SurveyKind.LIBRARIES, b"/lib/liby.so"), 6.0) == [
        Capability(CapabilityKind.LIBRARIES, frozenset({"/lib/libz.so.<version>", "/lib/liby.so"}), 6.0)
    ]
    assert one.libraries == {"/lib/libz.so.<version>", "/lib/liby.so"}


def test_interpreters_are_those_executables_that_interpret() -> None:
    held = new_surveyor().surveyed(part(SurveyKind.EXECUTABLES, b"/bin/git", b"/bin/sh", b"/bin/python3.11"), 1.0)
    assert held == [
        Capability(CapabilityKind.EXECUTABLES, frozenset({"/bin/git", "/bin/sh", "/bin/python<version>"}), 1.0),
        Capability(CapabilityKind.INTERPRETERS, frozenset({"/bin/sh", "/bin/python<version>"}), 1.0),
    ]


def test_secrets_are_only_those_that_are_secret() -> None:
    (held,) = new_surveyor().surveyed(part(SurveyKind.SECRETS, b"/etc/ssl/certs/a.pem", b"/home/anna/.netrc"), 1.0)
    assert held.members == {"/home/<user>/.netrc"}


def test_words_are_not_generalised() -> None:
    (ports,) = new_surveyor().surveyed(part(SurveyKind.PORTS, b"1024-65535"), 1.0)
    (egress,) = new_surveyor().surveyed(part(SurveyKind.EGRESS, b"unrestricted"), 1.0)
    assert (ports.members, egress.members) == ({"1024-65535"}, {"unrestricted"})


def test_a_bound_that_init_hit_is_passed_on() -> None:
    (held,) = new_surveyor().surveyed(part(SurveyKind.LIBRARIES, b"/lib/a.so", complete=0), 1.0)
    assert not held.complete


def test_our_own_bound_makes_it_incomplete() -> None:
    one = new_surveyor()
    for number in range(surveyor.MAX_MEMBERS // 500 + 1):
        members = [b"/lib/x%d-%d" % (number, index) for index in range(500)]
        one.surveyed(part(SurveyKind.LIBRARIES, *members, last=0), 1.0)
    (held,) = one.surveyed(part(SurveyKind.LIBRARIES), 1.0)
    assert len(held.members) == surveyor.MAX_MEMBERS
    assert not held.complete


def test_a_kind_that_nobody_knows_is_left_out() -> None:
    assert new_surveyor().surveyed(part(99, b"/x"), 1.0) == []
