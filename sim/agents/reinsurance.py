"""Mechanism "reinsurance": treaties between pools and reinsurers, their prices, cessions, premiums and recoveries.

Insurers decide whether to buy; reinsurers and, where a scenario lets them, pools sell. After the day's claims: losses
travel on in rounds, premium falls due, and what has fallen due of recoveries is paid. Where a mechanism "contagion"
clears debts between institutions, it says what each debtor pays; otherwise each pays pro rata from its free cash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.reinsurance_desk import Desk
from sim.agents.reinsurance_pricing import CostLaw
from sim.agents.reinsurance_report import ReinsuranceReport
from sim.agents.reinsurer import Reinsurer
from sim.contracts.insurance.premium import YEAR_DAYS
from sim.contracts.reinsurance.book import ReinsuranceBook, Trace
from sim.contracts.reinsurance.checks import book_checks
from sim.contracts.reinsurance.layer import ReinsuranceLayer
from sim.contracts.reinsurance.parties import RECOVERY, Party, PoolParty, ReinsurerParty, Standing
from sim.contracts.reinsurance.treaty import Line, Treaty
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Exposure, Hook, Market, Mechanism, Phase, Statement
from sim.scenario.sections.reinsurance import ReinsuranceSection
from sim.world.tables import read_table


class Reinsurance(Mechanism):
    """All reinsurance. ``pools[j]`` is pool j as a party, ``reinsurers`` the agents that sell."""

    section: ReinsuranceSection
    hooks = (
        Hook(Phase.INSURERS, "decide", after=("insurers",)),
        Hook(Phase.SETTLEMENT, "end_day", after=("insurance",)),
    )
    shocks = {"reinsurer_default": "default_reinsurers",  # noqa: RUF012
              "reinsurer_downgrade": "downgrade_reinsurers"}

    def setup(self, market: Market) -> None:
        self.market = market
        self.ledger = market.ledger
        self.usd: int = market.ledger.asset_id("USDs")
        insurance: Any = market.mechanism("insurance")
        self.pools = [PoolParty(pool) for pool in insurance.pools]
        parties = [ReinsurerParty(self.ledger, self.usd, f"RE{i + 1}") for i in range(self.section.reinsurers)]
        every: list[Party] = [*self.pools, *parties]
        self.book = ReinsuranceBook(self.ledger, {party.name: party for party in every}, self.section.most_rounds)
        self.reinsurers = [Reinsurer(market, self.section, self.book, party) for party in parties]
        for party in self.pools:
            party.pool.layers.insert(0, ReinsuranceLayer(self.book, party, self.insured_of))
        self._due: list[tuple[Line, int]] = []
        self._due_on = -1
        self._standing_changed = False

    def start(self, market: Market) -> None:
        section, population = self.section, market.mechanism("population")
        insurers: Any = market.mechanism("insurers")
        targets = read_table(population.tables_folder, "spending_targets")
        quantities, values = targets.text("quantity"), targets.numbers("value")
        law = CostLaw.of(*(float(values[quantities.index(name)]) for name in ("mean", "median", "zero_share")))
        self.desk = Desk(section, self.book, insurers, market.mechanism("insurance"), self.pools, self.reinsurers, law,
                         market.people.size)
        self.report = ReinsuranceReport(self.book, self.desk, self.pools, self.reinsurers)
        required = sum(insurers.opening_requirement(index) for index in range(len(self.pools)))
        for reinsurer in self.reinsurers:
            market.endow(reinsurer.party.account, round(section.reinsurer_capital * required / len(self.reinsurers)))
            reinsurer.open()
        for party in self.pools:
            self._put_on_balance_sheet(party)
        self.clears = market.find("contagion") is None
        self.claims: Any = market.find("claims")

    def _put_on_balance_sheet(self, party: PoolParty) -> None:
        name, market, desk = party.name, self.market, self.desk
        party.pool.admitted["reinsurance"] = lambda: desk.recoverable(name, market.day)
        party.pool.owed["reinsurance"] = lambda: desk.owed(name, market.day)

    def insured_of(self, claim_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Storage slots of the insured of these claims, int64[n]; without a claims mechanism each is somebody else."""
        if self.claims is None:
            return claim_ids % max(self.market.people.size, 1)
        slots: NDArray[np.int64] = self.claims.table["slot"][claim_ids].astype(np.int64)
        return slots

    # The day -------------------------------------------------------------------------------------------------

    def decide(self, market: Market) -> None:
        """Scheduled treaties are made, insurers review what they need, prices follow the year's result."""
        day = market.day
        self.book.today = Trace()
        changed = self.desk.schedule(day)
        if self.section.insurers_buy and day % self.section.review_interval_days == 0:
            for party in self.pools:
                bought = self.desk.review(party, day)
                changed += bought
                if bought:
                    self.desk.refresh_relief(party, day)
        for treaty in changed:
            self.report.open()
            market.record.event("treaty", treaty.buyer.name, treaty.limit() / MICRO, form=treaty.terms.form,
                                sellers=len({line.seller.name for line in treaty.every_line()}),
                                expected_share=treaty.terms.expected_share)
        if changed or self._standing_changed or any(treaty.terms.end == day for treaty in self.book.treaties):
            self._standing_changed = False
            for party in self.pools:
                self.desk.refresh_relief(party, day)
        if day % YEAR_DAYS == YEAR_DAYS - 1:
            for reinsurer in self.reinsurers:
                reinsurer.close_year(self.desk.funds(reinsurer.party, day))

    def end_day(self, market: Market) -> None:
        """Losses travel on; premium is paid; what is due is paid, unless it is cleared with other debts."""
        day = market.day
        self.book.run_rounds(day)
        self.book.pay_premiums(day)
        self.book.write_off(day, self.section.write_off_days)
        if self.clears:
            due = self.book.due_lines(day)
            if due:
                self._note_failures(self.book.fail(due, self.book.collect(due, RECOVERY), day))
        for reinsurer in self.reinsurers:
            party = reinsurer.party
            if party.standing in (Standing.SOUND, Standing.DOWNGRADED) and self.desk.funds(party, day) < 0:
                party.standing = Standing.INSOLVENT
                market.record.event("reinsurer_insolvent", party.name, self.desk.funds(party, day) / MICRO)

    def _note_failures(self, failed: Iterable[tuple[Party, int]]) -> None:
        for party, amount in failed:
            self._standing_changed = True
            self.market.record.event("recovery_unpaid", party.name, amount / MICRO)

    # Shocks --------------------------------------------------------------------------------------------------

    def default_reinsurers(self, reinsurers: list[str], recovery: float) -> None:
        """Shock ``reinsurer_default``."""
        outside = self.ledger.account("rest_of_world")
        for party in self._named(reinsurers):
            lost = party.free_cash() - int(party.free_cash() * recovery)
            self.ledger.transfer(self.usd, party.account, outside, lost, "investment_loss")
            party.fail(self.market.day)
            self._standing_changed = True

    def downgrade_reinsurers(self, reinsurers: list[str], extra_lag_days: int) -> None:
        """Shock ``reinsurer_downgrade``."""
        for party in self._named(reinsurers):
            party.extra_lag_days = extra_lag_days
            if party.standing is Standing.SOUND:
                party.standing = Standing.DOWNGRADED

    def _named(self, names: list[str]) -> list[ReinsurerParty]:
        known = {reinsurer.party.name: reinsurer.party for reinsurer in self.reinsurers}
        unknown = set(names) - set(known)
        if unknown:
            raise ValueError(f"there is no reinsurer {sorted(unknown)[0]!r}")
        return [known[name] for name in names] if names else list(known.values())

    # Debts between institutions ------------------------------------------------------------------------------

    def exposures(self) -> list[Exposure]:
        """What sellers owe cedants, due or not, one entry for each pair."""
        pairs: dict[tuple[str, str], int] = {}
        for treaty in self.book.treaties:
            for line in treaty.every_line():
                if line.owed:
                    pair = line.seller.name, treaty.buyer.name
                    pairs[pair] = pairs.get(pair, 0) + line.owed
        parties = self.book.parties
        return [Exposure(parties[seller].account, parties[buyer].account, self.usd, amount, "reinsurance",
                         parties[seller].seniority) for (seller, buyer), amount in pairs.items()]

    def obligations_due(self, day: int) -> Sequence[Exposure]:
        """Recoveries that have fallen due, one by line, the overdue among them."""
        self._due, self._due_on = self.book.due_lines(day), day
        return [Exposure(line.seller.account, line.treaty.buyer.account, self.usd, amount, "reinsurance",
                         line.seller.seniority) for line, amount in self._due]

    def settle_obligations(self, day: int, paid: Sequence[int]) -> None:
        """Pay what clearing has found; who pays less than what is due has failed."""
        if day != self._due_on or len(paid) != len(self._due):
            raise ValueError("payments do not belong to the obligations that were last asked for")
        self.book.execute(self._due, paid, RECOVERY)
        self._note_failures(self.book.fail(self._due, paid, day))

    def statements(self) -> list[Statement]:
        """Balance sheets of the reinsurers."""
        day, result = self.market.day, []
        for reinsurer in self.reinsurers:
            party = reinsurer.party
            result.append(Statement(
                party.name, party.account, party.free_cash(), {"reinsurance": self.desk.recoverable(party.name, day)},
                {"reinsurance": self.desk.owed(party.name, day)}, party.failed_on))
        return result

    # Observations --------------------------------------------------------------------------------------------

    def treaties_of(self, name: str) -> list[Treaty]:
        """Treaties under which the party of that name cedes, in force or not."""
        return self.book.outward[name]

    def observe(self, market: Market) -> None:
        self.report.record_day(market, market.day)

    def finish(self, market: Market) -> None:
        self.report.record_run(market, market.day)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield from book_checks(self.book)
