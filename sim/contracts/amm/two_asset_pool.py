"""A pool of two assets on the ledger, whatever its curve; each curve is a subclass that says how trades are priced.

Holds the reserves in one account; the liquidity token is an asset whose whole supply stands for them.
What can never be: the curve's invariant falls in a trade; the invariant behind one share falls in any call (the
protocol's pending part counted, whose rounding is at most one share a payment); the locked minimum leaves; the pool
counts more than its account holds.
Rounding favours the pool, that is its remaining shareholders, at every division. Deposits, withdrawals, the protocol's
part and the price average follow Uniswap v2's pair on every curve.

Assets sent to the account without a call are a gift: they count as reserves after the next call, and a deposit right
after one is credited with it, as on the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from sim.contracts.amm import constant_product as curve
from sim.contracts.amm.interface import (
    DAY_SECONDS,
    BlockClock,
    InsufficientLiquidity,
    PoolError,
    ProductFell,
    SlippageExceeded,
)
from sim.contracts.amm.pool_curve import FEE_BPS, PROTOCOL_PART, Curve, PoolState
from sim.contracts.amm.price_history import PriceHistory
from sim.kernel.fixedpoint import BPS

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

__all__ = ["FEE_BPS", "PROTOCOL_PART", "PoolState", "TwoAssetPool"]


class TwoAssetPool(Curve):
    """See the module. ``treasury`` receives the protocol's part of the fee, as shares; None leaves it to providers.

    Args:
        ledger: where it all stands.
        name: also names the account ``amm.<name>`` and the liquidity token ``<name>-LP``.
        base, quote: ids of two different assets; prices are quote per base.
        fee_bps: fee on the input, 0 .. 9,999.
        treasury: account paid 1/``protocol_part`` of the fee.
        span: who may hold the liquidity token, "institutions" or "all".
        clock: the market's block clock.
    """

    def __init__(
        self, ledger: Ledger, name: str, base: int, quote: int, *, fee_bps: int = FEE_BPS,
        treasury: int | None = None, protocol_part: int = PROTOCOL_PART,
        span: Literal["all", "institutions"] = "institutions", clock: BlockClock | None = None,
    ) -> None:
        if base == quote:
            raise PoolError(f"pool {name} needs two different assets")
        self.ledger = ledger
        self.name = name
        self.base = base
        self.quote = quote
        self.fee_bps = fee_bps
        self.keep, self.scale = curve.fee_fraction(fee_bps)
        self.treasury = treasury
        self.protocol_part = protocol_part
        self.clock = clock or BlockClock()
        self.account = ledger.open_account(f"amm.{name}", "protocol")
        self.locked = ledger.open_account(f"amm.{name}.locked", "protocol")
        self.shares = ledger.asset(f"{name}-LP", issuer=self.account, span=span, valuer=self.share_value)
        self.state = PoolState(time=self.clock.now)
        self.history = PriceHistory()
        self._in_call = False

    # What anybody can read -----------------------------------------------------------------------------------

    def reserves(self) -> tuple[int, int]:
        return self.state.base, self.state.quote

    def spot(self) -> float:
        self._require_reserves()
        quote, base = self.price_ratio()
        return quote / base

    def quote_value(self) -> float:
        """Both reserves at the spot price, in units of quote."""
        return self.state.base * self.spot() + self.state.quote

    def size(self) -> float:
        """:meth:`root` of the reserves as a float, for reports."""
        return float(self.root(self.state.base, self.state.quote))

    def share_value(self) -> float:
        """Dollars per whole liquidity token at the spot price; a quote asset without a valuer counts as a dollar."""
        supply = self.supply_with_pending_fee()
        if supply == 0:
            return 0.0
        dollars = self.ledger.price(self.quote)
        return self.quote_value() / supply * (1.0 if dollars is None else dollars)

    def quote_out(self, asset_in: int, amount_in: int) -> int:
        self._require_reserves()
        if amount_in <= 0:
            raise InsufficientLiquidity(f"pool {self.name} needs a positive amount, not {amount_in}")
        reserve_in, reserve_out, base_in = self._sides(asset_in)
        return self._given_in(amount_in, reserve_in, reserve_out, base_in)

    def quote_in(self, asset_out: int, wanted: int) -> int:
        self._require_reserves()
        reserve_out, reserve_in, base_out = self._sides(asset_out)
        if not 0 < wanted < reserve_out:
            raise InsufficientLiquidity(f"pool {self.name} holds {reserve_out}, not more than {wanted}")
        return self._given_out(wanted, reserve_in, reserve_out, not base_out)

    def fees(self) -> tuple[int, int]:
        """Fees taken so far (base, quote), floored."""
        return self.state.base_in * self.fee_bps // BPS, self.state.quote_in * self.fee_bps // BPS

    def price_sums(self) -> tuple[int, int]:
        """Accumulated UQ112 prices (base, quote) at the clock's time, as if the pool had just been called."""
        state = self.state
        seconds = self.clock.now - state.time
        if seconds <= 0 or state.base == 0 or state.quote == 0:
            return state.base_price_sum, state.quote_price_sum
        base_step, quote_step = self._price_steps(seconds)
        return state.base_price_sum + base_step, state.quote_price_sum + quote_step

    def price_growth(self, window_days: float) -> tuple[int, int, int]:
        """Growth of both accumulated prices over the window, and its seconds: shorter where the pool is younger."""
        self._require_reserves()
        now = self.clock.now
        start = max(now - round(window_days * DAY_SECONDS), self.history.first_time())
        base_now, quote_now = self.price_sums()
        if start >= self.state.time:  # the reserves have stood since before the window
            base_step, quote_step = self._price_steps(now - start)
            base_then, quote_then = base_now - base_step, quote_now - quote_step
        else:
            base_then, quote_then = self.history.at(start)
        return base_now - base_then, quote_now - quote_then, now - start

    def twap(self, window_days: float) -> float:
        growth, _, seconds = self.price_growth(window_days)
        return growth / seconds / 2.0**curve.PRICE_BITS if seconds else self.spot()

    def pending_fee(self) -> int:
        """Shares that the treasury would be given by a deposit or withdrawal now."""
        state = self.state
        if self.treasury is None or state.root_last == 0:
            return 0
        return curve.protocol_shares(self.root(state.base, state.quote), state.root_last,
                                     self.ledger.supply(self.shares), self.protocol_part)

    def supply_with_pending_fee(self) -> int:
        """Supply of the liquidity token once the protocol has been given its part."""
        return self.ledger.supply(self.shares) + self.pending_fee()

    # Trades --------------------------------------------------------------------------------------------------

    def swap(self, account: int, asset_in: int, amount_in: int, min_out: int = 0) -> int:
        out = self.quote_out(asset_in, amount_in)
        if out == 0 or out < min_out:
            raise SlippageExceeded(f"pool {self.name} gives {out}, less than {max(min_out, 1)}")
        self._enter()
        self.ledger.transfer(asset_in, account, self.account, amount_in, "swap")
        # Cannot fail: the output is below the reserve, which the account holds.
        self.ledger.transfer(self._other(asset_in), self.account, account, out, "swap")
        base_in = asset_in == self.base
        charged_base, charged_quote = self._charged(amount_in, out, base_in)
        self._settle(base_in=charged_base, quote_in=charged_quote, turnover=out if base_in else amount_in)
        return out

    def swap_for(self, account: int, asset_out: int, wanted: int, max_in: int) -> int:
        """Buy exactly ``wanted`` of ``asset_out`` (or a unit more, by rounding); returns what was put in."""
        needed = self.quote_in(asset_out, wanted)
        if needed > max_in:
            raise SlippageExceeded(f"pool {self.name} asks {needed}, more than {max_in}")
        self.swap(account, self._other(asset_out), needed, wanted)
        return needed

    def flash_swap(self, account: int, base_out: int, quote_out: int, repay: Callable[[], None]) -> None:
        """Send first, ask later: pays out, calls ``repay``, and undoes it all unless the pool was paid with its fee.

        Raises :class:`ProductFell` when it was not; whatever ``repay`` raises is passed on, rolled back as well.
        """
        state, ledger = self.state, self.ledger
        if min(base_out, quote_out) < 0 or base_out + quote_out == 0 or (
                base_out >= state.base or quote_out >= state.quote):
            raise InsufficientLiquidity(f"pool {self.name} cannot lend {base_out} and {quote_out}")
        self._enter()
        self._in_call = True
        try:
            with ledger.atomic():
                ledger.transfer(self.base, self.account, account, base_out, "swap")
                ledger.transfer(self.quote, self.account, account, quote_out, "swap")
                repay()
                balances = ledger.balance(self.base, self.account), ledger.balance(self.quote, self.account)
                base_in = max(0, balances[0] - (state.base - base_out))
                quote_in = max(0, balances[1] - (state.quote - quote_out))
                if not self._paid_for(balances, base_in, quote_in):
                    raise ProductFell(f"pool {self.name} was not paid for {base_out} and {quote_out}")
                self._settle(base_in=base_in, quote_in=quote_in, turnover=max(quote_in, quote_out))
        finally:
            self._in_call = False

    # Liquidity -----------------------------------------------------------------------------------------------

    def add_liquidity(
        self, account: int, amount_base: int, amount_quote: int, min_base: int = 0, min_quote: int = 0
    ) -> tuple[int, int, int]:
        if amount_base <= 0 or amount_quote <= 0:
            raise InsufficientLiquidity(f"pool {self.name} needs positive amounts of both assets")
        state, ledger = self.state, self.ledger
        if state.base and state.quote:
            matching = curve.quote(amount_base, state.base, state.quote)
            if matching <= amount_quote:
                amount_quote = matching
            else:
                amount_base = curve.quote(amount_quote, state.quote, state.base)
        if amount_base < min_base or amount_quote < min_quote:
            raise SlippageExceeded(f"pool {self.name} takes {amount_base} and {amount_quote}")
        self._enter()
        with ledger.atomic():
            ledger.transfer(self.base, account, self.account, amount_base, "liquidity")
            ledger.transfer(self.quote, account, self.account, amount_quote, "liquidity")
            credited = (ledger.balance(self.base, self.account) - state.base,
                        ledger.balance(self.quote, self.account) - state.quote)
            self._pay_protocol()
            supply = ledger.supply(self.shares)
            if supply == 0:
                shares = self.root(*credited) - curve.MINIMUM_LIQUIDITY
            else:
                shares = curve.later_shares(*credited, state.base, state.quote, supply)
            if shares <= 0:
                raise InsufficientLiquidity(f"a deposit of {amount_base} and {amount_quote} buys no share")
            if supply == 0:
                ledger.mint(self.shares, self.locked, curve.MINIMUM_LIQUIDITY, "liquidity")
            ledger.mint(self.shares, account, shares, "liquidity")
            self._settle(liquidity_moved=True)
        return amount_base, amount_quote, shares

    def remove_liquidity(
        self, account: int, shares: int, min_base: int = 0, min_quote: int = 0
    ) -> tuple[int, int]:
        if shares <= 0:
            raise InsufficientLiquidity(f"pool {self.name} redeems a positive number of shares, not {shares}")
        ledger = self.ledger
        self._enter()
        with ledger.atomic():
            self._pay_protocol()
            supply = ledger.supply(self.shares)
            ledger.burn(self.shares, account, shares, "liquidity")
            base = curve.withdrawn(shares, ledger.balance(self.base, self.account), supply)
            quote = curve.withdrawn(shares, ledger.balance(self.quote, self.account), supply)
            if base == 0 or quote == 0:
                raise InsufficientLiquidity(f"{shares} shares redeem {base} and {quote}")
            if base < min_base or quote < min_quote:
                raise SlippageExceeded(f"pool {self.name} gives {base} and {quote}")
            ledger.transfer(self.base, self.account, account, base, "liquidity")
            ledger.transfer(self.quote, self.account, account, quote, "liquidity")
            self._settle(liquidity_moved=True)
        return base, quote

    def sync(self) -> None:
        """Count what the account holds as reserves, gifts included."""
        self._enter()
        self._settle()

    def collect_fee(self) -> int:
        """Give the treasury its part now instead of at the next deposit or withdrawal; returns the new shares."""
        self._enter()
        with self.ledger.atomic():
            paid = self._pay_protocol()
            self._settle(liquidity_moved=True)
        return paid

    def apply_batch(self, base_in: int, quote_in: int, turnover: int) -> None:
        """Take over balances after :mod:`sim.contracts.amm.compiled_swaps` has moved a batch of swaps."""
        self._settle(base_in=base_in, quote_in=quote_in, turnover=turnover)

    # Inside --------------------------------------------------------------------------------------------------

    def _other(self, asset: int) -> int:
        return self.quote if asset == self.base else self.base

    def _price_steps(self, seconds: int) -> tuple[int, int]:
        """Growth of both accumulated UQ112 prices (base, quote) in ``seconds``."""
        quote, base = self.price_ratio()
        return curve.price_step(base, quote, seconds), curve.price_step(quote, base, seconds)

    def _sides(self, asset: int) -> tuple[int, int, bool]:
        if asset == self.base:
            return self.state.base, self.state.quote, True
        if asset == self.quote:
            return self.state.quote, self.state.base, False
        raise PoolError(f"pool {self.name} does not trade {self.ledger.symbol(asset)}")

    def _require_reserves(self) -> None:
        if self.state.base == 0 or self.state.quote == 0:
            raise InsufficientLiquidity(f"pool {self.name} is empty")

    def _enter(self) -> None:
        if self._in_call:
            raise PoolError(f"pool {self.name} is called from inside its own call")

    def _pay_protocol(self) -> int:
        due = self.pending_fee()
        if due and self.treasury is not None:
            self.ledger.mint(self.shares, self.treasury, due, "protocol_fee")
        return due

    def _settle(
        self, *, base_in: int = 0, quote_in: int = 0, turnover: int = 0, liquidity_moved: bool = False
    ) -> None:
        """Count balances as reserves, and let the old price stand for the time since the last call."""
        old, ledger = self.state, self.ledger
        sums = self.price_sums()
        base, quote = ledger.balance(self.base, self.account), ledger.balance(self.quote, self.account)
        observe = self.clock.now > old.time or not len(self.history)
        if ledger.in_atomic:
            ledger.on_rollback(lambda: self._restore(old, observe))
        elif observe:
            self.history.prune()
        root_last = self.root(base, quote) if liquidity_moved and self.treasury is not None else old.root_last
        self.state = PoolState(base, quote, root_last, *sums, self.clock.now, old.base_in + base_in,
                               old.quote_in + quote_in, old.turnover + turnover, old.payments + liquidity_moved)
        if observe:
            self.history.append(self.clock.now, *sums)

    def _restore(self, old: PoolState, observed: bool) -> None:
        self.state = old
        if observed:
            self.history.forget_last()
