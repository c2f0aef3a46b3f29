"""The data vault: consent to use a patient's record, its price, and the sale of access.

Holds, per person, until when and for which conditions consent holds, the price asked, what was sold and earned; and the
bids that researchers post. Records themselves stay encrypted off chain: a sale gives a buyer the use of a record for
``validity_days``. What can never be: a sale without consent in force, above the price asked by the seller or to a
buyer who still has the use of that record; money made or lost in the split.
Rounding: patient's and treasury's parts are floored, the vault keeps the dust; the parts sum to the price.

Who bought what is kept as one bit per buyer and person, held until the *last* sale of that person lapses. So a buyer
may have to wait longer than its own validity, but never pays twice within it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Mechanism, Phase

if TYPE_CHECKING:
    from sim.mechanism import Market

ALL_CONDITIONS = np.uint32(0xFFFFFFFF)
ANY_CONDITION = -1
MOST_BUYERS = 64
HIGHEST_PRICE = 1_000_000 * MICRO
DAYS_PER_YEAR = 365
COST_INTERVAL_DAYS = 30
CUT_MARGIN = 8
"""A price cut is set so that so many times the wanted number of records lay below it."""


@dataclass(frozen=True, slots=True)
class Bid:
    """A buyer's standing offer: up to ``price`` micro-USD for each of ``quantity`` records of ``condition``."""

    condition: int
    price: int
    quantity: int
    expires: int


@dataclass(frozen=True, slots=True)
class Sale:
    """One purchase: whose records (slots), what each cost, and until when they may be used."""

    slots: NDArray[np.int64]
    prices: NDArray[np.int64]
    valid_until: int

    @property
    def total(self) -> int:
        """What the buyer paid, micro-USD."""
        return int(self.prices.sum())


def split_price(prices: NDArray[np.int64], vault_bps: int, treasury_bps: int,
                ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(patient, vault, treasury) parts of each price; they sum to it."""
    patient = prices * (BPS - vault_bps - treasury_bps) // BPS
    treasury = prices * treasury_bps // BPS
    return patient, prices - patient - treasury, treasury


class DataVault(Mechanism):
    """Consent registry and market of access to records."""

    hooks = (Hook(Phase.CARE, "keep_records", after=("morbidity",)),
             Hook(Phase.SETTLEMENT, "pay_running_costs", after=("chain",)))

    def setup(self, market: Market) -> None:
        """Add the people's columns, open the vault's account, register shares."""
        section, people = self.section, market.people
        self.market, self.ledger, self.people = market, market.ledger, people
        self.cash = market.ledger.asset_id("USDs")
        self.account = market.ledger.open_account("data_vault", "protocol")
        people.add("records", np.int32, 0)
        people.add("consent_until", np.int32, -1)
        people.add("consent_price", np.int64, 0)
        people.add("consent_scope", np.uint32, 0)
        people.add("breach_fear", np.int64, round(section.breach_fear * MICRO))
        people.add("data_buyers", np.uint64, 0)
        people.add("data_sold_until", np.int32, -1)
        people.add("data_income", np.int64, 0)
        for what in section.governable:
            market.parameters.register(what.path, getattr(section, what.path.removeprefix("data_vault.")), what.low,
                                       what.high, what.integer)
        self._buyers: list[int] = []
        self._bids: dict[int, Bid] = {}
        self._cuts: dict[int, int] = {}
        self.sales_today = 0
        self.revenue_today = 0
        self._sales = 0
        self._turnover = 0
        self._consent_days = 0.0

    # Patients -------------------------------------------------------------------------------------------------

    @property
    def posted_price(self) -> int:
        """The highest price that any buyer bids today, micro-USD; 0 where there is no bid."""
        return self.best_bid(ANY_CONDITION)

    def best_bid(self, condition: int) -> int:
        """The highest live bid for ``condition`` (or for any), micro-USD."""
        today = self.market.day
        return max((bid.price for bid in self._bids.values()
                    if bid.expires >= today and condition in (ANY_CONDITION, bid.condition)), default=0)

    def reservation_price(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Least price at which these patients would sell, int64[n] micro-USD.

        The patient's part must cover privacy cost, fear of a breach and a margin, so the price is rounded up.
        """
        own = (self.people["privacy_cost"][slots] + self.people["breach_fear"][slots]) * (1.0 + self.section.ask_margin)
        vault_bps, treasury_bps = self._shares_bps()
        gross = np.ceil(own * (BPS / (BPS - vault_bps - treasury_bps)))
        return np.minimum(gross, HIGHEST_PRICE).astype(np.int64)

    def consent(self, slots: NDArray[np.int64], prices: NDArray[np.int64], until: ArrayLike,
                scope: ArrayLike = ALL_CONDITIONS) -> None:
        """Give consent through day ``until`` at ``prices`` micro-USD for the conditions in ``scope`` (bit mask).

        A later consent replaces the one before. :class:`Refused` for a negative or absurd price or an end in the past.
        """
        if slots.size == 0:
            return
        if prices.min() < 0 or prices.max() > HIGHEST_PRICE:
            raise Refused("a record's price must lie between 0 and a million dollars")
        if np.min(until) < self.market.day:
            raise Refused("consent cannot end in the past")
        self._write(slots, consent_until=until, consent_price=prices, consent_scope=scope)

    def withdraw(self, slots: NDArray[np.int64]) -> None:
        """End consent today; what was sold stays with its buyers until it lapses."""
        self._write(slots, consent_until=self.market.day - 1)

    # Buyers ---------------------------------------------------------------------------------------------------

    def register_buyer(self, account: int) -> int:
        """Admit a buyer and return its number; at most 64, one bit each."""
        if len(self._buyers) == MOST_BUYERS:
            raise ValueError(f"the vault has room for {MOST_BUYERS} buyers")
        self._buyers.append(account)
        return len(self._buyers) - 1

    def post_bid(self, buyer: int, condition: int, price: int, quantity: int) -> None:
        """Post or replace a buyer's bid. Bids are signed messages off chain: they bind nobody and cost no gas."""
        expires = self.market.day + self.section.bid_validity_days
        self._bids[buyer] = Bid(condition, price, quantity, expires)

    def withdraw_bid(self, buyer: int) -> None:
        """Take a bid back."""
        self._bids.pop(buyer, None)

    def on_offer(self, buyer: int, condition: int, max_price: int = HIGHEST_PRICE,
                 limit: int | None = None) -> NDArray[np.int64]:
        """Slots whose record ``buyer`` could buy today for at most ``max_price``, cheapest first (ties by key).

        With ``limit`` only so many of the cheapest, which spares most of the work: a cut that was high enough for this
        condition before is tried first, and all are looked at only where it does not yield so many.
        """
        cut = self._cuts.get(condition, HIGHEST_PRICE) if limit is not None else HIGHEST_PRICE
        slots = self._eligible(buyer, condition, min(cut, max_price))
        if limit is not None and cut < max_price and slots.size < limit:
            slots = self._eligible(buyer, condition, max_price)
        prices = self.people["consent_price"][slots]
        if limit is not None and slots.size > limit:
            reach = min(CUT_MARGIN * limit, slots.size - 1)
            cheapest = np.partition(prices, (limit, reach))
            self._cuts[condition] = int(cheapest[reach])
            slots = slots[prices <= cheapest[limit]]
            prices = self.people["consent_price"][slots]
        return slots[np.lexsort((self.people["key"][slots], prices))][:limit]

    def _eligible(self, buyer: int, condition: int, max_price: int) -> NDArray[np.int64]:
        """Slots that ``buyer`` could buy today for at most ``max_price``, in order of slot."""
        people, today = self.people, self.market.day
        slots = np.flatnonzero((people["consent_price"] <= max_price) & (people["consent_until"] >= today))
        if condition != ANY_CONDITION:
            bit = np.uint32(1 << condition)
            slots = slots[(people["chronic"][slots] & people["consent_scope"][slots] & bit) != 0]
        slots = slots[people["records"][slots] > 0]
        sold = (people["data_buyers"][slots] >> np.uint64(buyer)) & np.uint64(1) != 0
        return slots[~(sold & (people["data_sold_until"][slots] >= today))]

    def buy(self, buyer: int, quantity: int, max_price: int, condition: int) -> Sale:
        """Buy the cheapest consented records, as many of ``quantity`` as are on offer and the buyer's cash pays for.

        Each at its own price. :class:`Refused` for an unknown buyer or where nothing can be bought.
        """
        if not 0 <= buyer < len(self._buyers):
            raise Refused(f"no buyer {buyer}")
        slots = self.on_offer(buyer, condition, max_price, max(quantity, 0))
        prices = self.people["consent_price"][slots]
        account = self._buyers[buyer]
        affordable = int(np.searchsorted(np.cumsum(prices), self.ledger.balance(self.cash, account), side="right"))
        slots, prices = slots[:affordable], prices[:affordable]
        if slots.size == 0:
            raise Refused("no record on offer at that price")
        patient, vault, treasury = split_price(prices, *self._shares_bps())
        valid_until = self.market.day + self.section.validity_days
        with self.ledger.atomic():
            self.ledger.pay(self.cash, account, self.ledger.person(slots), patient, "data_sale")
            self.ledger.transfer(self.cash, account, self.account, int(vault.sum()), "data_fee")
            self._pay_treasury(account, int(treasury.sum()))
            self._mark_sold(buyer, slots, patient, valid_until)
            self._count(slots.size, int(prices.sum()))
        return Sale(slots, prices, valid_until)

    def _pay_treasury(self, account: int, amount: int) -> None:
        governance = self.market.find("governance")
        if governance is not None:
            governance.treasury.receive(account, amount, "data_fee")
        else:
            self.ledger.transfer(self.cash, account, self.market.treasury_account(), amount, "data_fee")

    def _mark_sold(self, buyer: int, slots: NDArray[np.int64], income: NDArray[np.int64], valid_until: int) -> None:
        people = self.people
        live = people["data_sold_until"][slots] >= self.market.day
        buyers = np.where(live, people["data_buyers"][slots], np.uint64(0)) | np.uint64(1 << buyer)
        self._write(slots, data_buyers=buyers, data_income=people["data_income"][slots] + income,
                    data_sold_until=np.maximum(people["data_sold_until"][slots], valid_until))

    def _count(self, sales: int, turnover: int) -> None:
        before = (self._sales, self._turnover, self.sales_today, self.revenue_today)

        def undo() -> None:
            self._sales, self._turnover, self.sales_today, self.revenue_today = before

        self.ledger.on_rollback(undo)
        self._sales += sales
        self._turnover += turnover
        self.sales_today += sales
        self.revenue_today += turnover

    def _write(self, slots: NDArray[np.int64], **columns: ArrayLike) -> None:
        """Set columns at ``slots``, undone if the enclosing transaction fails."""
        for name, values in columns.items():
            if self.ledger.in_atomic:
                self.ledger.on_rollback(self._restorer(name, slots))
            self.people[name][slots] = values

    def _restorer(self, name: str, slots: NDArray[np.int64]) -> Callable[[], None]:
        old = self.people[name][slots].copy()

        def undo() -> None:
            self.people[name][slots] = old

        return undo

    def _shares_bps(self) -> tuple[int, int]:
        live = self.market.parameters
        return round(live["data_vault.vault_share"] * BPS), round(live["data_vault.treasury_share"] * BPS)

    # The day --------------------------------------------------------------------------------------------------

    def keep_records(self, market: Market) -> None:
        """A day of care adds an entry to the patient's record."""
        self.sales_today = self.revenue_today = 0
        morbidity = market.find("morbidity")
        if morbidity is not None:
            self.people["records"][morbidity.today.slot] += 1  # once a day, however many episodes

    def pay_running_costs(self, market: Market) -> None:
        """Once a month the vault spends its income on storage and staff."""
        if market.day % COST_INTERVAL_DAYS == 0 and self.ledger.has_account("firms"):
            self.ledger.transfer(self.cash, self.account, self.ledger.account("firms"),
                                 self.ledger.balance(self.cash, self.account), "vault_costs")

    def observe(self, market: Market) -> None:
        """Record the day."""
        consents = int(np.count_nonzero(self.people["consent_until"] >= market.day))
        self._consent_days += consents / max(self.people.size, 1)
        record = market.record
        record.series("data_vault.consents", consents)
        record.series("data_vault.sales", self.sales_today)
        record.series("data_vault.revenue", self.revenue_today / MICRO)
        record.series("data_vault.best_bid", self.posted_price / MICRO)

    def finish(self, market: Market) -> None:
        """Record the run's figures."""
        days, patients = market.day + 1, max(self.people.size, 1)
        income = int(self.people["data_income"].sum())
        metric = market.record.metric
        metric("data_vault.consent_rate", self._consent_days / max(days, 1))
        metric("data_vault.sales", self._sales)
        metric("data_vault.mean_price", self._turnover / self._sales / MICRO if self._sales else float("nan"))
        metric("data_vault.revenue_per_patient", income / MICRO / patients * DAYS_PER_YEAR / max(days, 1))
        metric("data_vault.sellers", float(np.count_nonzero(self.people["data_income"])) / patients)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        """Sold records have a buyer, and patients never earned more than buyers paid."""
        return (("sales_have_buyers", self.sales_have_buyers),
                ("patients_earn_from_sales", self.patients_earn_from_sales))

    def sales_have_buyers(self) -> str | None:
        """A record that was sold until some day has a buyer, and no unknown buyer has one."""
        people = self.people
        orphans = int(np.count_nonzero((people["data_sold_until"] >= 0) & (people["data_buyers"] == 0)))
        if orphans:
            return f"{orphans} records are sold to nobody"
        known = len(self._buyers)
        if known < MOST_BUYERS and np.any(people["data_buyers"] >> np.uint64(known)):
            return "a record is held by an unknown buyer"
        return None

    def patients_earn_from_sales(self) -> str | None:
        """Patients' income from records is at most what buyers paid in all."""
        income = int(self.people["data_income"].sum())
        return None if income <= self._turnover else f"patients earned {income} from sales of {self._turnover}"
