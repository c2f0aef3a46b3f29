"""The pools of a market as one mechanism: the founders open them, one clock times them, and they pay the treasury.

Holds the pools by name, the founders' account and the fee collector. The collector receives the protocol's part of
the fees as liquidity tokens; every ``fee_interval_days`` it redeems them, sells the base asset in the same pool and
pays the cash to the treasury. What can never be is said in each pool's own file; ``invariants`` checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sim.contracts.amm.constant_product import MINIMUM_LIQUIDITY
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import DAY_SECONDS, BlockClock, PoolError
from sim.contracts.amm.stableswap_pool import StableSwapPool
from sim.contracts.amm.two_asset_pool import TwoAssetPool
from sim.contracts.amm.weighted_pool import WeightedPool
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.amm import AmmSection, PoolTerms

DEPTH_MOVE = 0.02
YEAR_DAYS = 365


def base_over_quote(terms: PoolTerms) -> float:
    """Value of the base reserve over that of the quote reserve when the pool opens: 1 but for unequal weights."""
    return terms.weight_base / (1.0 - terms.weight_base) if terms.curve == "weighted" else 1.0


class UnknownPool(KeyError):
    """No pool of that name in this market."""


class PoolBook:
    """What the market remembers of one pool for its reports: the opening position, totals so far, the last check."""

    def __init__(self, pool: TwoAssetPool) -> None:
        self.pool = pool
        self.opening = (0, 0, 0)
        self.turnover = 0
        self.fees_taken = (0, 0)
        self.fees = 0.0
        self.reserve_days = 0.0
        self.checked = (0, 0, 0)

    def open(self, base: int, quote: int) -> None:
        """Remember the position of one share at the start: (base, quote, supply)."""
        self.opening = (base, quote, self.pool.ledger.supply(self.pool.shares))

    def day_totals(self) -> tuple[float, float]:
        """Dollars (swapped, taken as fees) since the last call, fees in base valued at the closing price."""
        pool, (base_before, quote_before) = self.pool, self.fees_taken
        traded = (pool.state.turnover - self.turnover) / MICRO
        base, quote = self.fees_taken = pool.fees()
        self.turnover = pool.state.turnover
        taken = (quote - quote_before + (base - base_before) * pool.spot()) / MICRO
        self.fees += taken
        return traded, taken

    def value_over_hold(self) -> float:
        """Value of an opening share now over holding its assets, less one, at the pool's price; NaN if never opened."""
        base, quote, supply = self.opening
        if supply == 0 or self.pool.reserves()[0] == 0:
            return float("nan")
        price = self.pool.spot()
        position = self.pool.quote_value() / self.pool.supply_with_pending_fee()
        return position / ((base * price + quote) / supply) - 1.0

    def check_product(self) -> str | None:
        """The invariant behind one share, k / L^2 where k is the product of the reserves, has not fallen since the last
        check; k / L^n for an invariant of degree n.

        L counts the protocol's pending part. That part comes from floored square roots, so each payment may be up to
        one share too large; without a protocol part the comparison is exact.
        """
        pool, (k_before, supply_before, payments_before) = self.pool, self.checked
        base, quote = pool.reserves()
        k, supply, payments = pool.invariant(base, quote), pool.supply_with_pending_fee(), pool.state.payments
        least = min(supply, supply_before)
        rounding = 0 if pool.treasury is None else 1 + payments - payments_before
        now = (k + pool.invariant_error) * (supply_before * least) ** pool.degree
        if now < k_before * (supply * max(least - rounding, 0)) ** pool.degree:
            return f"pool {pool.name}: the invariant of the reserves behind one share has fallen"
        self.checked = k, supply, payments
        return None

    def check_backing(self) -> str | None:
        """The account holds what the pool counts, and the locked shares are where they were put."""
        pool, ledger = self.pool, self.pool.ledger
        base, quote = pool.reserves()
        if ledger.balance(pool.base, pool.account) < base or ledger.balance(pool.quote, pool.account) < quote:
            return f"pool {pool.name} counts more than its account holds"
        if ledger.supply(pool.shares) and ledger.balance(pool.shares, pool.locked) < MINIMUM_LIQUIDITY:
            return f"pool {pool.name} has lost its locked liquidity"
        return None


class Amm(Mechanism):
    """Pools by name; see the module."""

    section: AmmSection
    hooks = (
        Hook(Phase.SHOCKS, "open_day"),
        Hook(Phase.SETTLEMENT, "pay_treasury", after=("chain", "claims", "insurance")),
    )
    shocks: Mapping[str, str] = {"liquidity_withdrawal": "withdraw_founders"}

    def setup(self, market: Market) -> None:
        ledger = market.ledger
        self._market = market
        self._ledger = ledger
        self.clock = BlockClock()
        self.founder: int = ledger.open_account("amm_founder", "liquidity_providers")
        self.collector: int = ledger.open_account("amm.fees", "protocol")
        self.treasury: int = market.treasury_account()
        self.books: dict[str, PoolBook] = {}
        self.treasury_fees = 0
        self._gaps: list[float] = []
        self._depth_min = float("inf")
        self._blocks_per_day = 1
        self._unopened: list[PoolTerms] = []
        for terms in self.section.pools:
            if ledger.has_asset(terms.base):
                self._create(terms)

    def start(self, market: Market) -> None:
        self._blocks_per_day = int(getattr(market.find("chain"), "blocks_per_day", 1))
        for terms in self.section.pools:
            if terms.name not in self.books:
                if terms.optional and not self._ledger.has_asset(terms.base):
                    continue
                self._create(terms)
            if terms.quote == "USDs":
                market.endow(self.founder, int(terms.opening_value * MICRO))
            if terms.issuer:
                issuer = market.mechanism(terms.issuer)
                price = self._opening_price(terms)
                wanted = round(terms.opening_value * MICRO / price * base_over_quote(terms))
                issuer.endow_tokens(self.founder, wanted)
                self._open(terms, price, wanted)
            else:
                self._unopened.append(terms)

    def _create(self, terms: PoolTerms) -> None:
        if terms.name in self.books:
            raise PoolError(f"two pools are called {terms.name}")
        ledger = self._ledger
        assets = ledger.asset_id(terms.base), ledger.asset_id(terms.quote)
        common: dict[str, Any] = {
            "fee_bps": terms.fee_bps, "treasury": self.collector if terms.protocol_part > 1 else None,
            "protocol_part": terms.protocol_part, "span": terms.holders, "clock": self.clock}
        pool: TwoAssetPool
        if terms.curve == "weighted":
            pool = WeightedPool(ledger, terms.name, *assets, weight_base=round(100 * terms.weight_base), **common)
        elif terms.curve == "stableswap":
            pool = StableSwapPool(ledger, terms.name, *assets, amplification=terms.amplification,
                                  rate=round(self._opening_price(terms) * MICRO), **common)
        else:
            pool = ConstantProductPool(ledger, terms.name, *assets, **common)
        self.books[terms.name] = PoolBook(pool)

    def _opening_price(self, terms: PoolTerms) -> float:
        """Quote per base that the pool opens at: of its terms, else its issuer's."""
        price = self._market.mechanism(terms.issuer).opening_price if terms.opening_price is None \
            else terms.opening_price
        return float(price)

    def _open(self, terms: PoolTerms, price: float, base: int) -> None:
        """Let the founders make the first deposit: ``base`` units, and quote of equal value at ``price``."""
        book = self.books[terms.name]
        quote = min(round(base * price / base_over_quote(terms)), int(terms.opening_value * MICRO))
        book.pool.add_liquidity(self.founder, base, quote)
        book.open(base, quote)

    def _open_from_holdings(self, terms: PoolTerms) -> None:
        """First deposit out of what the founders hold of the base asset, at most the opening value."""
        pool = self.books[terms.name].pool
        price = terms.opening_price
        held = self._ledger.balance(pool.base, self.founder)
        if price is None or held * price < 1.0:
            if not terms.optional:
                raise PoolError(f"the founders hold nothing to open pool {terms.name} with")
            del self.books[terms.name]
            return
        self._open(terms, price, min(held, int(terms.opening_value * MICRO / price * base_over_quote(terms))))

    # What others may call ------------------------------------------------------------------------------------

    def pool(self, name: str) -> TwoAssetPool:
        """The pool of that name."""
        try:
            return self.books[name].pool
        except KeyError:
            raise UnknownPool(f"no pool {name!r}; there are {', '.join(self.books) or 'none'}") from None

    @property
    def pools(self) -> dict[str, TwoAssetPool]:
        """All pools by name, in the order of the scenario."""
        return {name: book.pool for name, book in self.books.items()}

    def at_block(self, block: int) -> None:
        """Set the clock to a block of today: a contract call that swaps says first when it executes."""
        before = self.clock.now
        self.clock.block(self._market.day, int(block), self._blocks_per_day)
        if self._ledger.in_atomic and self.clock.now > before:
            self._ledger.on_rollback(lambda: self.clock.restore(before))

    # The day -------------------------------------------------------------------------------------------------

    def open_day(self, market: Market) -> None:
        """Time goes on, whether anybody trades or not; pools opened from holdings get their first deposit."""
        self.clock.advance(market.day * DAY_SECONDS)
        for terms in self._unopened:
            self._open_from_holdings(terms)
        self._unopened.clear()

    def pay_treasury(self, market: Market) -> None:
        """Every ``fee_interval_days``: turn the protocol's part of the fees into cash for the treasury."""
        if (market.day + 1) % self.section.fee_interval_days:
            return
        for book in self.books.values():
            self.treasury_fees += self._collect(book.pool)

    def _collect(self, pool: TwoAssetPool) -> int:
        """Cash that one pool's fees brought; 0 while they are too small to redeem."""
        ledger = self._ledger
        try:
            with ledger.atomic():
                pool.collect_fee()
                base, cash = pool.remove_liquidity(self.collector, ledger.balance(pool.shares, self.collector))
                cash += pool.swap(self.collector, pool.base, base)
                ledger.transfer(pool.quote, self.collector, self.treasury, cash, "swap_fee")
        except PoolError:
            return 0
        return cash

    def withdraw_founders(self, pool: str, share: float) -> None:
        """Shock: the founders redeem ``share`` of their liquidity and leave."""
        chosen = self.pool(pool)
        held = self._ledger.balance(chosen.shares, self.founder)
        if int(held * share) > 0:
            chosen.remove_liquidity(self.founder, int(held * share))

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        self.clock.advance((market.day + 1) * DAY_SECONDS)
        volume = fees = 0.0
        for name, book in self.books.items():
            pool = book.pool
            traded, taken = book.day_totals()
            book.reserve_days += pool.quote_value() / MICRO
            volume += traded
            fees += taken
            institution = f"amm.{name}"
            record.institution(institution, "amm.pool_price", pool.spot())
            record.institution(institution, "amm.pool_depth", pool.depth(DEPTH_MOVE) / MICRO)
            record.institution(institution, "amm.pool_volume", traded)
            record.institution(institution, "amm.pool_lp_value_over_hold", book.value_over_hold())
        record.series("amm.volume", volume)
        record.series("amm.fees", fees)
        if self.books:
            self._observe_first(market)

    def _observe_first(self, market: Market) -> None:
        record = market.record
        book = next(iter(self.books.values()))
        pool = book.pool
        spot, depth = pool.spot(), pool.depth(DEPTH_MOVE) / MICRO
        self._depth_min = min(self._depth_min, depth)
        record.series("amm.price", spot)
        record.series("amm.twap", pool.twap(self.section.twap_window_days))
        record.series("amm.depth", depth)
        record.series("amm.root_k", pool.size() / MICRO)
        record.series("amm.lp_value_over_hold", book.value_over_hold())
        outside = market.find("reference_price")
        if outside is not None:
            gap = spot / market.mechanism("health_token").within_band(outside.hlt_external) - 1.0
            self._gaps.append(abs(gap))
            record.series("amm.price_gap", gap)

    def finish(self, market: Market) -> None:
        record = market.record
        record.metric("amm.volume", sum(book.pool.state.turnover for book in self.books.values()) / MICRO)
        record.metric("amm.fees", sum(book.fees for book in self.books.values()))
        record.metric("amm.treasury_fees", self.treasury_fees / MICRO)
        if not self.books:
            return
        book = next(iter(self.books.values()))
        pool = book.pool
        record.metric("amm.price_end", pool.spot())
        record.metric("amm.lp_value_over_hold", book.value_over_hold())
        record.metric("amm.depth_min", self._depth_min)
        if book.reserve_days:
            part = pool.protocol_part
            kept = book.fees * (1.0 - 1.0 / part if pool.treasury is not None else 1.0)
            record.metric("amm.lp_yield", kept / book.reserve_days * YEAR_DAYS)
        if self._gaps:
            record.metric("amm.price_gap", sum(self._gaps) / len(self._gaps))

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        for name, book in self.books.items():
            yield f"amm.{name}.product_never_falls", book.check_product
            yield f"amm.{name}.reserves_are_backed", book.check_backing
