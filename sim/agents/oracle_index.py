"""The medical price index as operators see it: a committee observes it with noise, one member posts the median."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch
from sim.contracts.claims.rewards import Operators
from sim.contracts.oracle_committee.rules import CommitteeError, aggregate
from sim.kernel.draws import Decision
from sim.kernel.fixedpoint import MAX_INT64, MICRO
from sim.mechanism import Market
from sim.scenario.sections.oracles import OraclesSection

KIND = "price_report"
GAS = 300_000
"""A report with up to 31 signatures, each checked on the chain."""

_FEED = np.array([1], dtype=np.uint64)


class IndexFeed:
    """Daily postings to the health token's contract.

    Parameters
    ----------
    section: committee size and noise.
    decision: draws of committees and of observations.
    operators: who observes.
    chain, token, prices: mechanisms ``chain``, ``health_token`` and ``reference_price``.
    """

    def __init__(
        self, section: OraclesSection, decision: Decision, operators: Operators, chain: Any, token: Any, prices: Any
    ) -> None:
        self.section = section
        self.decision = decision
        self.operators = operators
        self.chain = chain
        self.token = token
        self.prices = prices
        chain.register_kind(KIND, GAS)

    def post(self, market: Market, offline: NDArray[np.bool_]) -> None:
        """Observe and post; with too few observers online the last index stands."""
        day, operators = market.day, self.operators
        committee = operators.staking.draw(self.decision.stream, day, _FEED, self.section.index_committee)[0]
        members = committee[committee >= 0].astype(np.int64)
        seen = members[~offline[members]]
        if not seen.size:
            return
        noise = self.decision.normal(day, operators.keys[seen], 1)
        values = np.rint(self.prices.medical_index * MICRO * np.exp(self.section.index_noise * noise)).astype(np.int64)
        try:
            answer = aggregate(values.tolist(), members.size, (members.size - 1) // 3, 1, MAX_INT64)
        except CommitteeError:
            return

        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            self.token.post_index(answer / MICRO)

        poster = seen[:1]
        self.chain.submit(Batch(KIND, operators.wallets[poster], call, keys=operators.keys[poster], expires=day))
