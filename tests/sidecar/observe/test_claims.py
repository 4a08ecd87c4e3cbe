"""Kernel against claim, as transcripts: what was claimed, what a dump showed, what follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.observe.claims import PATIENCE_S, SETTLING_S, Claim, Claims, Contradicted, Outcomes, Peer

GOOD, EVIL = Peer("10.0.0.1", 443), Peer("10.6.6.6", 443)


def claim(socket: int = 5, peer: Peer = GOOD) -> Claim:
    return Claim(socket, peer, 1000.0, "agent")


def test_an_honest_claim_is_settled_in_silence() -> None:
    claims = Claims()
    assert claims.claimed(claim(), 0.0) == Outcomes()
    assert claims.dumped({5: GOOD}, 0.2) == Outcomes()
    assert claims.waiting == 0


def test_another_peer_is_a_contradiction() -> None:
    claims = Claims()
    claims.claimed(claim(), 0.0)
    assert claims.dumped({5: EVIL}, 0.2) == Outcomes((Contradicted(claim(), EVIL),))
    assert claims.dumped({5: EVIL}, 0.4) == Outcomes()


def test_a_dump_says_nothing_of_a_claim_that_is_too_young() -> None:
    claims = Claims()
    claims.claimed(claim(), 0.0)
    assert claims.dumped({5: EVIL}, SETTLING_S / 2) == Outcomes()
    assert claims.waiting == 1


def test_a_socket_that_never_shows_is_unreconciled() -> None:
    claims = Claims()
    claims.claimed(claim(), 0.0)
    assert claims.dumped({}, 1.0) == Outcomes()
    assert claims.dumped({}, PATIENCE_S + 0.1) == Outcomes(unreconciled=1)


def test_a_refused_connect_that_is_retried_elsewhere_is_honest() -> None:
    claims = Claims()
    claims.claimed(claim(peer=EVIL), 0.0)
    assert claims.claimed(claim(peer=GOOD), 0.05) == Outcomes(unreconciled=1)
    assert claims.dumped({5: GOOD}, 0.3) == Outcomes()


def test_a_connect_on_a_connected_socket_stays_where_it_was() -> None:
    claims = Claims()
    claims.claimed(claim(peer=GOOD), 0.0)
    claims.dumped({5: GOOD}, 0.2)
    claims.claimed(claim(peer=EVIL), 1.0)
    assert claims.dumped({5: GOOD}, 1.2) == Outcomes()


def test_the_unspecified_address_is_the_machine_itself() -> None:
    claims = Claims()
    claims.claimed(claim(5, Peer("0.0.0.0", 80)), 0.0)  # claimed, not bound
    claims.claimed(claim(6, Peer("::", 80)), 0.0)
    assert claims.dumped({5: Peer("127.0.0.1", 80), 6: Peer("::1", 80)}, 0.2) == Outcomes()


def test_over_its_capacity_the_oldest_is_unreconciled() -> None:
    claims = Claims(capacity=2)
    outcomes = [claims.claimed(claim(socket), 0.0) for socket in (1, 2, 3)]
    assert outcomes == [Outcomes(), Outcomes(), Outcomes(unreconciled=1)]


def test_giving_up_counts_who_waits() -> None:
    claims = Claims()
    claims.claimed(claim(), 0.0)
    assert claims.given_up() == Outcomes(unreconciled=1)
    assert claims.given_up() == Outcomes()


PEERS = st.sampled_from([GOOD, EVIL])


@given(st.lists(st.one_of(st.tuples(st.integers(1, 4), PEERS), st.dictionaries(st.integers(1, 4), PEERS)), max_size=30))
def test_every_claim_has_at_most_one_outcome(history: list[tuple[int, Peer] | dict[int, Peer]]) -> None:
    claims, made, settled, now = Claims(capacity=3), 0, 0, 0.0
    for event in history:
        now += 0.5
        if isinstance(event, tuple):
            made += 1
            outcomes = claims.claimed(claim(*event), now)
        else:
            before = claims.waiting
            outcomes = claims.dumped(event, now)
            settled += before - claims.waiting - len(outcomes.contradicted) - outcomes.unreconciled
        settled += len(outcomes.contradicted) + outcomes.unreconciled
    assert made == settled + claims.waiting


@given(st.lists(st.tuples(st.integers(1, 4), PEERS), min_size=1, max_size=10))
def test_a_peer_that_was_ever_claimed_for_its_socket_never_contradicts(made: list[tuple[int, Peer]]) -> None:
    claims = Claims()
    for number, (socket, peer) in enumerate(made):
        claims.claimed(claim(socket, peer), float(number))
    for socket, peer in made:
        assert claims.dumped({socket: peer}, 100.0).contradicted == ()
