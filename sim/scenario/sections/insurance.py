"""Schema of insurance pools: products, premium, capital regime, tranches, gate."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Governable, Metric, Model, Section, Series, ShockKind, param

SOLVENCY_II = "Directive 2009/138/EC and Delegated Regulation (EU) 2015/35"
NEXUS = "Nexus Mutual, contracts/modules/capital: gearing factor 48000, basis points"

CareKind = Literal["outpatient", "prescription", "inpatient", "intensive", "infection"]


class Plan(Model):
    """Terms of one product. Fields of the other form have no effect."""

    name: str = param("", "Name of the plan, such as generous or lean; series call it POOL1/generous.")
    pools: list[str] = param([], "Names of the pools that write it, where it stands in insurance.plans; none named: "
                             "all.")
    form: Literal["indemnity", "lump_sum"] = param(
        "indemnity", "indemnity pays for care above the insured's share; lump_sum pays a fixed benefit on a diagnosis.")
    deductible: float = param(250.0, "Cost of care a year that the insured bears first.", unit="USD/year", ge=0.0,
                              le=1e6)
    coinsurance: float = param(
        0.20, "Insured's share of cost above the deductible. The three default terms together leave about 13 % of MEPS "
        "spending with the insured (actuarial value 0.87).", ge=0.0, le=1.0)
    out_of_pocket_max: float = param(2000.0, "Most that the insured bears a year, below the limit.", unit="USD/year",
                                     ge=0.0, le=1e6)
    annual_limit: float = param(1_000_000.0, "Most that the pool pays for one insured a year.", unit="USD/year",
                                gt=0.0, le=1e9)
    benefit: float = param(0.0, "Lump sum on a diagnosis.", unit="USD", ge=0.0, le=1e7)
    waiting_days: int = param(0, "Days of cover before a lump sum can fall due.", unit="days", ge=0, le=3650)
    triggers: list[CareKind] = param(["inpatient", "intensive"], "Kinds of care whose diagnosis triggers a lump sum; "
                                     "`infection` is the diagnosis of an epidemic infection.")

    @model_validator(mode="after")
    def _benefit_for_lump_sum(self) -> Self:
        if self.form == "lump_sum" and self.benefit <= 0.0:
            raise ValueError("a lump_sum plan needs a benefit above 0")
        return self


class PremiumShares(Model):
    """What becomes of each earned premium dollar; the shares sum to 1."""

    claims: float = param(0.85, "To the claims fund.", ge=0.0, le=1.0, grade="M",
                          source="Medical loss ratio of 80-85 % required of US insurers, 45 CFR 158.210")
    administration: float = param(0.07, "To the insurer, for administration.", ge=0.0, le=1.0)
    oracles: float = param(0.02, "To the oracles' fee account.", ge=0.0, le=1.0)
    treasury: float = param(0.02, "To the protocol's treasury.", ge=0.0, le=1.0)
    capital: float = param(0.04, "To the holders of junior and senior shares, by value.", ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.claims + self.administration + self.oracles + self.treasury + self.capital
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the premium's shares sum to {total:.6g}; they must sum to 1")
        return self


class StopWriting(Model):
    """Arguments of the shock ``insurance_stop_writing``."""

    pools: list[str] = param([], "Names of the pools; none named: all.")
    region: int = param(-1, "Only pools of this region; -1: of any.", ge=-1)
    days: int = param(0, "For how long; 0: for good.", unit="days", ge=0)


class WindDown(Model):
    """Arguments of the shock ``insurance_wind_down``."""

    pools: list[str] = param([], "Names of the pools; none named: all.")
    region: int = param(-1, "Only pools of this region; -1: of any.", ge=-1)
    cut_cover: bool = param(False, "End cover at once and give unearned premium back, instead of letting contracts run "
                            "to their end.")


class InsuranceSection(Section):
    """Insurance pools on the ledger."""

    implementation: ClassVar[str] = "sim.contracts.insurance.market:Insurance"
    requires: ClassVar[tuple[str, ...]] = ("population", "economy")
    series: ClassVar[tuple[Series, ...]] = (
        Series("insurance.capital", "Own funds: all assets but unearned premium, less claim reserves", "USD",
               "institution"),
        Series("insurance.required_capital", "Capital that the regime requires (SCR)", "USD", "institution"),
        Series("insurance.mcr_ratio", "Capital over the minimum capital requirement (MCR %)", "1", "institution"),
        Series("insurance.scr_ratio", "Capital over the solvency capital requirement", "1", "institution"),
        Series("insurance.earned_premium", "Premium earned today", "USD", "institution"),
        Series("insurance.incurred", "Claims incurred today: approved, and change of reported and unreported claims",
               "USD", "institution"),
        Series("insurance.paid", "Paid on claims today", "USD", "institution"),
        Series("insurance.unpaid", "Approved claims that the pool could not pay, at the end of the day", "USD",
               "institution"),
        Series("insurance.loss_ratio", "Incurred claims over earned premium since the start", "1", "institution"),
        Series("insurance.combined_ratio", "Loss ratio plus expense ratio since the start", "1", "institution"),
        Series("insurance.members", "Insured persons", "persons", "institution"),
        Series("insurance.base_rate", "Annual premium at an age factor of 1", "USD/year", "institution"),
        Series("insurance.unearned_premium", "Premium paid and not yet earned (UPR)", "USD", "institution"),
        Series("insurance.outstanding", "Case reserve of reported claims", "USD", "institution"),
        Series("insurance.ibnr", "Reserve for claims incurred but not reported", "USD", "institution"),
        Series("insurance.run_off_expected", "What claims of past months were expected to grow by in the last whole "
               "month; under the reserving methods that read the triangle", "USD", "institution"),
        Series("insurance.run_off_actual", "What they grew by", "USD", "institution"),
        Series("insurance.claims_fund", "Earned premium held for claims", "USD", "institution"),
        Series("insurance.surplus", "Retained surplus", "USD", "institution"),
        Series("insurance.junior", "Value behind the junior shares", "USD", "institution"),
        Series("insurance.senior", "Value behind the senior shares", "USD", "institution"),
        Series("insurance.share_price", "Value of the senior share that first cost 1", "1", "institution"),
        Series("insurance.junior_price", "Value of the junior share that first cost 1", "1", "institution"),
        Series("insurance.lp_yield", "Premium that came to senior capital today, as a yearly rate, before losses and "
               "without emissions", "1/year", "institution"),
        Series("insurance.withdrawal_queue", "Value of the senior shares that wait for redemption", "USD",
               "institution"),
        Series("insurance.borne_claims", "Claims borne by earned premium today", "USD", "institution"),
        Series("insurance.borne_surplus", "Claims borne by surplus today", "USD", "institution"),
        Series("insurance.borne_junior", "Claims borne by the junior tranche today", "USD", "institution"),
        Series("insurance.borne_senior", "Claims borne by senior capital today", "USD", "institution"),
        Series("insurance.state", "0 active, 1 gated, 2 run-off, 3 closed", "1", "institution"),
        Series("insurance.total_capital", "Own funds of all pools", "USD"),
        Series("insurance.total_required", "Capital required of all pools", "USD"),
        Series("insurance.total_members", "Insured persons in all pools", "persons"),
        Series("insurance.total_unpaid", "Approved claims that pools could not pay", "USD"),
        Series("insurance.total_queue", "Value of all senior shares that wait for redemption", "USD"),
        Series("insurance.pooled_loss_ratio", "Incurred claims over earned premium of all pools, last 90 days"),
        Series("insurance.mean_premium", "Mean annual premium of an insured person", "USD/year"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("insurance.incurred_loss_ratio", "Incurred claims over earned premium, all pools and days"),
        Metric("insurance.incurred_loss_ratio_highest", "The highest 90-day incurred loss ratio of all pools", "1",
               "low"),
        Metric("insurance.expense_ratio", "Administration, oracle and treasury shares over earned premium"),
        Metric("insurance.combined_ratio", "Loss ratio plus expense ratio", "1", "low"),
        Metric("insurance.defaults", "Pools that became insolvent", "pools", "low"),
        Metric("insurance.any_default", "1 where any pool became insolvent", "1", "low"),
        Metric("insurance.time_to_ruin_days", "Day of the first insolvency; the horizon where there is none", "days",
               "high"),
        Metric("insurance.unpaid_claims", "Approved claims unpaid at the end", "USD", "low"),
        Metric("insurance.unpaid_share", "Unpaid over approved claims", "1", "low"),
        Metric("insurance.paid_claims", "Paid on claims", "USD"),
        Metric("insurance.premium_earned", "Premium earned", "USD"),
        Metric("insurance.lowest_mcr_ratio", "Lowest MCR % of any pool with members, day by day", "1", "high"),
        Metric("insurance.lowest_scr_ratio", "Lowest SCR ratio of any pool with members, day by day", "1", "high"),
        Metric("insurance.mean_scr_ratio", "Capital over required capital, all pools, mean of the days"),
        Metric("insurance.gated_days", "Pool-days with the gate shut", "days", "low"),
        Metric("insurance.borne_by_claims_fund", "Share of paid claims borne by earned premium"),
        Metric("insurance.borne_by_surplus", "Share of paid claims borne by surplus"),
        Metric("insurance.borne_by_junior", "Share of paid claims borne by the junior tranche", "1", "low"),
        Metric("insurance.borne_by_senior", "Share of paid claims borne by senior capital", "1", "low"),
        Metric("insurance.dividends", "Dividends paid out of surplus", "USD"),
        Metric("insurance.premium_refunds", "Unearned premium given back", "USD"),
        Metric("insurance.members_end", "Insured persons at the end", "persons"),
        Metric("insurance.concentration", "Herfindahl index of members over pools at the end", "1", "low"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("insurance_stop_writing", "Pools may not take new members.", StopWriting),
        ShockKind("insurance_wind_down", "Pools go into run-off by order.", WindDown),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("insurance.mcr_gate", 0.5, 2.0, "Capital over MCR below which no withdrawal completes"),
        Governable("insurance.withdrawal_cooldown_days", 0, 60, "Days from request to earliest redemption", True),
    )

    pools: int = param(8, "Number of pools.", unit="pools", ge=1, le=500)
    pool_names: list[str] = param([], "Names of the first pools; the others are POOL1, POOL2 and so on.")
    pool_regions: list[int] = param([], "Region of each of the first pools; -1 or none: all regions.")
    plan: Plan = param(Plan(), "Product of every pool that has none of its own.")
    pool_plans: list[Plan] = param([], "Products of the first pools.")
    plans: list[Plan] = param(
        [], "Several plans side by side, each with a name; a pool writes all of them, or those that name it. In place "
        "of plan and pool_plans.")
    premium_shares: PremiumShares = param(PremiumShares(), "How earned premium is divided.")
    age_curve: str = param("", "Table of premium by age (columns age, factor), in the folder of shipped data or by "
                           "absolute path; empty: the one of the population's source tables; flat: one rate for all "
                           "ages (full community rating).", grade="M",
                           source="CMS federal default age curve, 45 CFR 147.102")

    capital_regime: Literal["fixed_ratio", "standard_formula", "lognormal_var", "own_model", "nexus_cover"] = param(
        "lognormal_var", "What capital is required: a share of premium; 3 sigma V; 99.5 % value at risk of a lognormal "
        "year; the same of the pool's own aggregate loss (an internal model); active cover over a gearing factor (for "
        "lump sums only).")
    fixed_ratio: float = param(0.25, "Capital over annual premium, regime fixed_ratio.", gt=0.0, le=10.0)
    sigma: float = param(0.05, "Standard deviation of premium and reserve risk over volume, regime standard_formula.",
                         gt=0.0, le=2.0, grade="L", source=SOLVENCY_II + ", annex XIV: medical expense, 5 %")
    member_cv: float = param(3.93846, "Standard deviation over mean of one member's annual cost, regime lognormal_var.",
                             gt=0.0, le=100.0, grade="M", source="MEPS 2018: mean, median and zero share of spending")
    systemic_sd: float = param(0.05, "Standard deviation of the factor common to all costs of a year (medical "
                               "inflation, utilisation), regime lognormal_var.", ge=0.0, le=2.0)
    reserve_sigma: float = param(
        0.0, "Standard deviation of reserve risk over claim reserves, regime standard_formula, correlated by one half "
        "with that of premium; 0: `sigma` holds for the whole volume.", ge=0.0, le=2.0)
    pandemic_cost: float = param(
        0.0, "What a pandemic is expected to cost per insured who falls ill (1 % in hospital, 20 % at the doctor, the "
        "others at home), regime standard_formula; 0: no pandemic add-on.", unit="USD", ge=0.0, le=1e6, grade="L",
        source=SOLVENCY_II + ", article 163 and annex XVI; the ratios recalled")
    zero_share: float = param(0.133297, "Share of members without any cost in a year, regime own_model.", ge=0.0,
                              lt=0.9, grade="M", source="MEPS 2018")
    own_measure: Literal["var", "tvar"] = param("var", "What the regime own_model provides for: the quantile of a "
                                                "year, or the mean of the years beyond it.")
    own_quantile: float = param(0.995, "That quantile; with tvar 0.99 is the Swiss Solvency Test's.", ge=0.9, le=0.9999,
                                grade="L", source=SOLVENCY_II + ", article 101: 99.5 % over one year")
    own_credibility: float = param(
        10_000.0, "Member-years at which the pool's own distribution of members' yearly costs weighs as much as the "
        "published one, regime own_model. A coefficient of variation of 4 with so heavy a tail takes about that many "
        "to be known within a tenth.", unit="member-years", gt=0.0, le=1e9)
    mcr_updates_per_day: int = param(1, "Updates of the requirement a day, regime nexus_cover: each moves it by at "
                                     "most 1 %, all of a day by at most 5 %.", unit="1/day", ge=1, le=24, grade="M",
                                     source="Nexus Mutual, MCR.sol: minUpdateTime 3600 seconds, maxMCRIncrement 500")
    gearing: float = param(4.8, "Active cover over required capital, regime nexus_cover.", gt=0.0, le=100.0, grade="M",
                           source=NEXUS)
    mcr_share: float = param(0.45, "MCR as a share of SCR; 1 under nexus_cover, whatever stands here.", gt=0.0, le=1.0,
                             grade="L", source=SOLVENCY_II + ", article 129: 25 % to 45 % of SCR")
    capacity_ratio: float = param(1.0, "New members are taken only while capital covers this multiple of the SCR with "
                                  "them.", ge=0.0, le=10.0)

    mcr_gate: float = param(1.0, "Capital over MCR below which no withdrawal completes; 0: no gate.", ge=0.0, le=5.0)
    withdrawal_cooldown_days: int = param(14, "Days from request to earliest redemption.", unit="days", ge=0, le=365)
    share_offset: int = param(3, "Decimals of virtual shares that make the inflation attack dear.", unit="digits", ge=0,
                              le=6, grade="M", source="OpenZeppelin ERC4626, _decimalsOffset")
    report_lag_days: float = param(2.0, "Expected days from care to report before the pool has experience.",
                                   unit="days", ge=0.0, le=365.0)
    report_lag_claims: float = param(200.0, "Weight of that expectation, in claims.", unit="claims", gt=0.0)
    reserving: Literal["geometric", "chain_ladder", "bornhuetter_ferguson"] = param(
        "geometric", "How claims incurred but not reported are estimated: expected losses times a geometric reporting "
        "lag learned from reports; chain ladder on the pool's own monthly triangle; expected losses times the share "
        "that the triangle leaves unreported (Bornhuetter-Ferguson). The lag above is the prior pattern of all three.")
    profit_interval_days: int = param(30, "Days between transfers of the claims fund's excess to surplus.", unit="days",
                                      ge=1, le=3650)
    rebate_threshold: float = param(
        0.0, "Loss ratio of a year below which the difference is given back to members out of surplus; 0: no rebates. "
        "The US rule is 0.80 for individual and 0.85 for large-group cover (45 CFR 158.210).", ge=0.0, le=1.0)
    run_off_tail_days: int = param(180, "Days from run-off until a pool without open claims closes.", unit="days",
                                   ge=0, le=3650)

    @model_validator(mode="after")
    def _no_more_than_pools(self) -> Self:
        for name in ("pool_names", "pool_regions", "pool_plans"):
            if len(getattr(self, name)) > self.pools:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {self.pools} pools")
        if len(set(self.pool_names)) != len(self.pool_names):
            raise ValueError("pool_names repeats a name")
        return self

    @model_validator(mode="after")
    def _plans_have_names_and_pools(self) -> Self:
        names = [plan.name for plan in self.plans]
        if "" in names or len(set(names)) != len(names):
            raise ValueError("each of insurance.plans needs a name of its own")
        if self.plans and self.pool_plans:
            raise ValueError("plans and pool_plans exclude each other")
        pools = [*self.pool_names, *(f"POOL{j + 1}" for j in range(len(self.pool_names), self.pools))]
        if self.plans:
            for pool in pools:
                if not any(not plan.pools or pool in plan.pools for plan in self.plans):
                    raise ValueError(f"{pool} writes none of the plans")
            for plan in self.plans:
                if unknown := set(plan.pools) - set(pools):
                    raise ValueError(f"plan {plan.name} names {sorted(unknown)[0]!r}, which is no pool")
        return self


SECTION = InsuranceSection
