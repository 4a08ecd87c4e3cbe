"""What switches, rehearses and cuts off: `mode`, its dry run, `quarantine`, `release`, over a channel to a fake."""

from __future__ import annotations

import json

import pytest

from controlplane.cli.confirmation import PATIENCE, confirmation
from inscope.behaviour import Connect, Protocol
from inscope.codec import behaviour_to_wire, workload_to_wire
from inscope.mode import Mode
from inscope.v1 import operator_pb2 as pb
from inscope.v1 import words_pb2
from tests.controlplane.cli.conftest import Inscope
from tests.controlplane.cli.samples import WORKLOAD
from tests.fakes.operator import FakeOperator, modes_asked, summary_of

NAME = "support-agent"
DETECTS, ENFORCES = words_pb2.MODE_DETECT, words_pb2.MODE_ENFORCE
FREE, CUT_OFF = words_pb2.CONTAINMENT_FREE, words_pb2.CONTAINMENT_QUARANTINED
CONTACT = Connect("evil.example", 443, Protocol.TCP, "/usr/bin/python3")


def instance(name: str, mode: words_pb2.Mode.ValueType = ENFORCES, **fields: object) -> pb.InstanceDetail:
    settled = {"live": True, "in_force_since": 5.0, "exit_status": -1, "containment": FREE, "ordered": FREE}
    return pb.InstanceDetail(id=name, mode=mode, **{**settled, **fields})  # type: ignore[arg-type]  # the message's own


def shows(operator: FakeOperator, *instances: pb.InstanceDetail, mode: Mode = Mode.ENFORCE) -> None:
    operator.summaries = [summary_of(WORKLOAD, mode)]
    operator.details[NAME] = pb.WorkloadDetail(summary=operator.summaries[0], instances=instances)


def group(**fields: object) -> pb.DenialGroup:
    told = {
        "id": "DG-0123456789ab", "workload": workload_to_wire(WORKLOAD), "kind": "connect", "actor": "/usr/bin/python3",
        "target": "evil.example:443/tcp", "count": 4, "first_seen": 1.0, "last_seen": 2.0, "behaviours": 1,
        "examples": [behaviour_to_wire(CONTACT)],
        "missing": [words_pb2.Entry(dimension="destination", value="evil.example:443/tcp")],
    }  # fmt: skip
    return pb.DenialGroup(**{**told, **fields})  # type: ignore[arg-type]  # the message's own


def test_a_mode_is_set_when_every_running_instance_does_it(operator: FakeOperator, inscope: Inscope) -> None:
    shows(operator, instance("i-1"), instance("i-2"), instance("over", DETECTS, live=False))
    ended = inscope("mode", NAME, "enforce", "--force", "-o", "json")
    (document,) = json.loads(ended.out)
    assert ended.status == 0
    assert (document["mode"], document["confirmed"], document["waiting"]) == ("enforce", ["i-1", "i-2"], [])
    assert modes_asked(operator.asked) == [(Mode.ENFORCE, True)]


def test_who_refuses_is_named_with_the_reason(operator: FakeOperator, inscope: Inscope) -> None:
    shows(operator, instance("i-1"), instance("i-2", DETECTS, refused="it cannot enforce: no ptrace"))
    ended = inscope("mode", NAME, "enforce", "--force")
    assert ended.status == 1
    assert "is in enforce now" in ended.out
    assert "1 of 2 running instances do it" in ended.out
    assert "i-2 does not: it cannot enforce: no ptrace" in ended.out


def test_an_instance_whose_init_never_spoke_is_not_waited_for(operator: FakeOperator, inscope: Inscope) -> None:
    shows(operator, instance("i-1", DETECTS, in_force_since=0))
    ended = inscope("mode", NAME, "enforce", "--force")
    assert (ended.status, "No running instance" in ended.out) == (0, True)


@pytest.mark.parametrize(("late", "doing"), [(3, 1), (10_000, 0)])
async def test_what_is_late_is_waited_for_and_given_up(late: int, doing: int) -> None:
    class Control:
        looks = 0

        async def show(self, workload: object) -> pb.WorkloadDetail:
            self.looks += 1
            return pb.WorkloadDetail(instances=[instance("i-1", ENFORCES if self.looks > late else DETECTS)])

    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    control = Control()
    said = await confirmation(control, WORKLOAD, lambda each: each.mode == ENFORCES, lambda: now, sleep)  # type: ignore[arg-type]  # the part that is used
    assert (len(said.doing), len(said.waiting)) == (doing, 1 - doing)
    assert said.seconds < PATIENCE + 0.2


def test_a_dry_run_changes_nothing_and_tells_what_would_be_denied(operator: FakeOperator, inscope: Inscope) -> None:
    operator.dry = pb.DryRunResponse(mode=DETECTS, since=1.0, groups=[group(denied=1), group(never="a lie")])
    ended = inscope("mode", NAME, "enforce", "--dry-run", "--days", "14")
    assert ended.status == 0
    for said in ("DG-0123456789ab", "evil.example:443/tcp", "8 acts in 2 groups", "inscope approve GROUP", "a lie"):
        assert said in ended.out
    (asked,) = operator.asked
    assert isinstance(asked, pb.DryRunRequest)
    assert asked.days == 14
    (document,) = json.loads(inscope("mode", NAME, "enforce", "--dry-run", "-o", "json").out)
    assert (document["clean"], document["mode"]) == (False, "detect")
    first = document["groups"][0]
    assert (first["count"], first["denied"], first["never"]) == (4, 1, None)
    assert first["examples"][0]["subject"] == "evil.example:443/tcp"
    assert operator.asked[1].days == 7


def test_a_clean_dry_run_says_so(operator: FakeOperator, inscope: Inscope) -> None:
    operator.dry = pb.DryRunResponse(mode=words_pb2.MODE_OBSERVE, since=1.0)
    out = inscope("mode", NAME, "enforce", "--dry-run").out
    assert "would have denied nothing" in out
    assert "only what is never learned is listed" in out


def test_what_a_dry_run_is_not_for_is_usage(operator: FakeOperator, inscope: Inscope) -> None:
    for words in (("detect", "--dry-run"), ("enforce", "--dry-run", "--force"), ("enforce", "--days", "3")):
        assert inscope("mode", NAME, *words).status == 2
    assert operator.asked == []


def test_a_group_is_approved_by_its_id(operator: FakeOperator, inscope: Inscope) -> None:
    operator.dry = pb.DryRunResponse(mode=DETECTS, groups=[group()])
    ended = inscope("approve", "DG-0123456789ab", "--reason", "a new supplier")
    assert ended.status == 0
    assert "is in scope now: connect by /usr/bin/python3: evil.example:443/tcp" in ended.out
    assert operator.asked[0].reason == "a new supplier"
    (document,) = json.loads(inscope("approve", "DG-0123456789ab", "--reason", "x", "-o", "json").out)
    assert document["missing"] == [{"dimension": "destination", "value": "evil.example:443/tcp", "label": ""}]


def test_a_workload_is_quarantined_frozen_and_released(operator: FakeOperator, inscope: Inscope) -> None:
    shows(operator, instance("i-1", containment=CUT_OFF, ordered=CUT_OFF))
    ended = inscope("quarantine", NAME, "--reason", "AL-7")
    assert (ended.status, f"{NAME} is quarantined." in ended.out) == (0, True)
    (document,) = json.loads(inscope("quarantine", NAME, "--freeze", "--reason", "AL-7", "-o", "json").out)
    assert (document["containment"], document["instance"], document["confirmed"]) == ("frozen", None, ["i-1"])
    assert inscope("release", NAME, "--reason", "over").status == 0
    orders = [each for each in operator.asked if isinstance(each, pb.ContainRequest)]
    assert [each.reason for each in orders] == ["AL-7", "AL-7", "over"]
    assert inscope("release", NAME).status == 2


def test_what_is_no_workload_is_taken_for_an_instance(operator: FakeOperator, inscope: Inscope) -> None:
    shows(operator, instance("i-1", containment=CUT_OFF, ordered=CUT_OFF), instance("i-2", ordered=CUT_OFF))
    operator.unknown, operator.instances = {"i-1", "i-9"}, {"i-1"}
    (document,) = json.loads(inscope("quarantine", "i-1", "--reason", "x", "-o", "json").out)
    assert (document["workload"], document["instance"]) == ("local/Process/support-agent", "i-1")
    ended = inscope("quarantine", "i-9", "--reason", "x")
    assert (ended.status, "neither a workload nor an instance" in ended.err) == (3, True)
    assert inscope("quarantine", "not a name", "--reason", "x").status == 2


def test_show_tells_what_each_running_instance_really_does(operator: FakeOperator, inscope: Inscope) -> None:
    held = [words_pb2.ReferenceVersion(kind=words_pb2.REFERENCE_KIND_INVENTORY, version=12)]
    shows(operator, instance("i-1", acknowledged=held), instance("i-2", DETECTS, refused="no ptrace", lapsed=9.0))
    operator.details[NAME].orders.append(pb.Order(time=3, act="quarantine", by="ana", reason="AL-7"))
    operator.details[NAME].summary.containment = CUT_OFF
    shown = inscope("show", NAME).out
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert "i-1 enforce free 1970-01-01 00:00:05Z inventory v12" in rows
    assert any(row.startswith("i-2 detect") and "refused: no ptrace; was without" in row for row in rows)
    assert "1970-01-01 00:00:03Z quarantine all ana AL-7" in rows
    assert "mode enforce, quarantined" in shown
    (document,) = json.loads(inscope("show", NAME, "-o", "json").out)
    second = document["instances"][1]
    assert (second["mode"], second["refused"], second["lapsed"]) == (
        "detect",
        "no ptrace",
        "1970-01-01T00:00:09.000000Z",
    )
    assert document["orders"][0]["instance"] is None
