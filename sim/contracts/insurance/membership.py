"""Membership: who is covered by which plan of which pool, what cover costs him, and the premium he pays.

Holds the people's columns of cover. What is chosen is an option: one plan of one pool (:mod:`options`). A contract runs
from one open enrolment to the next; its price is fixed when it begins. Premium is paid for a number of days (a month,
or the days to the first payday) by the person and, in part, by a sponsor; both or neither pay. When cover ends, what is
not yet earned goes back to each who paid it.

What can never be: a person in two plans; a premium below the contract's price; premium scheduled that was not paid;
a refund of what was earned. Rounding: of a price, up to 1/1000 of the base rate at the person's age; of the parts of a
month, down, as payers floor them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.options import Options
from sim.contracts.insurance.policy import apply_terms, terms_table
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolError
from sim.contracts.insurance.premium import monthly_premium, payable_rows
from sim.kernel.fixedpoint import BPS, share_pot

if TYPE_CHECKING:
    from sim.kernel.columns import Columns
    from sim.kernel.ledger import Ledger

NO_POOL = -1
NOT_OFFERED = -1
COLUMNS: dict[str, tuple[Any, int]] = {
    "pool": (np.int16, NO_POOL),
    "plan": (np.int8, 0),  # which of the pool's plans
    "deductible_met": (np.int64, 0),  # base units, in this contract year
    "oop_spent": (np.int64, 0),
    "limit_used": (np.int64, 0),
    "cover_from": (np.int32, 0),  # day
    "paid_to": (np.int32, 0),  # first day that is not paid for
    "monthly_due": (np.int64, 0),  # price of 30 days in this contract year
    "scheduled_own": (np.int64, 0),  # premium of the running schedule, by payer
    "scheduled_sponsored": (np.int64, 0),
    "scheduled_sponsor": (np.int32, 0),  # ledger account
    "scheduled_days": (np.int16, 0),  # length of the schedule, which ends at paid_to
}

SCHEDULE = ("paid_to", "scheduled_own", "scheduled_sponsored", "scheduled_sponsor", "scheduled_days")
"""The columns that a payment of premium changes."""


class Membership:
    """The people's cover with ``pools``; ``age_factors`` int64 thousandths of the base rate by age in years."""

    def __init__(
        self, people: Columns, ledger: Ledger, asset: int, pools: list[InsurancePool], age_factors: NDArray[np.int64],
        capacity_ratio: float,
    ) -> None:
        self.people = people
        self.ledger = ledger
        self.asset = asset
        self.pools = pools
        self.age_factors = age_factors
        self.capacity_ratio = capacity_ratio
        self.options = Options([pool.plans for pool in pools])
        self.terms = terms_table([pool.plans for pool in pools])
        self.base_rates: NDArray[np.int64] = np.zeros(len(self.options), dtype=np.int64)
        for name, (dtype, default) in COLUMNS.items():
            people.add(name, dtype, default)

    # Prices and terms ----------------------------------------------------------------------------------------

    def rates(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Annual premium int64[options, n] at each person's age, base units, whether offered or not."""
        factors = self.age_factors[np.minimum(self.people["age"][slots], self.age_factors.size - 1)]
        annual: NDArray[np.int64] = -(-self.base_rates[:, None] * factors[None, :] // 1000)
        return annual

    def held(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """The option that each person holds, int64[n]; -1 for none."""
        return self.options.of(self.people["pool"][slots], self.people["plan"][slots])

    def pool_rate(self, index: int) -> float:
        """Base rate of a pool, base units: the mean of its members' plans, of all its plans while it has none."""
        first, books = self.options.first[index], self.pools[index].books
        rates = self.base_rates[first:first + books.members.size]
        weights = books.members if books.members.any() and rates.size > 1 else None
        return float(np.average(rates, weights=weights))

    def offered(self, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """bool[options, n]: whether a pool takes this person, or keeps him; a plan without a rate is closed."""
        people = self.people
        member = people["pool"][slots][None, :] == np.arange(len(self.pools))[:, None]
        open_to = np.empty((len(self.pools), slots.size), dtype=np.bool_)
        for index, pool in enumerate(self.pools):
            renews = pool.run_off_since is None
            here = True if pool.region < 0 else people["region"][slots] == pool.region
            open_to[index] = np.where(member[index], renews, pool.offers & np.asarray(here))
        return open_to[self.options.pool] & (self.base_rates > 0)[:, None]

    def split(
        self, slots: NDArray[np.int64], costs: NDArray[np.int64], kinds: NDArray[np.int8] | None, day: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Apply each person's terms to costs in row order; see :func:`policy.apply_terms`."""
        people = self.people
        if kinds is None:
            kinds = np.full(slots.size, -1, dtype=np.int8)
        self._save(slots, ("deductible_met", "oop_spent", "limit_used"))
        return apply_terms(slots, costs, kinds.astype(np.int8), day, people["pool"], people["plan"],
                           people["cover_from"], people["deductible_met"], people["oop_spent"], people["limit_used"],
                           self.terms)

    def marginal_coinsurance(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the next dollar of care costs each person himself, float64[n]: 1 inside the deductible, beyond the limit
        and without cover, 0 above the out-of-pocket maximum, the coinsurance rate otherwise."""
        people = self.people
        pools = people["pool"][slots]
        terms = self.terms[np.maximum(pools, 0), people["plan"][slots]]
        rate = np.where(people["deductible_met"][slots] < terms[:, 1], 1.0, terms[:, 2] / BPS)
        rate = np.where(people["oop_spent"][slots] >= terms[:, 3], 0.0, rate)
        beyond = (people["limit_used"][slots] >= terms[:, 4]) | (terms[:, 0] != 0) | (pools < 0)
        result: NDArray[np.float64] = np.where(beyond, 1.0, rate)
        return result

    # Joining and leaving -------------------------------------------------------------------------------------

    def enrol(self, slots: NDArray[np.int64], options: NDArray[np.int64], day: int) -> NDArray[np.bool_]:
        """Begin a contract year of each person with an option (his own: a renewal); bool[n] which were taken.

        A pool takes newcomers, in row order, only while its capital covers ``capacity_ratio`` x SCR with them; a member
        may change its plan. Whoever is not taken keeps what he had.
        """
        people = self.people
        options = options.astype(np.int64)
        pools, plans = self.options.pool[options], self.options.plan[options]
        every = np.arange(slots.size)
        taken = self.offered(slots)[options, every]
        due = monthly_premium(self.rates(slots)[options, every])
        member = people["pool"][slots] == pools
        for index in np.unique(pools):
            new = np.flatnonzero(taken & ~member & (pools == index))
            if new.size:
                taken[new[self.capacity(int(index), due[new], plans[new]):]] = False
        self._save(slots, tuple(COLUMNS))
        stays = member & (people["plan"][slots] == plans)
        moving = np.flatnonzero(taken & ~stays)
        self.leave(slots[moving])
        rows = slots[taken]
        for option in np.unique(options[taken]):
            pool, plan = self.pools[self.options.pool[option]], int(self.options.plan[option])
            mine = taken & (options == option)
            who, joining = slots[mine], int((mine & ~stays).sum())
            pool.count_members(joining, int(due[mine].sum()) - int(people["monthly_due"][who].sum()),
                               joining * pool.plans[plan].sum_assured, plan)
        people["pool"][rows] = pools[taken]
        people["plan"][rows] = plans[taken]
        people["monthly_due"][rows] = due[taken]
        for name in ("deductible_met", "oop_spent", "limit_used"):
            people[name][rows] = 0
        people["cover_from"][slots[moving]] = day
        people["paid_to"][slots[moving]] = day
        return taken

    def capacity(self, index: int, monthly: NDArray[np.int64], plans: NDArray[np.int64]) -> int:
        """How many newcomers with these monthly premiums and plans int64[n], in order, the pool's capital can carry."""
        pool = self.pools[index]
        premiums = np.concatenate(([0], np.cumsum(monthly)))
        low, high = 0, int(monthly.size)
        while low < high:
            middle = (low + high + 1) // 2
            counts = np.bincount(plans[:middle], minlength=len(pool.plans)).tolist()
            cover = sum(count * terms.sum_assured for count, terms in zip(counts, pool.plans, strict=True))
            if pool.carries(middle, int(premiums[middle]), cover, self.capacity_ratio):
                low = middle
            else:
                high = middle - 1
        return low

    def leave(self, slots: NDArray[np.int64]) -> int:
        """End these persons' cover and pay back what is not yet earned; returns the refunds, base units."""
        people = self.people
        slots = slots[people["pool"][slots] >= 0]
        if slots.size == 0:
            return 0
        self._save(slots, tuple(COLUMNS))
        refunded = 0
        options = self.held(slots)
        for option in np.unique(options):
            who = slots[options == option]
            pool, plan = self.pools[self.options.pool[option]], int(self.options.plan[option])
            own, sponsored = self._unschedule(pool, who)
            pool.count_members(-who.size, -int(people["monthly_due"][who].sum()),
                               -who.size * pool.plans[plan].sum_assured, plan)
            source = pool.accounts.unearned
            self.ledger.pay(self.asset, source, who + self.ledger.people_start, own, "premium_refund")
            self.ledger.pay(self.asset, source, people["scheduled_sponsor"][who].astype(np.int64), sponsored,
                            "premium_refund")
            refunded += int(own.sum() + sponsored.sum())
        people["pool"][slots] = NO_POOL
        for name in ("monthly_due", "scheduled_own", "scheduled_sponsored", "scheduled_days"):
            people[name][slots] = 0
        return refunded

    def hand_over(self, source: int, target: int) -> int:
        """Move all members of one pool to another that writes the same terms, with their contracts, what they have used
        of them and their unearned premium, to the unit; returns how many."""
        people, old, new = self.people, self.pools[source], self.pools[target]
        if old.plans != new.plans or new.region not in (-1, old.region):
            raise PoolError(f"{new.name} does not write the contracts of {old.name}")
        who = np.flatnonzero(people["pool"] == source)
        if who.size == 0:
            return 0
        self._save(who, tuple(COLUMNS))
        own, sponsored = self._unschedule(old, who)
        self.ledger.transfer(self.asset, old.accounts.unearned, new.accounts.unearned,
                             int(own.sum() + sponsored.sum()), "takeover")
        begin = max(old.unearned.next_day, new.unearned.next_day)
        days = np.maximum(people["paid_to"][who].astype(np.int64) - begin, 0)
        rows = np.flatnonzero((own + sponsored > 0) & (days > 0))
        new.write_premiums((own[rows], sponsored[rows]), np.full(rows.size, begin, dtype=np.int64), days[rows],
                           people["plan"][who[rows]])
        people["scheduled_own"][who], people["scheduled_sponsored"][who] = own, sponsored
        people["scheduled_days"][who] = days
        for plan, terms in enumerate(old.plans):
            members, monthly = int(old.books.members[plan]), int(old.books.monthly_premium[plan])
            old.count_members(-members, -monthly, -members * terms.sum_assured, plan)
            new.count_members(members, monthly, members * terms.sum_assured, plan)
        people["pool"][who] = target
        return int(who.size)

    def rebate(self, index: int, amount: int) -> int:
        """Share ``amount``, or what surplus holds of it, among a pool's members by their premium; returns it."""
        pool, people = self.pools[index], self.people
        amount = min(amount, pool.cash(pool.accounts.surplus))
        who = np.flatnonzero(people["pool"] == index)
        if amount <= 0 or who.size == 0:
            return 0
        due = people["monthly_due"][who]
        parts = share_pot(amount, due * (amount // max(int(due.sum()), 1) + 1), people["key"][who])
        self.ledger.pay(self.asset, pool.accounts.surplus, who + self.ledger.people_start, parts, "premium_rebate")
        pool.count_rebate(int(parts.sum()))
        return int(parts.sum())

    # Premium -------------------------------------------------------------------------------------------------

    def pay_premiums(
        self, slots: NDArray[np.int64], own: NDArray[np.int64], sponsors: NDArray[np.int64],
        sponsored: NDArray[np.int64], days: NDArray[np.int64] | None = None,
    ) -> NDArray[np.bool_]:
        """Pay premium for ``days`` int64[n] (by default what the amount buys, at most a month) from ``paid_to`` on:
        ``own`` from each person and ``sponsored`` from an account; both or neither. Returns bool[n], which were paid.

        Rows without cover, or paid for more than a month ahead, are not paid. PoolError where a payment is below the
        contract's price, or a person stands in two rows.
        """
        people = self.people
        bought = days is None
        days = np.empty(slots.size, dtype=np.int64) if days is None else days.astype(np.int64)
        payable = np.empty(slots.size, dtype=np.bool_)
        rising, short = payable_rows(
            slots, own, sponsored, people["pool"], people["monthly_due"], people["paid_to"],
            np.array([pool.unearned.next_day for pool in self.pools]), self.ledger.person_balances(self.asset), bought,
            days, payable)
        if not rising and np.unique(slots).size != slots.size:
            raise PoolError("a person stands twice in one payment of premiums")
        if short >= 0:
            raise PoolError(f"{own[short] + sponsored[short]} base units do not pay {days[short]} days at "
                            f"{people['monthly_due'][slots[short]]} a month")
        rows = payable.nonzero()[0]
        pools = people["pool"][slots[rows]]
        unearned = np.array([pool.accounts.unearned for pool in self.pools])[pools]
        funded = self.ledger.move(self.asset, sponsors[rows], unearned, sponsored[rows], "premium", partial=True)
        assert funded is not None
        if not funded.all():
            payable[rows[~funded]] = False
            rows, pools, unearned = rows[funded], pools[funded], unearned[funded]
        who, paid = slots[rows], own[rows]
        self.ledger.move(self.asset, who + self.ledger.people_start, unearned, paid, "premium")
        self._save(slots, SCHEDULE)
        self._schedule(who, pools, paid, sponsors[rows], sponsored[rows], days[rows])
        return payable

    def _schedule(
        self, slots: NDArray[np.int64], pools: NDArray[np.int64], own: NDArray[np.int64], sponsors: NDArray[np.int64],
        sponsored: NDArray[np.int64], days: NDArray[np.int64],
    ) -> None:
        """Put payments on the pools' schedules. What a person has paid ahead and not used is spread with the new one,
        so that each person has one schedule, which ends at ``paid_to``."""
        people = self.people
        start = people["paid_to"][slots].astype(np.int64)
        today = np.array([pool.unearned.next_day for pool in self.pools])[pools]
        begin = np.minimum(start, today)
        length = start + days - begin
        ahead = start > begin
        for index, pool in enumerate(self.pools):
            here = pools == index
            mine = here.nonzero()[0]
            if not mine.size:
                continue
            early = (here & ahead).nonzero()[0]
            if early.size:
                old_own, old_sponsored = self._unschedule(pool, slots[early])
                own[early] += old_own
                sponsored[early] += old_sponsored
            pool.write_premiums((own[mine], sponsored[mine]), begin[mine], length[mine], people["plan"][slots[mine]])
        people["scheduled_own"][slots] = own
        people["scheduled_sponsored"][slots] = sponsored
        people["scheduled_sponsor"][slots] = sponsors
        people["scheduled_days"][slots] = length
        people["paid_to"][slots] = start + days

    def _unschedule(self, pool: InsurancePool, slots: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Take the persons' running schedules off the pool's; the unearned (own, sponsored) parts, each int64[n]."""
        people = self.people
        days = people["scheduled_days"][slots].astype(np.int64)
        own, sponsored = np.zeros_like(slots), np.zeros_like(slots)
        running = days > 0
        who, days = slots[running], days[running]
        starts = people["paid_to"][who] - days
        plans = people["plan"][who]
        own[running] = pool.cancel_premium(people["scheduled_own"][who], starts, days, plans)
        sponsored[running] = pool.cancel_premium(people["scheduled_sponsored"][who], starts, days, plans)
        return own, sponsored

    def _save(self, slots: NDArray[np.int64], names: tuple[str, ...]) -> None:
        """Inside a transaction, remember these rows so that a rollback restores them."""
        if self.ledger.in_atomic:
            old = {name: self.people[name][slots].copy() for name in names}

            def restore() -> None:
                for name, values in old.items():
                    self.people[name][slots] = values

            self.ledger.on_rollback(restore)
