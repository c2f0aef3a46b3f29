"""Flash loans: anything in the pool, without collateral, for the length of one call.

Holds one account with the lenders' deposits and, per lent asset, a share token that stands for a part of it. What can
never be: a loan that outlives its call; a loan repaid without its premium; a refused loan that leaves a trace, on the
ledger or in a contract that undoes itself by ``on_rollback``; a share that loses value. Premiums are rounded up, and
shares and withdrawals down, for those who stay in the pool. Deposits and withdrawals are refused while a loan is out,
when the pool looks poorer than it is.

A loan is what makes an attack cost nothing but its premium: whatever can be bought, voted or pledged within one call
can be done by anybody with as much as the pool holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up
from sim.kernel.ledger import InsufficientFunds, Ledger
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.flash_loans import FlashLoansSection

RAY = 10**27
FLASH_LOAN_GAS = 600_000
"""Gas of a transaction built around a flash loan, for those who submit one."""


class FlashLoanRefused(Refused):
    """The pool does not lend this, or was not repaid; nothing has happened."""


class FlashLoanPool:
    """The contract; see the module. ``premium_bps`` is read at each loan."""

    def __init__(self, ledger: Ledger, premium_bps: Callable[[], int], name: str = "flash_loans") -> None:
        self.ledger = ledger
        self.name = name
        self.account = ledger.open_account(f"{name}.pool", "protocol")
        self._premium_bps = premium_bps
        self._shares: dict[int, int] = {}
        self._held: dict[int, int] = {}  # by calls: a gift to the account is nobody's, and makes no share dear
        self._open = 0
        self.loans = 0
        self.lent: dict[int, int] = {}
        self.premiums: dict[int, int] = {}

    # Lenders -------------------------------------------------------------------------------------------------

    def list_asset(self, asset: int) -> int:
        """Lend ``asset`` from now on; returns the id of its share token."""
        if asset not in self._shares:
            symbol = f"{self.ledger.symbol(asset)}-FL"
            self._shares[asset] = self.ledger.asset(symbol, issuer=self.account, span="institutions")
            self.lent[asset] = self.premiums[asset] = self._held[asset] = 0
        return self._shares[asset]

    @property
    def assets(self) -> tuple[int, ...]:
        """Ids of what is lent."""
        return tuple(self._shares)

    def share_token(self, asset: int) -> int:
        """Id of the token that stands for deposits of ``asset``."""
        if asset not in self._shares:
            raise FlashLoanRefused(f"{self.ledger.symbol(asset)} is not lent here")
        return self._shares[asset]

    def deposit(self, account: int, asset: int, amount: int) -> int:
        """Lend ``amount``; returns the shares, floored."""
        shares, ledger = self._idle(asset), self.ledger
        supply, held = ledger.supply(shares), self._held[asset]
        minted = amount if supply == 0 else mul_div(amount, supply, held)
        if amount <= 0 or minted == 0:
            raise FlashLoanRefused(f"a deposit of {amount} buys no share")
        with ledger.atomic():
            ledger.transfer(asset, account, self.account, amount, "flash_deposit")
            self._count(asset, amount)
            ledger.mint(shares, account, minted, "flash_deposit")
        return minted

    def withdraw(self, account: int, asset: int, shares: int) -> int:
        """Redeem ``shares``; returns what they bring, floored."""
        token, ledger = self._idle(asset), self.ledger
        if shares <= 0 or ledger.supply(token) < shares:
            raise FlashLoanRefused(f"{shares} shares cannot be redeemed")
        amount = mul_div(shares, self._held[asset], ledger.supply(token))
        with ledger.atomic():
            ledger.burn(token, account, shares, "flash_withdrawal")
            ledger.transfer(asset, self.account, account, amount, "flash_withdrawal")
            self._count(asset, -amount)
        return amount

    def index_ray(self, asset: int) -> int:
        """What a share is worth, in 10^-27 units of the asset, floored."""
        supply = self.ledger.supply(self.share_token(asset))
        return mul_div(self._held[asset], RAY, supply) if supply else RAY

    # Borrowers -----------------------------------------------------------------------------------------------

    def available(self, asset: int) -> int:
        """Base units of ``asset`` that could be borrowed now; 0 where it is not lent."""
        return self._held.get(asset, 0)

    def premium(self, amount: int) -> int:
        """What a loan of ``amount`` costs, rounded up."""
        return mul_div_up(amount, self._premium_bps(), BPS)

    def borrow(self, account: int, asset: int, amount: int, program: Callable[[], None]) -> int:
        """Lend ``amount`` to ``account`` while ``program`` runs; returns the premium paid. See :meth:`borrow_many`."""
        return self.borrow_many(account, ((asset, amount),), program)[0]

    def borrow_many(
        self, account: int, loans: Sequence[tuple[int, int]], program: Callable[[], None]
    ) -> tuple[int, ...]:
        """Lend each (asset, amount) to ``account``, run ``program``, take everything back with its premium.

        Returns the premiums. :class:`FlashLoanRefused` where the pool holds less or is not repaid; whatever else
        ``program`` raises goes on. Either way the ledger and the contracts that were called are as before.
        """
        ledger = self.ledger
        self._open += 1
        try:
            with ledger.atomic():
                for asset, amount in loans:
                    if not 0 < amount <= self.available(asset):
                        raise FlashLoanRefused(f"{amount} of {ledger.symbol(asset)} cannot be lent")
                    ledger.transfer(asset, self.account, account, amount, "flash_loan")
                    self._count(asset, -amount)
                # Fixed before the call: a program that carries a vote could set it for itself.
                premiums = tuple(self.premium(amount) for _, amount in loans)
                program()
                for (asset, amount), premium in zip(loans, premiums, strict=True):
                    self._take_back(account, asset, amount, premium)
        finally:
            self._open -= 1
        return premiums

    def _take_back(self, account: int, asset: int, amount: int, premium: int) -> None:
        ledger = self.ledger
        try:
            ledger.transfer(asset, account, self.account, amount, "flash_repayment")
            ledger.transfer(asset, account, self.account, premium, "flash_premium")
        except InsufficientFunds as short:
            raise FlashLoanRefused(f"the loan was not repaid: {short}") from short
        self._count(asset, amount + premium)
        before = self.loans, self.lent[asset], self.premiums[asset]
        ledger.on_rollback(lambda: self._restore(asset, before))
        self._restore(asset, (before[0] + 1, before[1] + amount, before[2] + premium))

    def _count(self, asset: int, change: int) -> None:
        before = self._held[asset]
        self.ledger.on_rollback(lambda: self._held.__setitem__(asset, before))
        self._held[asset] = before + change

    def _restore(self, asset: int, counts: tuple[int, int, int]) -> None:
        self.loans, self.lent[asset], self.premiums[asset] = counts

    def _idle(self, asset: int) -> int:
        if self._open:
            raise FlashLoanRefused("no deposit or withdrawal while a loan is out")
        return self.share_token(asset)


class FlashLoans(Mechanism):
    """Mechanism ``flash_loans``: the pool, stocked by its lenders before anybody can borrow."""

    section: FlashLoansSection
    hooks = (Hook(Phase.SHOCKS, "stock", after=("amm",)),)

    def setup(self, market: Market) -> None:
        ledger = market.ledger
        self._market, self._ledger = market, ledger
        self.cash: int = ledger.asset_id("USDs")
        section = self.section
        market.parameters.register("flash_loans.premium_bps", section.premium_bps, 0, 1000, True)
        self.pool = FlashLoanPool(ledger, lambda: int(market.parameters["flash_loans.premium_bps"]))
        self.lender: int = ledger.open_account("flash_lenders", "liquidity_providers")
        self.unstocked: list[str] = []
        self._seen = (0.0, 0.0)
        self._waiting = list(section.assets)

    def start(self, market: Market) -> None:
        """Cash and health tokens are the lenders' own opening wealth; the rest they are given on day 0."""
        market.mechanism("chain").register_kind("flash_loan", FLASH_LOAN_GAS)
        for terms in self.section.assets:
            if terms.asset == "USDs":
                market.endow(self.lender, round(terms.opening * MICRO))
            elif terms.asset == "HLT" and market.find("health_token") is not None:
                market.mechanism("health_token").endow_tokens(self.lender, round(terms.opening * MICRO))

    def stock(self, market: Market) -> None:
        """On day 0, once the market makers are open: the lenders deposit what the section asks for, if they have it.

        What they lack they take over from the section's ``from_account``, at most what that holds.
        """
        ledger = self._ledger
        for terms in self._waiting:
            wanted = round(terms.opening * MICRO)
            if not ledger.has_asset(terms.asset):
                self.unstocked.append(terms.asset)
                continue
            asset = ledger.asset_id(terms.asset)
            self.pool.list_asset(asset)
            lacking = wanted - ledger.balance(asset, self.lender)
            if lacking > 0 and ledger.has_account(terms.from_account):
                giver = ledger.account(terms.from_account)
                ledger.transfer(asset, giver, self.lender, min(lacking, ledger.balance(asset, giver)), "flash_deposit")
            held = min(wanted, ledger.balance(asset, self.lender))
            if held > 0:
                self.pool.deposit(self.lender, asset, held)
        self._waiting.clear()

    # What others may call ------------------------------------------------------------------------------------

    def available(self, asset: int) -> int:
        """Base units of ``asset`` that could be borrowed now."""
        return self.pool.available(asset)

    def premium(self, amount: int) -> int:
        """What a loan of ``amount`` costs, in its own asset."""
        return self.pool.premium(amount)

    def borrow(self, account: int, asset: int, amount: int, program: Callable[[], None]) -> int:
        """See :meth:`FlashLoanPool.borrow`."""
        return self.pool.borrow(account, asset, amount, program)

    def borrow_many(
        self, account: int, loans: Sequence[tuple[int, int]], program: Callable[[], None]
    ) -> tuple[int, ...]:
        """See :meth:`FlashLoanPool.borrow_many`."""
        return self.pool.borrow_many(account, loans, program)

    # Reports -------------------------------------------------------------------------------------------------

    def _dollars(self, amounts: dict[int, int]) -> float:
        """Value at today's prices; a token that nobody values counts nothing."""
        total = 0.0
        for asset, amount in amounts.items():
            price = 1.0 if asset == self.cash else self._ledger.price(asset) or 0.0
            total += amount * price / MICRO
        return total

    def observe(self, market: Market) -> None:
        volume, premiums = self._dollars(self.pool.lent), self._dollars(self.pool.premiums)
        market.record.series("flash_loans.available", self.available(self.cash) / MICRO)
        market.record.series("flash_loans.loans", self.pool.loans)
        market.record.series("flash_loans.premiums", premiums)
        self._seen = (volume, premiums)

    def finish(self, market: Market) -> None:
        record = market.record
        record.metric("flash_loans.loans", self.pool.loans)
        record.metric("flash_loans.volume", self._seen[0])
        record.metric("flash_loans.premiums", self._seen[1])

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "flash_loans.nothing_is_out", self.check_nothing_out
        yield "flash_loans.shares_never_lose", self.check_shares

    def check_nothing_out(self) -> str | None:
        """Between calls no loan is out."""
        return "a flash loan outlived its call" if self.pool._open else None

    def check_shares(self) -> str | None:
        """A share is worth one unit of its asset at least: premiums only add to it."""
        for asset in self.pool.assets:
            if self.pool.index_ray(asset) < RAY:
                return f"a share in flash loans of {self._ledger.symbol(asset)} has lost value"
        return None
