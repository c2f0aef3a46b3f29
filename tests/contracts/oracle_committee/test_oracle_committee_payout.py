"""Slashing conserves stakes and is shared exactly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.oracle_committee.decision import ABSENT, COHERENT, DEVIATING, EMPTY, IDLE
from sim.contracts.oracle_committee.payout import Tally, add_round

REPORTERS = 6
verdict = st.sampled_from([EMPTY, COHERENT, DEVIATING, ABSENT, IDLE])


@st.composite
def rounds(draw):
    claims, size = draw(st.integers(1, 5)), draw(st.integers(1, REPORTERS))
    seats = [draw(st.permutations(range(REPORTERS)))[:size] for _ in range(claims)]
    verdicts = [[draw(verdict) for _ in range(size)] for _ in range(claims)]
    amounts = st.lists(st.integers(0, 2**40), min_size=REPORTERS, max_size=REPORTERS)
    return (np.array([draw(st.integers(0, 2**64 - 1)) for _ in range(claims)], dtype=np.uint64),
            np.array(seats, dtype=np.int32), np.array(verdicts, dtype=np.int8),
            np.array(draw(amounts), dtype=np.int64), np.array(draw(amounts), dtype=np.int64))


@given(rounds(), st.booleans())
def test_nothing_is_made_or_lost(batch, share_losses):
    keys, seats, verdicts, at_stake, stakes = batch
    tally = Tally.empty(REPORTERS)
    for _ in range(2):  # a second round of the day must reckon with what the first took
        add_round(tally, keys, seats, verdicts, at_stake, stakes, share_losses)
    assert int(tally.lost.sum()) == int(tally.shared.sum()) + tally.rest
    assert (tally.lost <= stakes).all()
    assert (tally.lost >= 0).all()
    assert (tally.shared >= 0).all()
    assert share_losses or not tally.shared.any()
    for name, code in (("coherent", COHERENT), ("deviating", DEVIATING), ("absent", ABSENT)):
        counted = np.bincount(seats[verdicts == code], minlength=REPORTERS)
        assert (getattr(tally, name) == 2 * counted).all()


@given(rounds())
def test_a_claim_is_shared_in_proportion_to_what_was_at_stake(batch):
    keys, seats, verdicts, at_stake, stakes = batch
    tally = Tally.empty(REPORTERS)
    add_round(tally, keys[:1], seats[:1], verdicts[:1], at_stake, stakes)
    winners = seats[0][verdicts[0] == COHERENT]
    losers = seats[0][np.isin(verdicts[0], (DEVIATING, ABSENT))]
    pot = sum(min(int(at_stake[one]), int(stakes[one])) for one in losers)
    assert int(tally.lost.sum()) == pot
    if not winners.size:
        assert tally.rest == pot
        return
    weights = {int(one): int(at_stake[one]) for one in winners}
    if not sum(weights.values()):
        weights = dict.fromkeys(weights, 1)
    for one, weight in weights.items():
        assert abs(int(tally.shared[one]) * sum(weights.values()) - pot * weight) < sum(weights.values())


def test_a_penalty_beyond_the_stake_takes_all_of_it():
    tally = Tally.empty(2)
    seats, verdicts = np.array([[0, 1]], dtype=np.int32), np.array([[DEVIATING, COHERENT]], dtype=np.int8)
    for _ in range(3):
        add_round(tally, np.array([1], dtype=np.uint64), seats, verdicts, np.array([60, 60]), np.array([100, 500]))
    assert tally.lost.tolist() == [100, 0]
    assert tally.shared.tolist() == [0, 100]
