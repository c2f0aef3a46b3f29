"""Schema of contagion: how debts among institutions are cleared, and how failures are traced."""

from __future__ import annotations

from typing import ClassVar

from sim.scenario.types import Metric, Model, Section, Series, param

EISENBERG_NOE = "Eisenberg & Noe 2001; Rogers & Veraart 2013 for the costs of bankruptcy"

CHANNELS = ("claims", "clearing", "fire_sale", "run", "lapse", "other")


class Channels(Model):
    """One place to switch the channels of contagion; empty: as the channel's own section says."""

    runs_on_losses: bool | None = param(None, "Liquidity providers run on losses that they see "
                                        "(liquidity_providers.reacts_to_losses).")
    runs_on_exits: bool | None = param(None, "Liquidity providers run on exits that they see "
                                       "(liquidity_providers.reacts_to_exits).")
    informed_exits: bool | None = param(None, "The informed leave first (liquidity_providers.informed_exits).")
    fire_sales: bool | None = param(None, "Pools sell investments under stress (investments.fire_sales).")
    lapses: bool | None = param(None, "Patients lapse by lost trust (lapses.acting).")
    clearing: bool = param(True, "Creditors bear what debtors cannot pay. Off: the government pays the rest, as far as "
                           "it has money.")


class ContagionSection(Section):
    """Debts among institutions are cleared each day, and failures are traced to the channel that caused them."""

    implementation: ClassVar[str] = "sim.contagion.market:Contagion"
    requires: ClassVar[tuple[str, ...]] = ("insurance",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("contagion.obligations", "Debts among institutions that fell due today", "USD"),
        Series("contagion.unpaid", "What of them was not paid", "USD"),
        Series("contagion.failures", "Institutions that failed today", "institutions"),
        Series("contagion.equity", "Equity of all institutions that have not failed", "USD"),
        Series("contagion.exposures", "Claims between institutions", "USD"),
        Series("contagion.concentration", "Herfindahl index of those claims over the institutions that owe them"),
        Series("contagion.debtrank", "Largest linear DebtRank: the share of the others' equity that the failure of one "
               "institution would destroy along claims, the worst one, at last computation"),
        Series("contagion.debtrank_single_hit", "The same by the first DebtRank, where each passes on distress once"),
        Series("contagion.institution_equity", "Assets less liabilities at market value", "USD", "institution"),
        Series("contagion.institution_cash", "Money with which debts can be paid today", "USD", "institution"),
        Series("contagion.institution_other_assets", "Assets beside that money", "USD", "institution"),
        Series("contagion.institution_liabilities", "Liabilities", "USD", "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("contagion.failures", "Institutions that failed", "institutions", "low"),
        Metric("contagion.any_failure", "1 where any institution failed", "1", "low"),
        *(Metric(f"contagion.failures_{channel}", f"Failures to whose fall in capital {words} contributed most",
                 "institutions", "low")
          for channel, words in (("claims", "claims above what premium provides for"),
                                 ("clearing", "debts that others did not pay"),
                                 ("fire_sale", "forced sales, own or others',"), ("run", "withdrawals of capital"),
                                 ("lapse", "premium lost to lapses by lost trust"), ("other", "something else"))),
        Metric("contagion.hard_insolvencies", "Failures of institutions that could not pay what was due although their "
               "assets exceeded their liabilities", "institutions", "low"),
        Metric("contagion.balance_sheet_insolvencies", "Failures of institutions whose liabilities exceeded their "
               "assets", "institutions", "low"),
        Metric("contagion.cascade_size", "Institutions in the largest cascade of failures", "institutions", "low"),
        Metric("contagion.cascade_depth", "Rounds of the deepest cascade; 1: nobody fell by another's fall", "rounds",
               "low"),
        Metric("contagion.obligations", "Debts among institutions that fell due", "USD"),
        Metric("contagion.unpaid_obligations", "What of them was not paid", "USD", "low"),
        Metric("contagion.bankruptcy_costs", "Lost by the failed to the costs of failure", "USD", "low"),
        Metric("contagion.guaranteed", "Paid by the government in debtors' stead", "USD", "low"),
        Metric("contagion.debtrank", "Highest linear DebtRank of the run", "1", "low"),
        Metric("contagion.debtrank_single_hit", "Highest single-hit DebtRank of the run", "1", "low"),
        Metric("contagion.concentration", "Mean Herfindahl index of claims over those who owe them", "1", "low"),
        *(Metric(f"contagion.waterfall_{layer}", f"{words} of all pools at the end", "USD")
          for layer, words in (("reinsurance", "Recoverables from reinsurers"), ("claims_fund", "Earned premium held"),
                               ("surplus", "Retained surplus in cash"), ("junior", "Junior money in cash"),
                               ("senior", "Senior money in cash"), ("investments", "Investments"))),
    )

    alpha: float = param(0.9, "Part of its cash that a failed debtor keeps for its creditors; the rest goes to the "
                         "costs of failure.", grade="L", source=EISENBERG_NOE, ge=0.0, le=1.0)
    beta: float = param(0.9, "Part of what it receives that a failed debtor keeps for its creditors.", grade="L",
                        source=EISENBERG_NOE, ge=0.0, le=1.0)
    policyholders_first: bool = param(
        True, "Whether money that covers a pool's claims, reported or not, is kept from its other creditors.",
        grade="L", source="Directive 2009/138/EC, article 275: insurance claims take precedence")
    channels: Channels = param(Channels(), "Switches of the channels.")
    window_days: int = param(30, "Days over which the losses before a failure are looked at, and within which a "
                             "failure can be part of an earlier one's cascade.", unit="days", ge=1, le=365)
    debtrank_days: int = param(7, "Days between two computations of DebtRank.", unit="days", ge=1, le=365)


SECTION = ContagionSection
