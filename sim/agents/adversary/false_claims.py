"""Claims for care that never was: filed by insured people who collude, collected from them when a pool pays.

The truth about such a claim, that nothing is due, stands in the clinical records: a committee member who looks hard
enough finds it. An inflated bill is two lines, the care that was given, which is an ordinary claim, and the part that
was not, which is what is filed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision
from sim.mechanism import Market

FIRST_SERIAL = 1 << 20
"""Number of an adversary's first episode of a day: far above those of real care."""


class FalseClaims:
    """Invented claims of one adversary.

    Parameters
    ----------
    market: where people and contracts are.
    recruiting: draws of the people who collude.
    members: how many do. account: the adversary's. share: part of what is paid that the adversary collects.
    number: tells adversaries of one market apart.
    """

    def __init__(
        self, market: Market, recruiting: Decision, members: int, account: int, share: float, number: int
    ) -> None:
        self.market = market
        self.claims: Any = market.mechanism("claims")
        self.records: Any = market.mechanism("providers").records
        self.usd: int = market.ledger.asset_id("USDs")
        self.account = account
        self.share = share
        self.first = FIRST_SERIAL * (1 + number)
        self.members = recruiting.order(0, market.people["key"])[:members]
        self.open: dict[int, int] = {}
        """Claim id -> base units of its payments that were counted."""
        self.filed = self.approved = self.denied = 0
        self.paid = self.collected = 0
        self._turn = 0

    def willing(self, count: int) -> NDArray[np.int64]:
        """Slots of the next ``count`` members who are insured by a pool, each member in turn."""
        people = self.market.people
        insured = self.members[(people["pool"][self.members] >= 0) & ~people["public_cover"][self.members]]
        if not insured.size:
            return insured
        turn = (self._turn + np.arange(min(count, insured.size))) % insured.size
        self._turn += turn.size
        result: NDArray[np.int64] = insured[turn]
        return result

    def file(self, slots: NDArray[np.int64], amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """File claims of ``amounts`` for care of today that members ``slots`` did not receive; ids, -1 where refused.

        To be called from a transaction: nothing is left of it where that is refused.
        """
        market, people = self.market, self.market.people
        count = slots.size
        serials = np.full(count, self.first, dtype=np.int64)
        days = np.full(count, market.day, dtype=np.int64)
        ids: NDArray[np.int64] = self.claims.file(
            people["pool"][slots].astype(np.int64), slots, people["key"][slots], slots + market.ledger.people_start,
            amounts, days, market.day, serials, people["plan"][slots])
        return ids

    def note(self, ids: NDArray[np.int64]) -> None:
        """Enter what was filed into the records, with nothing due, once the transaction stands."""
        filed = ids[ids >= 0]
        self.records.add(filed, np.zeros(filed.size, dtype=np.int64))
        self.filed += filed.size
        for claim in filed.tolist():
            self.open[claim] = 0

    def follow(self) -> tuple[list[int], int]:
        """Collect from members what pools paid today; (claims denied for good today, claims approved today)."""
        table, ledger = self.claims.table, self.market.ledger
        ended = set(self.claims.ended_today().tolist())
        denied, approved = [], 0
        for claim in sorted(self.open):
            paid = int(table["paid"][claim]) - self.open[claim]
            if paid:
                self.open[claim] += paid
                self.paid += paid
                member = int(table["slot"][claim]) + ledger.people_start
                part = min(int(paid * self.share), ledger.balance(self.usd, member))
                ledger.transfer(self.usd, member, self.account, part, "fraud_proceeds")
                self.collected += part
            if claim in ended:
                if table["approved"][claim]:
                    approved += 1
                else:
                    denied.append(claim)
            if claim in ended and table["paid"][claim] == table["approved"][claim]:
                del self.open[claim]
        self.denied += len(denied)
        self.approved += approved
        return denied, approved
