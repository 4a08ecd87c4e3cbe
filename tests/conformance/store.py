"""What every `controlplane.store.port.Store` must do: subclass `StoreSuite` where there is a `store` fixture."""

from __future__ import annotations

import pytest

from controlplane.store.port import InstanceRow, JoinTokenRow, ModeChange, Order, Store, StoreError, WorkloadRow
from inscope.alert import Alert, Crossing
from inscope.binary import Binary, ElfDescription, Linkage
from inscope.capability import Capability, CapabilityKind
from inscope.containment import Containment
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.denial import Denial
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.mode import Mode
from inscope.observation import Ancestor
from inscope.reference import Dimension, Entry, Evidence, ReferenceKind, ReferenceVersion, Standing
from inscope.verdict import Verdict
from inscope.workload import Agent, InstanceId, Workload
from tests.controlplane.acts import CALL_SERVICE, RUN_AGENT, sha

W = Workload("shop", "Deployment", "agent", "eu-1")
OTHER = Workload("local", "Process", "other")
NOBODY = Workload("local", "Process", "nobody")
GIT = Entry(Dimension.PROGRAM, f"sha256:{sha('git')} /usr/bin/git", "/usr/bin/git")
SEEN = Evidence(10.0, 20.5, 7, 2, ("a", "b"), "init", Standing.PROVISIONAL)
VERSION = ReferenceVersion(ReferenceKind.INVENTORY, 3)


def row_of(workload: Workload = W, **changes: object) -> InstanceRow:
    """An instance with something in every column."""
    fields: dict[str, object] = {
        "id": InstanceId("pod-1"),
        "workload": workload,
        "first_seen": 1.5,
        "last_seen": 9.25,
        "epoch": "e",
        "sequence": 4,
        "mode": Mode.DETECT,
        "acknowledged": (VERSION,),
        "coverage": (SourceCoverage(Source.INIT, 1.0, 0.0, {LossCause.UNREADABLE: 2}, "note"),),
        "exit_status": 137,
        "rejected": 5,
        "containment": Containment.FROZEN,
        "in_force_since": 8.5,
        "refused": "no way",
        "lapsed": 7.25,
    }
    return InstanceRow(**(fields | changes))  # type: ignore[arg-type]  # the fields above are the row's own


def token_of(seed: str, workload: Workload = W, issued: float = 9.0) -> JoinTokenRow:
    """A join token, for an instance of its own."""
    return JoinTokenRow(sha(seed), workload, InstanceId(seed), Mode.OBSERVE, issued, issued + 90.0)


def finding_of(number: int, workload: Workload = W) -> Finding:
    """A finding with something in every column."""
    held = HeldCapability(10, 3, 7, ("/usr/bin/nc", "/usr/bin/perl"))
    tripwire = Tripwire(f"inventory/{number}", armed=True, reason="")
    return Finding(f"IN-{number}", CapabilityKind.EXECUTABLES, workload, VERSION, held, tripwire, "said", 12.5)


def alert_of(number: int, workload: Workload = W, last_seen: float = 30.0) -> Alert:
    """An alert with something in every column."""
    return Alert(
        id=f"AL-{number}",
        time=25.0,
        last_seen=last_seen,
        workload=workload,
        agent=Agent(workload, "sa", "role", "name"),
        tripwire="inventory/executables",
        crossed=(Crossing(VERSION, GIT, "IN-1", "it held it"), Crossing(VERSION, GIT, None, "nobody knew")),
        behaviour=RUN_AGENT,
        ancestry=(Ancestor(7, 2**40, "/bin/sh"),),
        verdict=Verdict.DENY,
        techniques=("T1105",),
        rank=80,
        sentence='it said "no" → 𝄞',
        count=2**40,
        trace_id="ab" * 16,
        approved="me: fine",
    )


class StoreSuite:
    """Behaviour, one test each. `store` is empty."""

    @pytest.fixture
    def store(self) -> Store:
        raise AssertionError("the subclass gives the store")

    def test_an_unknown_workload_has_nothing(self, store: Store) -> None:
        assert store.workload(NOBODY) is None
        assert store.instance(InstanceId("nobody")) is None
        assert store.alert("AL-9") is None
        assert not any(
            (
                store.workloads(), store.instances(NOBODY), store.entries(NOBODY), store.versions(NOBODY),
                store.capabilities(NOBODY), store.findings(NOBODY), store.alerts(NOBODY), store.mode_changes(NOBODY),
                store.denials(NOBODY), store.containments(NOBODY), store.orders(NOBODY),
            )
        )  # fmt: skip

    def test_a_workload_is_kept_and_replaced(self, store: Store) -> None:
        store.put_workload(WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0))
        store.put_workload(WorkloadRow(W, Mode.DETECT, 1.0, 3.0))
        store.put_workload(WorkloadRow(OTHER, Mode.OBSERVE, 5.0, 6.0))
        assert store.workload(W) == WorkloadRow(W, Mode.DETECT, 1.0, 3.0)
        assert {row.workload for row in store.workloads()} == {W, OTHER}

    def test_an_instance_is_kept_whole_and_replaced(self, store: Store) -> None:
        store.put_instance(row_of(sequence=1))
        store.put_instance(row_of(id=InstanceId("pod-2")))
        store.put_instance(row_of())
        assert store.instance(InstanceId("pod-1")) == row_of()
        assert [row.id for row in store.instances(W)] == ["pod-1", "pod-2"], "in the order they were first put"
        assert store.instances(OTHER) == []

    def test_entries_are_merged_in_by_key(self, store: Store) -> None:
        store.put_entries(W, {GIT: Evidence(1.0, 1.0, 1, 1, ("a",), "init")})
        store.put_entries(W, {GIT: SEEN})
        edge = Entry(Dimension.PROCESS, "a → b")
        store.put_entries(W, {edge: SEEN})
        assert store.entries(W) == {GIT: SEEN, edge: SEEN}
        assert next(entry for entry in store.entries(W) if entry == GIT).label == GIT.label
        assert store.entries(OTHER) == {}

    def test_the_largest_counts_are_kept(self, store: Store) -> None:
        store.put_entries(W, {GIT: Evidence(0.0, 1.0, 2**63 - 1, 1, (), "init")})
        assert store.entries(W)[GIT].count == 2**63 - 1

    def test_versions_are_kept_by_kind(self, store: Store) -> None:
        store.put_versions(W, {ReferenceKind.INVENTORY: 1, ReferenceKind.ENVELOPE: 4})
        store.put_versions(W, {ReferenceKind.INVENTORY: 2})
        assert store.versions(W) == {ReferenceKind.INVENTORY: 2, ReferenceKind.ENVELOPE: 4}

    def test_a_survey_replaces_the_one_before(self, store: Store) -> None:
        kind = CapabilityKind.EXECUTABLES
        store.put_capability(W, Capability(kind, frozenset({"/a", "/b"}), 1.0, complete=False))
        newest = Capability(kind, frozenset({"/c"}), 2.0)
        store.put_capability(W, newest)
        assert store.capabilities(W) == {kind: newest}

    def test_findings_are_replaced_as_a_whole(self, store: Store) -> None:
        store.put_findings(W, [finding_of(1), finding_of(2)])
        store.put_findings(OTHER, [finding_of(9, OTHER)])
        store.put_findings(W, [finding_of(3), finding_of(1)])
        assert store.findings(W) == [finding_of(3), finding_of(1)]
        assert store.findings(OTHER) == [finding_of(9, OTHER)]

    def test_numbers_count_up_and_never_repeat(self, store: Store) -> None:
        assert [store.next_number("IN"), store.next_number("IN"), store.next_number("EN")] == [1, 2, 1]

    def test_an_alert_is_kept_whole_and_replaced(self, store: Store) -> None:
        store.put_alert(alert_of(1, last_seen=26.0))
        store.put_alert(alert_of(1))
        assert store.alert("AL-1") == alert_of(1)
        assert store.alerts() == [alert_of(1)]

    def test_alerts_come_oldest_first_and_by_when_they_were_last_seen(self, store: Store) -> None:
        for number, last_seen in ((1, 50.0), (2, 30.0), (3, 40.0)):
            store.put_alert(alert_of(number, W if number < 3 else OTHER, last_seen))
        assert [alert.id for alert in store.alerts()] == ["AL-1", "AL-2", "AL-3"]
        assert [alert.id for alert in store.alerts(W)] == ["AL-1", "AL-2"]
        assert [alert.id for alert in store.alerts(since=40.0)] == ["AL-1", "AL-3"]
        assert [alert.id for alert in store.alerts(W, 50.1)] == []

    def test_mode_changes_stay_in_order(self, store: Store) -> None:
        changes = [ModeChange(2.0, W, Mode.DETECT, "me", forced=True), ModeChange(1.0, W, Mode.OBSERVE, "you", False)]
        for change in changes:
            store.add_mode_change(change)
        assert store.mode_changes(W) == changes

    def test_denials_are_replaced_by_behaviour_and_the_old_are_dropped(self, store: Store) -> None:
        old, new = Denial(RUN_AGENT, 1.0, 2.0, 3, 0), Denial(CALL_SERVICE, 1.0, 9.0, 3, 2)
        store.put_denials(W, [old, Denial(CALL_SERVICE, 1.0, 1.0, 1, 0)])
        store.put_denials(W, [new])
        store.put_denials(OTHER, [old])
        assert store.denials(W) == {RUN_AGENT: old, CALL_SERVICE: new}
        assert store.drop_denials(W, 9.0) == 1
        assert store.denials(W) == {CALL_SERVICE: new}
        assert store.denials(OTHER) == {RUN_AGENT: old}

    def test_who_is_contained_is_kept_until_it_is_free(self, store: Store) -> None:
        store.put_containment(W, "", Containment.QUARANTINED)
        store.put_containment(W, "pod-1", Containment.QUARANTINED)
        store.put_containment(W, "pod-1", Containment.FROZEN)
        store.put_containment(OTHER, "", Containment.FROZEN)
        assert store.containments(W) == {"": Containment.QUARANTINED, "pod-1": Containment.FROZEN}
        store.put_containment(W, "", Containment.FREE)
        assert store.containments(W) == {"pod-1": Containment.FROZEN}

    def test_orders_stay_in_order(self, store: Store) -> None:
        orders = [Order(2.0, W, "quarantine", "", "me", "a leak"), Order(1.0, W, "release", "pod-1", "you", "none")]
        for order in orders:
            store.add_order(order)
        assert store.orders(W) == orders

    def test_binaries_are_found_by_hash(self, store: Store) -> None:
        elf = ElfDescription(Linkage.DYNAMIC, "b1d", "x.so", ("libc.so",), "/lib/ld.so")
        many = [Binary(f"{number:064x}", f"/bin/{number}", number, elf) for number in range(1200)]
        store.put_binaries(many)
        found = store.binaries([binary.sha256 for binary in many] + ["f" * 64])
        assert found == {binary.sha256: binary for binary in many}
        assert store.binaries([]) == {}

    def test_a_join_token_can_be_taken_once(self, store: Store) -> None:
        store.put_join_token(token_of("t"))
        assert store.take_join_token(sha("other"), 98.0) is None
        assert store.take_join_token(sha("t"), 98.0) == token_of("t")
        assert store.take_join_token(sha("t"), 98.0) is None

    def test_a_join_token_that_expired_is_never_taken_and_stays(self, store: Store) -> None:
        store.put_join_token(token_of("t"))
        assert store.take_join_token(sha("t"), 99.0) is None
        assert store.join_tokens(W) == [token_of("t")]

    def test_join_tokens_come_oldest_first_by_workload_until_they_are_dropped(self, store: Store) -> None:
        late, early, other = token_of("late", issued=20.0), token_of("early"), token_of("other", OTHER)
        for token in (late, early, other):
            store.put_join_token(token)
        assert (store.join_tokens(W), store.join_tokens(OTHER), store.join_tokens(NOBODY)) == (
            [early, late], [other], []
        )  # fmt: skip
        store.drop_join_tokens([sha("early"), sha("unknown")])
        assert store.join_tokens(W) == [late]

    def test_a_transaction_that_fails_keeps_nothing(self, store: Store) -> None:
        store.put_workload(WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0))
        with pytest.raises(ZeroDivisionError):
            self._fail_half_way(store)
        assert store.workload(W) == WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0)
        assert store.entries(W) == {}
        assert store.next_number("IN") == 1

    def _fail_half_way(self, store: Store) -> None:
        with store.transaction():
            store.put_workload(WorkloadRow(W, Mode.DETECT, 1.0, 9.0))
            store.put_entries(W, {GIT: SEEN})
            store.next_number("IN")
            raise ZeroDivisionError

    def test_a_transaction_sees_its_own_writes(self, store: Store) -> None:
        with store.transaction():
            store.put_entries(W, {GIT: SEEN})
            assert store.entries(W) == {GIT: SEEN}
        assert store.entries(W) == {GIT: SEEN}

    def test_a_transaction_inside_another_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError), store.transaction(), store.transaction():
            pass

    def test_a_scratch_copy_has_everything_and_touches_nothing(self, store: Store) -> None:
        store.put_workload(WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0))
        store.put_alert(alert_of(1))
        copy = store.scratch_copy()
        assert copy.alerts() == store.alerts()
        copy.put_alert(alert_of(2))
        copy.put_workload(WorkloadRow(W, Mode.DETECT, 1.0, 2.0))
        copy.close()
        assert store.alerts() == [alert_of(1)]
        assert store.workload(W) == WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0)

    def test_a_value_that_does_not_fit_is_a_store_error(self, store: Store) -> None:
        with pytest.raises(StoreError):
            store.put_entries(W, {GIT: Evidence(0.0, 1.0, 2**63, 1, (), "init")})
        assert store.entries(W) == {}
