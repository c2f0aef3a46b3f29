"""HLT, the health token: a care credit that providers take at the posted medical price index.

Holds a cash reserve and the index (micro-USD of care per token), posted by the oracle committee. While the primary
market is open anybody may mint by paying the index, and authorised participants redeem; providers always redeem, for
index x min(1, reserve ratio) less a fee that stays in the reserve. What can never be: a token minted below the index;
a redemption that lowers the reserve ratio of the tokens that stay, or takes it below one from above; a payment that
the reserve does not hold. Tokens minted and cash paid out are floored, for the reserve.

When the index outruns the reserve, tokens are worth less than the care they promise: the reserve ratio says by how
much, and every redemption is cut in the same proportion, so that nothing is gained by being first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.health_token import HealthTokenSection

FEE_SCALE = BPS * BPS
"""The redemption fee is counted in hundred-millionths, finer than any vote would set it."""


class PrimaryMarketClosed(Refused):
    """Nobody mints, or this account may not redeem."""


class NoIndex(Refused):
    """No index has been posted yet."""


class HealthToken(Mechanism):
    """The reserve and its rules; see the module. ``index`` and ``posted_day`` make it a committee price feed."""

    section: HealthTokenSection
    hooks = (
        Hook(Phase.CARE, "read_index", after=("reference_price",)),
        Hook(Phase.SETTLEMENT, "cash_out", after=("chain", "claims", "insurance")),
    )

    def setup(self, market: Market) -> None:
        ledger = market.ledger
        self._ledger = ledger
        self._market = market
        self.cash: int = ledger.asset_id("USDs")
        self.reserve: int = ledger.open_account("health_reserve", "protocol")
        self.asset: int = ledger.asset("HLT", issuer=self.reserve, span="all", valuer=lambda: self.fundamental)
        market.parameters.register("health_token.redemption_fee", self.section.redemption_fee, 0.0, 0.10)
        self.index = 0
        self.posted_day = -1
        self._committee = False
        self._authorised: set[int] = set()
        self._holding_providers: set[int] = set()
        self.minted = self.redeemed = self.care_paid = 0
        self._minted_before = self._redeemed_before = 0
        self._least_ratio = float("inf")

    def start(self, market: Market) -> None:
        self._read_outside_index()
        if self._ledger.has_account("external_venue"):
            venue, tokens = self._ledger.account("external_venue"), int(self.section.venue_tokens * MICRO)
            self.endow_tokens(venue, tokens)
            market.endow(venue, mul_div(tokens, self._index(), MICRO))

    # The index -----------------------------------------------------------------------------------------------

    def appoint_committee(self) -> None:
        """From now on an oracle committee posts the index; until then the outside index is read each day."""
        self._committee = True

    def post_index(self, value: float) -> int:
        """Post the index, dollars of care per token; cut to the largest step. Returns micro-USD per token."""
        if not value > 0.0:
            raise ValueError(f"an index of {value} is not a price")
        posted = round(value * MICRO)
        if self.index:
            step = int(self.index * self.section.index_max_step)
            posted = min(max(posted, self.index - step), self.index + step)
        old = self.index, self.posted_day
        self._ledger.on_rollback(lambda: self._restore_index(old))
        self.index, self.posted_day = max(posted, 1), self._market.day
        return self.index

    def _restore_index(self, old: tuple[int, int]) -> None:
        self.index, self.posted_day = old

    def read_index(self, market: Market) -> None:
        """Without a committee the world's index stands in for its posting; the external venue learns the new value."""
        if not self._committee:
            self._read_outside_index()
        outside = market.find("reference_price")
        if outside is not None and self.index:
            outside.set_fundamental(self.fundamental)

    def _read_outside_index(self) -> None:
        outside = self._market.find("reference_price")
        if outside is not None:
            self.post_index(outside.medical_index)

    @property
    def opening_price(self) -> float:
        """Dollars per token at which markets open."""
        return self._index() / MICRO

    def _index(self) -> int:
        if self.index == 0:
            self._read_outside_index()
        if self.index == 0:
            raise NoIndex("no medical price index has been posted")
        return self.index

    # What a token is worth -----------------------------------------------------------------------------------

    @property
    def liability(self) -> int:
        """Micro-USD of care that the outstanding tokens promise."""
        return mul_div_up(self._ledger.supply(self.asset), self.index, MICRO)

    @property
    def reserve_ratio(self) -> float:
        """Reserve over liability; infinite without tokens."""
        liability = self.liability
        return self._ledger.balance(self.cash, self.reserve) / liability if liability else float("inf")

    @property
    def redemption_fee(self) -> float:
        """Live value of the governable fee."""
        return self._market.parameters["health_token.redemption_fee"]

    @property
    def fundamental(self) -> float:
        """F = index x min(1, reserve ratio) x (1 - fee), dollars per token."""
        return self.index / MICRO * min(1.0, self.reserve_ratio) * (1.0 - self.redemption_fee)

    def within_band(self, price: float) -> float:
        """``price`` held between redemption value and index, while others can mint and redeem to keep it there."""
        if not self.section.primary_market_open:
            return price
        return min(max(price, self.fundamental), self.index / MICRO)

    def tokens_for(self, usd: int) -> int:
        """Tokens that pay for ``usd`` micro-USD of care at the index, rounded up for the provider."""
        return mul_div_up(usd, MICRO, self._index())

    def mint_quote(self, usd: int) -> int:
        """Tokens minted for ``usd`` micro-USD."""
        return mul_div(usd, MICRO, self._index())

    def issue_cost(self, tokens: int) -> int:
        """Micro-USD that mint at least ``tokens``."""
        return mul_div_up(tokens, self._index(), MICRO)

    def redemption_quote(self, tokens: int) -> int:
        """Micro-USD paid for ``tokens`` now."""
        return self._payout(tokens, *self._redemption_terms())

    def _redemption_terms(self) -> tuple[int, int, int, int]:
        """(index, reserve, supply, kept parts of FEE_SCALE) by which redemptions of this moment are paid."""
        ledger = self._ledger
        keep = FEE_SCALE - round(self.redemption_fee * FEE_SCALE)
        return self._index(), ledger.balance(self.cash, self.reserve), ledger.supply(self.asset), keep

    @staticmethod
    def _payout(tokens: int, index: int, reserve: int, supply: int, keep: int) -> int:
        """min(index, reserve/supply) x tokens x keep: below a full reserve every token has its equal part of it."""
        if supply == 0:
            return 0
        return mul_div(min(mul_div(tokens, index, MICRO), mul_div(tokens, reserve, supply)), keep, FEE_SCALE)

    # Minting, paying with, and redeeming tokens --------------------------------------------------------------

    def mint(self, account: int, usd: int) -> int:
        """Pay ``usd`` micro-USD into the reserve for tokens at the index; returns the tokens."""
        self._require_primary_market()
        return self._issue(account, usd)

    def subscribe(self, account: int, usd: int) -> int:
        """:meth:`mint` in the initial offering, open to all on day 0 whatever the primary market does later."""
        if self._market.day > 0:
            self._require_primary_market()
        return self._issue(account, usd)

    def _issue(self, account: int, usd: int) -> int:
        tokens = self.mint_quote(usd)
        with self._ledger.atomic():
            self._ledger.transfer(self.cash, account, self.reserve, usd, "token_issue")
            self._ledger.mint(self.asset, account, tokens, "token_issue")
            self._count("minted", tokens)
        return tokens

    def mint_many(self, accounts: NDArray[np.int64], usd: NDArray[np.int64]) -> NDArray[np.int64]:
        """:meth:`mint` for many at once; those without the cash are skipped. Returns tokens int64[n]."""
        self._require_primary_market()
        ledger, index = self._ledger, self._index()
        with ledger.atomic():
            paid = ledger.collect(self.cash, accounts, self.reserve, usd, "token_issue", partial=True)
            assert paid is not None
            tokens = np.array([mul_div(amount, MICRO, index) if ok else 0
                               for amount, ok in zip(usd.tolist(), paid.tolist(), strict=True)], dtype=np.int64)
            ledger.mint_batch(self.asset, accounts, tokens, "token_issue")
            self._count("minted", int(tokens.sum()))
        return tokens

    def pay_provider(
        self, slots: NDArray[np.int64], providers: NDArray[np.int64], amounts: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """People pay providers with tokens, which stand for index x tokens of care.

        ``slots`` int64[n] of people, ``providers`` int64[n] accounts, ``amounts`` int64[n] base units of HLT. Returns
        the bool[n] mask of those that were paid, in row order. Providers cash the tokens at the end of the day.
        """
        ledger = self._ledger
        paid = ledger.move(self.asset, ledger.person(slots), providers, amounts, "care_credit", partial=True)
        assert paid is not None
        # Only where to look at the day's end: a payment rolled back leaves nothing there to cash.
        self._holding_providers.update(np.unique(providers[paid]).tolist())
        self._count("care_paid", int(amounts[paid].sum()))
        return paid

    def authorise(self, account: int) -> None:
        """Make ``account`` an authorised participant, who may redeem while the primary market is open."""
        self._authorised.add(account)

    def _require_primary_market(self) -> None:
        if not self.section.primary_market_open:
            raise PrimaryMarketClosed("no tokens are minted while the primary market is closed")

    def may_redeem(self, account: int) -> bool:
        """Whether this account may redeem for cash."""
        if account in self._authorised:
            return self.section.primary_market_open
        return self._ledger.account_sector(account) == "providers"

    def redeem(self, account: int, tokens: int) -> int:
        """Burn ``tokens`` of ``account`` for cash; returns micro-USD. Refused to those who may not redeem."""
        if not self.may_redeem(account):
            raise PrimaryMarketClosed(f"{self._ledger.account_name(account)} may not redeem tokens")
        cash = self.redemption_quote(tokens)
        with self._ledger.atomic():
            self._ledger.burn(self.asset, account, tokens, "redemption")
            self._ledger.transfer(self.cash, self.reserve, account, cash, "redemption")
            self._count("redeemed", tokens)
        return cash

    def cash_out(self, market: Market) -> None:
        """Providers redeem what patients paid them with, all at one ratio."""
        ledger = self._ledger
        holders = [account for account in sorted(self._holding_providers) if ledger.balance(self.asset, account)]
        self._holding_providers.clear()
        if not holders:
            return
        tokens = [ledger.balance(self.asset, account) for account in holders]
        terms = self._redemption_terms()
        with ledger.atomic():
            ledger.burn_batch(self.asset, holders, tokens, "redemption")
            ledger.pay(self.cash, self.reserve, holders, [self._payout(n, *terms) for n in tokens], "redemption")
            self._count("redeemed", sum(tokens))

    def endow_tokens(self, account: int, tokens: int) -> None:
        """Before day 0: give ``account`` tokens, backed by endowed cash at the opening reserve ratio."""
        backing = mul_div_up(tokens, round(self._index() * self.section.reserve_ratio), MICRO)
        self._market.endow(self.reserve, backing)
        self._ledger.mint(self.asset, account, tokens, "endowment")

    def _count(self, counter: str, amount: int) -> None:
        old = getattr(self, counter)
        self._ledger.on_rollback(lambda: setattr(self, counter, old))
        setattr(self, counter, old + amount)

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record, ledger = market.record, self._ledger
        ratio = self.reserve_ratio
        self._least_ratio = min(self._least_ratio, ratio)
        record.series("health_token.index", self.index / MICRO)
        record.series("health_token.supply", ledger.supply(self.asset) / MICRO)
        record.series("health_token.reserve", ledger.balance(self.cash, self.reserve) / MICRO)
        record.series("health_token.reserve_ratio", ratio)
        record.series("health_token.fundamental", self.fundamental)
        record.series("health_token.minted", (self.minted - self._minted_before) / MICRO)
        record.series("health_token.redeemed", (self.redeemed - self._redeemed_before) / MICRO)
        self._minted_before, self._redeemed_before = self.minted, self.redeemed

    def finish(self, market: Market) -> None:
        record = market.record
        record.metric("health_token.reserve_ratio_end", self.reserve_ratio)
        record.metric("health_token.reserve_ratio_min", self._least_ratio)
        record.metric("health_token.minted", self.minted / MICRO)
        record.metric("health_token.redeemed", self.redeemed / MICRO)
        record.metric("health_token.care_paid", self.care_paid / MICRO)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "health_token.reserve_can_pay", self.check_reserve

    def check_reserve(self) -> str | None:
        """If all tokens were redeemed at once, the reserve would hold out."""
        supply = self._ledger.supply(self.asset)
        if supply and self.redemption_quote(supply) > self._ledger.balance(self.cash, self.reserve):
            return "the health token's reserve could not pay what redemption promises"
        return None
