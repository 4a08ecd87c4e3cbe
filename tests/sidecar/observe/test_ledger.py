"""Losses by cause: init's and ours, each counted once."""

from __future__ import annotations

from inscope.coverage import LossCause, Source, SourceCoverage
from sidecar.observe.bodies import Counters
from sidecar.observe.header import HEADER
from sidecar.observe.ledger import Ledger


def counters(**values: int) -> Counters:
    return Counters(*(values.get(name, 0) for name in HEADER.structs["counters"].fields))


def begun() -> Ledger:
    ledger = Ledger(Source.INIT)
    ledger.began(100.0)
    return ledger


def test_without_a_loss_there_is_none() -> None:
    assert begun().coverage() == SourceCoverage(Source.INIT, 100.0, 0, {})


def test_inits_losses_and_ours_by_cause() -> None:
    ledger = begun()
    ledger.lose(LossCause.HASH_FAILED)
    ledger.lose(LossCause.SIDECAR_QUEUE, 4)
    ledger.counted(counters(lost_queue=2, lost_away=3, unreadable=1))
    assert ledger.coverage().losses == {
        LossCause.HASH_FAILED: 1,
        LossCause.SIDECAR_QUEUE: 4,
        LossCause.INIT_QUEUE: 2,
        LossCause.NO_SIDECAR: 3,
        LossCause.UNREADABLE: 1,
    }


def test_what_a_record_says_is_lost_counts_until_the_counters_tell_why() -> None:
    ledger = begun()
    ledger.lost_before(5)
    assert ledger.coverage().losses == {LossCause.INIT_QUEUE: 5}
    ledger.counted(counters(lost_away=5))
    assert ledger.coverage().losses == {LossCause.NO_SIDECAR: 5}


def test_counters_never_go_back() -> None:
    ledger = begun()
    ledger.counted(counters(lost_queue=7))
    ledger.counted(counters(lost_queue=3))
    assert ledger.coverage().losses == {LossCause.INIT_QUEUE: 7}


def test_it_ends_and_begins_again_where_it_first_began() -> None:
    ledger = begun()
    ledger.ended(150.0)
    assert ledger.coverage().until == 150.0
    ledger.began(160.0)
    assert (ledger.coverage().since, ledger.coverage().until) == (100.0, 0)


def test_the_note_says_who_could_not_be_watched() -> None:
    ledger = begun()
    ledger.counted(counters(busy=1, undumpable=2))
    assert "1 filters" in ledger.coverage().note
    assert "2 processes" in ledger.coverage().note
