"""Random programs of promises, votes and days against the escrow of bribes.

Properties: the escrow holds its deposits to the unit, nothing that the owner put in is lost but what members were paid,
no member is paid more than was promised for its votes, and a refused promise moves nothing.
"""

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contracts.bribe_escrow import BribeError, BribeEscrow
from sim.contracts.claims.table import OPEN
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import InsufficientFunds

LONG = bool(os.environ.get("SALUS_LONG"))
PURSE = 500 * MICRO
promises = st.lists(st.one_of(st.integers(0, 20 * MICRO), st.just(8 * MICRO)), min_size=1, max_size=3).map(tuple)
offers = st.tuples(st.integers(0, 7), st.sampled_from([2, 3, 3, 4, 9]), promises, st.booleans())
"""Which waiting claim, the deposit in multiples of the first promise, promises by level, contingent or plain."""
days = st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2))
"""Which votes are for a claim, by bits; claims filed that day."""


@settings(max_examples=300 if LONG else 30)
@given(steps=st.lists(st.one_of(offers, days), min_size=6, max_size=25), fund=st.booleans())
def test_random_programs_lose_nothing(claims_market, steps, fund):
    market = claims_market(operators=13, maximum_appeals=1, appeal_days=2, review_above=50,
                           slashed_to="fund" if fund else "majority")
    owner = market.ledger.open_account("owner", "adversaries")
    market.ledger.mint(market.usd, owner, PURSE, "endowment")
    escrow = BribeEscrow(market.ledger, market.usd, market.claims, owner, "escrow", "adversaries")
    market.run_day(file=[40 * MICRO, 90 * MICRO])
    for step in steps:
        if len(step) == 4:
            before = market.cash(owner), dict(escrow.offers)
            which, cover, given_promises, contingent = step
            waiting = np.flatnonzero(np.isin(market.table["status"], OPEN)).tolist()
            claim = waiting[which] if which < len(waiting) else which
            try:
                escrow.offer(claim, cover * given_promises[0], given_promises, contingent)
            except (BribeError, InsufficientFunds):
                assert (market.cash(owner), escrow.offers) == before
        else:
            bits, filed = step
            market.run_day(vote=lambda operator, claim, claimed, bits=bits: (
                (claimed, True) if bits >> (operator + claim) % 16 & 1 else (0, False)),
                file=[(30 + 40 * one) * MICRO for one in range(filed)])
            most = sum(max(offer.promises) * market.claims.seats(1) for offer in escrow.offers.values())
            assert 0 <= escrow.settle(market.claims.closed) <= most
            escrow.release(market.claims.ended_today().tolist())
        assert escrow.check() is None
        assert market.cash(owner) + escrow.locked + escrow.paid == PURSE
        assert all(market.table["status"][claim] not in (6, 8) for claim in escrow.offers)
