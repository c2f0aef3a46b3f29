"""Schema of flash loans."""

from typing import ClassVar, Self

from pydantic import model_validator

from sim.scenario.types import Governable, Metric, Model, Section, Series, param

AAVE = "Aave v2 LendingPool.sol: 9 bps; Aave v3 DefaultMarketInput.sol: 5 bps"


class LentAsset(Model):
    """What lenders put into the flash loan pool of one asset."""

    asset: str = param("USDs", "Symbol of the asset, for example USDs, HLT, GOV or a liquidity token such as HLT-LP. "
                       "One that does not exist is left out.")
    opening: float = param(1e6, "Opening deposit. Cash and health tokens are the lenders' opening wealth; of any other "
                           "asset it is at most what `from_account` holds.", unit="tokens", gt=0.0, le=1e12)
    from_account: str = param("amm_founder", "Ledger account that gives the lenders, on day 0, what they lack.")


class FlashLoansSection(Section):
    """Loans without collateral that are repaid within the call that takes them (Aave's flash loans)."""

    implementation: ClassVar[str] = "sim.contracts.credit.flash_loan:FlashLoans"
    series: ClassVar[tuple[Series, ...]] = (
        Series("flash_loans.available", "Cash that could be borrowed within one call", "USD"),
        Series("flash_loans.loans", "Flash loans repaid so far in the run (one per asset borrowed)", "count"),
        Series("flash_loans.premiums", "Premiums that flash loans have paid to lenders so far, at today's prices",
               "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("flash_loans.loans", "Flash loans taken and repaid (one per asset borrowed)", "count"),
        Metric("flash_loans.volume", "Value lent within single calls, all assets, at the last day's prices", "USD"),
        Metric("flash_loans.premiums", "Premiums paid to the lenders, at the last day's prices", "USD", "high"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("flash_loans.premium_bps", 0, 1000, "Premium of a flash loan, basis points", integer=True),
    )

    premium_bps: int = param(9, "Premium of a loan, paid to the lenders.", unit="bps", grade="M", source=AAVE, ge=0,
                             le=1000)
    assets: tuple[LentAsset, ...] = param((LentAsset(),), "What is lent, and how much at the start.", min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [terms.asset for terms in self.assets]
        if len(set(names)) < len(names):
            raise ValueError("an asset is lent twice")
        return self


SECTION = FlashLoansSection
