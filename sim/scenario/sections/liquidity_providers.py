"""Schema of liquidity providers: budgets, entry and exit."""

from typing import ClassVar

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param


class CapitalWithdrawal(Model):
    """Arguments of the shock ``capital_withdrawal``."""

    share: float = param(0.30, "Share of the liquidity providers who ask for all their capital on that day.", gt=0.0,
                         le=1.0)
    pools: list[str] = param([], "Names of the pools they leave; none named: all.")


class LiquidityProvidersSection(Section):
    """Investors in the pools' senior shares."""

    implementation: ClassVar[str] = "sim.agents.liquidity_provider:LiquidityProviders"
    requires: ClassVar[tuple[str, ...]] = ("insurance", "insurers")
    series: ClassVar[tuple[Series, ...]] = (
        Series("liquidity_providers.deposits", "Deposited in pools today", "USD"),
        Series("liquidity_providers.requests", "Value of the shares whose redemption was asked for today", "USD"),
        Series("liquidity_providers.withdrawals", "Redeemed today", "USD"),
        Series("liquidity_providers.value", "Value of all shares held or queued by liquidity providers", "USD"),
        Series("liquidity_providers.cash", "Cash of liquidity providers", "USD"),
        Series("liquidity_providers.expected_yield", "Mean over open pools of the yield that providers expect",
               "1/year"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("liquidity_providers.yield", "Return on capital at work, without emissions", "1/year", "high"),
        Metric("liquidity_providers.yield_with_emissions", "The same with governance tokens received, at the price of "
               "the end", "1/year", "high"),
        Metric("liquidity_providers.yield_informed", "Return of the informed", "1/year"),
        Metric("liquidity_providers.yield_uninformed", "Return of the others", "1/year"),
        Metric("liquidity_providers.deposits", "Deposited after the start", "USD"),
        Metric("liquidity_providers.withdrawals", "Redeemed", "USD"),
        Metric("liquidity_providers.requests", "Value of redemptions asked for", "USD"),
        Metric("liquidity_providers.peak_requests_30d", "Most asked for in 30 days over the senior capital at their "
               "start", "1", "low"),
        Metric("liquidity_providers.exits", "Requests for redemption", "count", "low"),
        Metric("liquidity_providers.queued_end", "Value that waits for redemption at the end", "USD", "low"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("capital_withdrawal", "Liquidity providers ask for their capital at once.", CapitalWithdrawal),
    )

    providers: int = param(300, "Number of liquidity providers.", unit="providers", ge=0, le=3000)
    pools_per_provider: int = param(2, "Pools among which a provider spreads its opening stake.", unit="pools", ge=1,
                                    le=100)
    stake_log_sd: float = param(1.0, "Standard deviation of the logarithm of opening stakes.", ge=0.0, le=4.0)
    cash_ratio: float = param(0.65, "Cash at the start over the opening stake: near the ratio at which entry and exit "
                              "balance at the expected yield.", ge=0.0, le=100.0)
    opening_scr_ratio: float = param(1.5, "Capital over SCR that pools open with, for the members they expect.",
                                     ge=0.0, le=20.0)
    outside_rate: float = param(0.04, "Mean rate that a provider earns elsewhere.", unit="1/year", ge=-0.05, le=1.0)
    outside_rate_spread: float = param(0.02, "Half the range of outside rates over providers.", unit="1/year", ge=0.0,
                                       le=0.5)
    entry_speed: float = param(0.05, "Share of cash invested a day per unit of excess expected yield.", unit="1/day",
                               ge=0.0, le=10.0)
    tail_aversion: float = param(0.1, "Weight of the expected share of stake lost in the worst 5 % of years.", ge=0.0,
                                 le=10.0)
    decision_interval_days: int = param(30, "Days between two decisions of one provider to invest; providers take "
                                        "turns, so that the flow is spread and gas is paid rarely.", unit="days", ge=1,
                                        le=365)
    smallest_deposit: float = param(1000.0, "Smaller deposits are not made.", unit="USD", ge=0.0, le=1e9)
    yield_window_days: int = param(90, "Days over which premium income and losses are looked at.", unit="days", ge=1,
                                   le=365)
    prior_years: float = param(5.0, "Weight, in years, of the loss rate expected beforehand.", unit="years", ge=0.0,
                               le=100.0)
    prior_loss_rate: float = param(0.01, "Loss of senior capital a year expected beforehand.", unit="1/year", ge=0.0,
                                   le=1.0)
    exit_base: float = param(0.001, "Hazard of an exit without a reason.", unit="1/day", ge=0.0, le=1.0)
    exit_loss: float = param(4.0, "Hazard per unit of share value lost in five days, as seen.", unit="1/day", ge=0.0,
                             le=1000.0)
    exit_queue: float = param(2.0, "Hazard per share of the shares in issue that is seen in the exit queue.",
                              unit="1/day", ge=0.0, le=1000.0)
    ordinary_loss: float = param(
        0.10, "Loss of share value that frightens nobody. A pool of a thousand members loses 3 % in five days by "
        "chance alone (one standard deviation), so a hazard that is linear from zero makes every pool run.", ge=0.0,
        le=1.0)
    ordinary_queue: float = param(
        0.15, "Share of the shares in issue whose exit frightens nobody. An ordinary queue over a cooldown of two "
        "weeks holds 1.4 %; with a hazard linear from zero each exit would bring 28 more before it is completed.",
        ge=0.0, le=1.0)
    exit_hidden: float = param(10.0, "Hazard of the informed per unit of share value lost that others do not see yet.",
                               unit="1/day", ge=0.0, le=1000.0)
    reacts_to_losses: bool = param(True, "Whether providers run on losses of share value that they see.")
    reacts_to_exits: bool = param(True, "Whether providers run on the exit queue that they see.")
    informed_exits: bool = param(True, "Whether the informed act on what others do not see yet; if not, they see as "
                                 "late as everybody.")
    informed_share: float = param(0.10, "Share of providers who see share values at once.", ge=0.0, le=1.0)
    informed_lead_days: int = param(3, "Days by which the others see them later.", unit="days", ge=0, le=30)


SECTION = LiquidityProvidersSection
