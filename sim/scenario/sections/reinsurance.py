"""Schema of reinsurance: treaties, sellers, prices, and when insurers buy."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param


class TreatyLayer(Model):
    """One layer. Money is in the treaty's unit; a layer takes min(max(loss - retention, 0), limit)."""

    retention: float = param(0.0, "Part of the loss below the layer.", ge=0.0, le=1e12)
    limit: float = param(0.0, "Most that the layer takes of one loss; 0: no limit.", ge=0.0, le=1e12)
    share: float = param(1.0, "Part of the layer that is placed, where sellers are named; the rest stays with the "
                         "cedant.", gt=0.0, le=1.0)
    reinstatements: int = param(1, "How often the limit is there again after it was used; -1: always. A stop loss and "
                                "a quota share have none.", unit="times", ge=-1, le=20)
    reinstatement_rate: float = param(1.0, "Reinstatement premium over the layer's premium, pro rata to the amount "
                                      "reinstated.", ge=0.0, le=3.0)
    rate_on_line: float = param(-1.0, "Premium a year over the placed limit of one loss; -1: what the sellers ask.",
                                ge=-1.0, le=10.0)


class TreatyPlan(Model):
    """One treaty, as it is offered or scheduled."""

    form: Literal["quota_share", "excess_of_loss", "stop_loss"] = param(
        "excess_of_loss", "quota_share cedes a share of premium and claims from the first dollar; excess_of_loss cedes "
        "layers of each loss; stop_loss cedes layers of the year's total.")
    basis: Literal["risk", "event"] = param(
        "event", "What one loss is under excess_of_loss: risk, the claims of one insured in the treaty's year; event, "
        "all claims incurred in a window of `event_days` days. Windows follow each other from the treaty's first day.")
    unit: Literal["USD", "premium", "expected_claims"] = param(
        "expected_claims", "Unit of retentions and limits: dollars, or parts of the cedant's annual premium or annual "
        "expected claims when the treaty is made.")
    layers: list[TreatyLayer] = param([], "Layers, lowest first; none may overlap. A quota share has none.")
    quota: float = param(0.25, "Share that a quota share cedes.", gt=0.0, lt=1.0)
    commission: float = param(-1.0, "Ceding commission of a quota share over ceded premium; -1: what sellers offer.",
                              ge=-1.0, le=1.0)
    event_days: int = param(
        30, "Days of one window (basis event).", unit="days", ge=1, le=365, grade="L",
        source="Hours clauses allow 72 to 504 hours for storm and flood; epidemics last longer, so a month is assumed")
    covers_inward: bool = param(True, "Whether losses assumed from other cedants count (whole-account cover, as in the "
                                "London market); never under basis risk.")

    @model_validator(mode="after")
    def _layers_fit(self) -> Self:
        if (self.form == "quota_share") == bool(self.layers):
            raise ValueError("a quota share has no layers; every other treaty needs at least one")
        edge = 0.0
        for layer in self.layers:
            if layer.retention < edge:
                raise ValueError(f"the layer above {layer.retention:g} overlaps the one below, which reaches {edge:g}")
            edge = layer.retention + layer.limit if layer.limit else float("inf")
        return self


class ScheduledTreaty(TreatyPlan):
    """A treaty that a scenario gives, whether anybody would buy it or not."""

    buyers: list[str] = param([], "Pools or reinsurers that cede, each under a treaty of its own; none named: all "
                              "pools.")
    sellers: list[str] = param([], "Reinsurers or pools that take it in equal parts; none named: all reinsurers. A "
                               "buyer is never its own seller.")
    ring: int = param(0, "Number of pools behind the buyer, in their order and after the last the first again, that "
                      "take it in equal parts instead; 0: those named.", unit="pools", ge=0, le=499)
    first_day: int = param(0, "Day on which it is made.", unit="days", ge=0)
    days: int = param(365, "Term.", unit="days", ge=1, le=3650)
    renewed: bool = param(True, "Whether it is made again when its term has ended, at the prices of that day.")
    lag_days: int = param(-1, "Days from a cession to its payment; -1: as for all treaties.", unit="days", ge=-1,
                          le=730)


class ReinsurerDefault(Model):
    """Arguments of the shock ``reinsurer_default``."""

    reinsurers: list[str] = param([], "Names of those that fail; none named: all.")
    recovery: float = param(0.0, "Share of its cash that is left; the rest is lost to the outside world.", ge=0.0,
                            le=1.0)


class ReinsurerDowngrade(Model):
    """Arguments of the shock ``reinsurer_downgrade``."""

    reinsurers: list[str] = param([], "Names of those whose credit is doubted; none named: all.")
    extra_lag_days: int = param(0, "Days by which they pay later from now on.", unit="days", ge=0, le=730)


SOLVENCY_II = "Delegated Regulation (EU) 2015/35, articles 192 and 199"


class ReinsuranceSection(Section):
    """Reinsurance of pools by reinsurers and by each other."""

    implementation: ClassVar[str] = "sim.agents.reinsurance:Reinsurance"
    requires: ClassVar[tuple[str, ...]] = ("insurance", "insurers", "population", "economy")
    series: ClassVar[tuple[Series, ...]] = (
        Series("reinsurance.premium", "Premium paid to reinsurers and pools today, less commission", "USD"),
        Series("reinsurance.ceded", "Losses ceded today, those passed on again counted each time", "USD"),
        Series("reinsurance.ceded_first", "Losses ceded today by pools for claims of their own members", "USD"),
        Series("reinsurance.recovered", "Recoveries paid today", "USD"),
        Series("reinsurance.recoverables", "Ceded losses that sellers still owe", "USD"),
        Series("reinsurance.overdue", "Part of it that fell due before today", "USD"),
        Series("reinsurance.limit", "Placed annual limits in force", "USD"),
        Series("reinsurance.rate_on_line", "Premium over placed annual limit, treaties in force that have one"),
        Series("reinsurance.limit_used", "Share of placed annual limits in force that has been used"),
        Series("reinsurance.hardness", "Margin that reinsurers ask over its level in calm years, mean"),
        Series("reinsurance.rounds", "Rounds that today's losses travelled", "count"),
        Series("reinsurance.capital", "Assets less liabilities", "USD", "institution"),
        Series("reinsurance.recoverable", "Ceded losses that its reinsurers owe it", "USD", "institution"),
        Series("reinsurance.assumed", "Losses that it has assumed and not yet paid", "USD", "institution"),
        Series("reinsurance.net_premium", "Reinsurance premium paid less received, since the start", "USD",
               "institution"),
        Series("reinsurance.standing", "0 sound, 1 downgraded, 2 insolvent, 3 defaulted", "1", "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("reinsurance.premium_share", "Reinsurance premium, less commission, over premium earned by pools", "1",
               "low"),
        Metric("reinsurance.ceded_share", "Claims ceded by pools over claims that went through their waterfalls"),
        Metric("reinsurance.cost", "Premium paid by pools to reinsurers less what these owed them, over that premium",
               "1", "low"),
        Metric("reinsurance.recovered", "Recoveries paid to pools", "USD"),
        Metric("reinsurance.recoverables_end", "Owed to pools and not paid at the end", "USD", "low"),
        Metric("reinsurance.recoverables_highest", "Most that was owed to pools on any day", "USD", "low"),
        Metric("reinsurance.failed_share", "Overdue at the end or written off, over ceded", "1", "low"),
        Metric("reinsurance.reinsurer_defaults", "Reinsurers that did not pay what fell due", "count", "low"),
        Metric("reinsurance.purchases", "Treaties that insurers bought on their own account", "count"),
        Metric("reinsurance.rate_on_line", "Mean premium over placed annual limit, of treaties made"),
        Metric("reinsurance.hardest", "Highest mean hardness of reinsurers' prices", "1", "low"),
        Metric("reinsurance.concentration", "Herfindahl index of assumed losses over sellers", "1", "low"),
        Metric("reinsurance.gross_over_net", "Losses ceded in all rounds over those ceded in the first", "1", "low"),
        Metric("reinsurance.rounds_most", "Most rounds that losses of one day travelled", "count", "low"),
        Metric("reinsurance.spread", "Share of the pools whose assumed losses exceed a tenth of their capital at the "
               "start of the first treaty", "1", "low"),
        Metric("reinsurance.returned_share", "Of the pool that ceded most of its own claims: what it assumed from "
               "others over that", "1", "low"),
        Metric("reinsurance.assumed_highest", "Highest assumed losses of any pool over its capital at the start of the "
               "first treaty", "1", "low"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("reinsurer_default", "Reinsurers lose their assets and stop paying.", ReinsurerDefault),
        ShockKind("reinsurer_downgrade", "Reinsurers' credit is doubted: a haircut on what they owe, later payment.",
                  ReinsurerDowngrade),
    )

    treaties: list[ScheduledTreaty] = param([], "Treaties given by the scenario.")
    reinsurers: int = param(3, "Number of traditional reinsurers, RE1, RE2 and so on.", unit="reinsurers", ge=0, le=50)
    reinsurer_capital: float = param(1.0, "Opening capital of all reinsurers together over the capital that pools are "
                                     "required to open with.", ge=0.0, le=100.0)
    capacity: float = param(1.0, "Most that a reinsurer may have to pay in a bad year (annual limits; of covers "
                            "without a limit the 99.5 % quantile) over its capital.", gt=0.0, le=20.0)
    largest_line: float = param(0.5, "Most that one reinsurer takes of a layer that an insurer buys.", gt=0.0, le=1.0)
    least_placed: float = param(0.5, "An insurer buys a layer only where at least this share of it is placed.", ge=0.0,
                                le=1.0)
    retrocession: float = param(0.0, "Share of each reinsurer's assumed losses and premium that goes to the others in "
                                "equal parts, by quota share.", ge=0.0, lt=1.0)
    pools_sell: bool = param(False, "Whether pools sell reinsurance to other pools that want to buy.")
    pool_capacity: float = param(0.25, "Most that a pool may have to pay in a bad year for others, over its capital "
                                 "above the selling ratio.", ge=0.0, le=5.0)
    pool_selling_ratio: float = param(1.5, "SCR ratio above which a pool sells.", ge=0.0, le=20.0)

    insurers_buy: bool = param(True, "Whether insurers buy by the rule below.")
    buying_scr_ratio: float = param(1.3, "SCR ratio below which an insurer looks for reinsurance.", ge=0.0, le=20.0)
    capital_relief_value: float = param(
        0.10, "What a dollar of lower SCR is worth a year: an insurer buys where the premium is below this times the "
        "relief, plus the losses it expects to cede.", unit="1/year", ge=0.0, le=2.0)
    review_interval_days: int = param(30, "Days between an insurer's reviews; what it buys runs for a year.",
                                      unit="days", ge=1, le=365)
    offers: list[TreatyPlan] = param(
        [TreatyPlan(form="stop_loss", layers=[TreatyLayer(retention=1.10, limit=0.30, reinstatements=0)]),
         TreatyPlan(form="stop_loss", layers=[TreatyLayer(retention=1.20, limit=0.60, reinstatements=0)]),
         TreatyPlan(form="excess_of_loss", basis="risk", unit="USD",
                    layers=[TreatyLayer(retention=250_000.0, limit=750_000.0, reinstatements=-1)]),
         TreatyPlan(form="quota_share", quota=0.25)],
        "What an insurer may choose from; it takes what is worth most to it, one after the other, until its ratio "
        "suffices.")

    pricing: Literal["standard_deviation", "cost_of_capital"] = param(
        "standard_deviation", "Price of a layer: per unit of limit EL + lambda sqrt(EL (1 - EL)), or mean plus the "
        "cost of the capital up to its 99.5 % quantile. A quota share is always priced by cost of capital.")
    risk_load: float = param(
        0.4, "lambda of the first method. It gives 4 times the expected loss at an expected loss of 1.8 % of the limit "
        "and 10 times at 0.2 %.", ge=0.0, le=5.0, grade="L",
        source="Catastrophe bonds at about 4 times expected loss; health excess of loss (Vitality Re class) at 0.2 %: "
               "15 times, recalled")
    capital_cost: float = param(0.08, "Return above the riskless rate that reinsurers ask on capital at risk.",
                                unit="1/year", ge=0.0, le=1.0)
    epidemic_rate: float = param(0.02, "Epidemics a year that sellers reckon with.", unit="1/year", ge=0.0, le=1.0)
    epidemic_size: float = param(0.15, "Claims of such an epidemic over a year's expected claims, all in one window.",
                                 ge=0.0, le=10.0)
    credibility_years: float = param(1550.0, "Member-years at which a cedant's own experience and the book's expected "
                                     "claims have equal weight.", unit="member-years", gt=0.0)
    cycle_response: float = param(
        1.0, "Rise of a reinsurer's margin, as a share of its calm level, per unit of a year's underwriting loss over "
        "capital: prices harden after losses.", ge=0.0, le=50.0)
    cycle_decay: float = param(0.4, "Share of the rise that fades within a year.", unit="1/year", ge=0.0, le=1.0)

    payment_lag_days: int = param(60, "Days from a cession to its payment; 0: called in while claims are settled.",
                                  unit="days", ge=0, le=730)
    haircut_downgraded: float = param(0.10, "Part of a recoverable that does not count as an asset where its debtor is "
                                      "downgraded or insolvent.", ge=0.0, le=1.0)
    haircut_defaulted: float = param(0.50, "The same where it has defaulted.", ge=0.0, le=1.0, grade="L",
                                     source=SOLVENCY_II + ": loss given default of 50 % of recoverables")
    write_off_days: int = param(365, "Days after which an overdue recovery is given up.", unit="days", ge=1, le=3650)
    most_rounds: int = param(400, "Most rounds that losses travel in one day; the rest travels on the next day.",
                             unit="rounds", ge=1, le=100_000)


SECTION = ReinsuranceSection
