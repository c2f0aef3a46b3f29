"""Schema of borrowers against tokens."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class BorrowersSection(Section):
    """Holders of health tokens who borrow cash against them, as providers and hedgers with a treasury do."""

    implementation: ClassVar[str] = "sim.agents.borrower:Borrowers"
    requires: ClassVar[tuple[str, ...]] = ("lending", "health_token")
    series: ClassVar[tuple[Series, ...]] = (
        Series("borrowers.in_debt", "Borrowers who owe anything at the end of the day", "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("borrowers.top_ups", "Repayments by which a borrower restored its health", "count"),
        Metric("borrowers.loss", "Wealth lost by all borrowers against the start: tokens at fair value, less what was "
               "lent to them and not repaid", "USD", "low"),
    )

    number: int = param(40, "Number of borrowers.", unit="count", ge=0, le=2000)
    collateral: float = param(25_000.0, "Mean collateral of one (lognormal).", unit="tokens", gt=0.0, le=1e9)
    collateral_log_sd: float = param(0.7, "Standard deviation of its logarithm.", ge=0.0, le=3.0)
    least_use: float = param(0.6, "Least part of what it may borrow that a borrower uses (uniform up to most_use).",
                             ge=0.0, le=1.0)
    most_use: float = param(0.95, "Largest part.", ge=0.0, le=1.0)
    cash_kept: float = param(0.2, "Part of the loan that a borrower keeps; the rest it spends elsewhere.",
                             ge=0.0, le=1.0)
    attentive: float = param(0.25, "Part of the borrowers who repay from this cash when their health falls below "
                             "`repays_below`.", ge=0.0, le=1.0)
    repays_below: float = param(1.1, "Health factor below which an attentive borrower repays.", ge=1.0, le=10.0)


SECTION = BorrowersSection
