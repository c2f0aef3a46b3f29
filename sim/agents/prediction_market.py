"""Prediction markets and those who trade in them: the informed, noise, manipulators, and stakers on benchmarks.

Markets open on a calendar, funded by a sponsor; traders send orders to the chain while a market is open, and each order
works out its size at the prices of its block; at the window's end a committee reports the figure, its median says which
outcome has happened, and everybody is paid. An insurer may read what a market expects (:meth:`expected_growth`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents.forecast_subjects import YEAR_DAYS, Subject, subject
from sim.chain.mempool import Batch, Refused
from sim.contracts.oracle_committee.rules import aggregate
from sim.contracts.prediction.benchmark import Benchmark
from sim.contracts.prediction.maker import MarketMaker
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MAX_INT64, MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.prediction_markets import MarketTerms, PredictionMarketsSection

KIND, GAS = "prediction_trade", 180_000
LEAST_CHANCE = 0.01
"""Nobody is surer than this that an outcome will not happen."""
BUDGET_SHARE = 0.25
"""Part of its cash that an informed trader risks in one order."""


@dataclass(slots=True, eq=False)
class Question:
    """One market from opening to settlement. ``figures`` are the values that stand for its outcomes."""

    name: str
    terms: MarketTerms
    serial: int
    opened: int
    subject: Subject
    maker: MarketMaker
    benchmark: Benchmark
    halfway: list[float] = field(default_factory=list)
    closing: list[float] = field(default_factory=list)

    @property
    def last_trade(self) -> int:
        return self.opened + self.terms.trading_days - 1

    @property
    def reported(self) -> int:
        return self.opened + self.terms.window_days

    def figures(self) -> list[float]:
        """The middle of each outcome; the outer ones are as wide as their neighbours."""
        borders = self.terms.thresholds
        gap = borders[1] - borders[0] if len(borders) > 1 else abs(borders[0]) or 1.0
        last = borders[-1] - borders[-2] if len(borders) > 1 else gap
        inner = [(low + high) / 2.0 for low, high in pairwise(borders)]
        return [borders[0] - gap / 2.0, *inner, borders[-1] + last / 2.0]

    def belief(self, day: int, shift: float) -> list[float]:
        """Probabilities of the outcomes for an informed trader."""
        below = [self.subject.below(x, self.reported - day, shift) for x in self.terms.thresholds]
        raw = [high - low for low, high in zip([0.0, *below], [*below, 1.0], strict=True)]
        clipped = [max(chance, LEAST_CHANCE) for chance in raw]
        return [chance / sum(clipped) for chance in clipped]


class Forecaster(mesa.Agent):
    """A trader with cash; ``kind`` names it in the records."""

    def __init__(self, desk: PredictionMarkets, kind: str, number: int, cash: float) -> None:
        super().__init__(desk.market)
        self.desk = desk
        self.kind = kind
        self.name = f"{kind}_forecaster_{number + 1}"
        self.account: int = desk.ledger.open_account(self.name, "traders")
        self.key = agent_key(self.name)
        desk.market.endow(self.account, int(cash * MICRO))

    @property
    def cash(self) -> int:
        return self.desk.ledger.balance(self.desk.usd, self.account)

    def move(self, question: Question, wanted: list[float], budget: int, least_gain: int | None) -> None:
        """Trade towards the probabilities ``wanted`` for at most ``budget``; refused where, by them, it gains less than
        ``least_gain``. Selling complete sets that it holds, it never buys one."""
        maker = question.maker
        held = maker.shares_of(self.account)
        raw = [float(maker.b) * math.log(want / price) for want, price in zip(wanted, maker.prices(), strict=True)]
        surplus = min(change + own for change, own in zip(raw, held, strict=True))
        trade = [max(math.floor(change - surplus), -own) for change, own in zip(raw, held, strict=True)]
        cost = maker.quote(trade)
        if cost > budget:
            # Cost is convex and nothing costs nothing, so that a part of the trade costs at most that part.
            part = budget / cost * (1.0 - 1e-9)
            trade = [max(math.floor(amount * part), -own) for amount, own in zip(trade, held, strict=True)]
            cost = maker.quote(trade)
        gain = sum(chance * amount for chance, amount in zip(wanted, trade, strict=True)) - cost
        if not any(trade) or (least_gain is not None and gain <= least_gain):
            raise Refused(f"{self.name} finds no gain in market {question.name}")
        self.desk.count_volume(abs(maker.trade(self.account, trade, self.cash)))


class PredictionMarkets(Mechanism):
    """See the module."""

    section: PredictionMarketsSection
    hooks = (Hook(Phase.FORECASTS, "run_markets"),)

    def setup(self, market: Market) -> None:
        self.market, self.ledger, section = market, market.ledger, self.section
        self.usd: int = self.ledger.asset_id("USDs")
        self.account: int = self.ledger.open_account("prediction_markets", "protocol")
        self.stakes_account: int = self.ledger.open_account("benchmark_stakes", "protocol")
        if section.sponsor == "treasury":
            self.sponsor = market.treasury_account()
        else:
            self.sponsor = self.ledger.open_account("forecast_foundation", "rest_of_world")
            market.endow(self.sponsor, int(section.sponsor_cash * MICRO))

        def group(kind: str, number: int, cash: float) -> list[Forecaster]:
            return [Forecaster(self, kind, i, cash) for i in range(number)]

        self.informed = group("informed", section.informed, section.informed_cash)
        self.noise = group("noise", section.noise_traders, section.noise_cash)
        self.manipulators = group("manipulator", section.manipulators, section.manipulator_cash)
        asked = sum(1 + market.horizon_days // terms.interval_days for terms in section.markets)
        self.stakers = group("staker", section.stakers, section.stake * asked)
        draws = market.draws
        self._signal = draws.decision("prediction_markets.signal")
        self._trades = draws.decision("prediction_markets.noise_trades")
        self._outcome = draws.decision("prediction_markets.noise_outcome")
        self._size = draws.decision("prediction_markets.noise_size")
        self._report = draws.decision("prediction_markets.report")
        self._stake = draws.decision("prediction_markets.stake")
        self.questions: list[Question] = []
        self.asked = 0
        self.unfunded = 0
        self.claims_seen: list[tuple[int, int]] = []
        """Claims incurred so far and members, at the end of each day; empty without insurance."""
        self.results = dict.fromkeys(("informed", "noise", "manipulator"), 0)
        self.funded = self.lost = self.volume = self.staked = self.staked_right = 0
        self.scores: list[tuple[float, float, float]] = []

    def start(self, market: Market) -> None:
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind(KIND, GAS)
        self.insurance: Any = market.find("insurance")

    # What others may read -------------------------------------------------------------------------------------

    def expected_growth(self) -> float | None:
        """Growth of medical prices a year that the newest market on it expects; None where there is none to ask."""
        for question in reversed(self.questions):
            if question.terms.subject == "cost_growth":
                prices = question.maker.prices()
                growth = sum(p * x for p, x in zip(prices, question.figures(), strict=True))
                return float((1.0 + growth) ** (YEAR_DAYS / question.terms.window_days) - 1.0)
        return None

    def count_volume(self, amount: int) -> None:
        """Add to today's volume; taken back with the transaction it belongs to."""
        before = self.volume
        self.ledger.on_rollback(lambda: setattr(self, "volume", before))
        self.volume = before + amount

    # The day --------------------------------------------------------------------------------------------------

    def run_markets(self, market: Market) -> None:
        """Settle, open, and let everybody decide; what they decide goes to the blocks of the day."""
        day = market.day
        self.volume = 0
        if self.insurance is not None:
            claims = sum(self.insurance.report_figures.incurred(pool) for pool in self.insurance.pools)
            self.claims_seen.append((claims, sum(pool.members for pool in self.insurance.pools)))
        for question in [question for question in self.questions if question.reported == day]:
            self._settle(question, day)
        for terms in self.section.markets:
            if day >= terms.first_day and (day - terms.first_day) % terms.interval_days == 0:
                self._ask(terms, day)
        orders: list[tuple[Forecaster, Callable[[], None]]] = []
        for question in self.questions:
            if question.maker.open:
                if day == question.opened + question.terms.trading_days // 2:
                    question.halfway = question.maker.prices()
                orders += self._orders(question, day)
                if day > question.last_trade:
                    self._close(question, day)
        if orders:
            self._submit(orders, day)

    def _ask(self, terms: MarketTerms, day: int) -> None:
        if terms.subject == "spending" and day < terms.window_days:
            return  # there is no window before to compare with
        name, funding = f"{terms.subject}.{day}", int(self.section.funding * MICRO)
        if self.ledger.balance(self.usd, self.sponsor) < funding:
            self.unfunded += 1
            return
        about = subject(terms.subject, self.market, terms.window_days)
        outcomes = len(terms.thresholds) + 1
        maker = MarketMaker(self.ledger, self.usd, name, outcomes, self.sponsor, funding, self.account)
        governance: Any = self.market.find("governance")
        if governance is not None and self.section.sponsor == "treasury":
            governance.treasury.book_guarantee(self.usd, funding, "prediction_funding")
        benchmark = Benchmark(self.ledger, self.usd, name, outcomes, self.stakes_account)
        self.questions.append(Question(name, terms, self.asked, day, about, maker, benchmark))
        self.asked += 1
        self.funded += funding

    def _orders(self, question: Question, day: int) -> list[tuple[Forecaster, Callable[[], None]]]:
        if day > question.last_trade:
            return []
        section, gas = self.section, self.chain.fee(KIND)
        orders: list[tuple[Forecaster, Callable[[], None]]] = []
        for trader in self.informed:
            shift = section.signal_noise * float(self._signal.normal(0, trader.key, question.serial))
            belief = question.belief(day, shift)
            orders.append((trader, partial(trader.move, question, belief, int(trader.cash * BUDGET_SHARE), gas)))
        outcomes = len(question.terms.thresholds) + 1
        for trader in self.noise:
            if self._trades.bernoulli(day, trader.key, section.noise_trades_per_day, question.serial):
                bought = int(self._outcome.integers(day, trader.key, outcomes, question.serial))
                size = section.noise_size * section.funding * float(
                    self._size.lognormal(day, trader.key, -0.5, 1.0, question.serial))
                wanted = [0.98 if place == bought else 0.02 / (outcomes - 1) for place in range(outcomes)]
                budget = min(int(size * MICRO), trader.cash)
                orders.append((trader, partial(trader.move, question, wanted, budget, None)))
        pushed = 0 if section.manipulated_outcome == "lowest" else outcomes - 1
        price = section.manipulated_price
        wanted = [price if place == pushed else (1.0 - price) / (outcomes - 1) for place in range(outcomes)]
        if self.manipulators and question.maker.prices()[pushed] < price:
            orders += [(trader, partial(trader.move, question, wanted, trader.cash // 2, None))
                       for trader in self.manipulators]
        return orders

    def _submit(self, orders: list[tuple[Forecaster, Callable[[], None]]], day: int) -> None:
        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row in rows.tolist():
                orders[row][1]()

        self.chain.submit(Batch(
            KIND, np.array([trader.account for trader, _ in orders]), execute, ordered=True, expires=day, singly=True,
            keys=np.array([trader.key for trader, _ in orders], dtype=np.uint64)))

    def _close(self, question: Question, day: int) -> None:
        """The day after the last trade: no more trades, and stakes on the benchmark."""
        question.maker.close()
        question.closing = question.maker.prices()
        sums = np.cumsum(question.closing)
        stake = int(self.section.stake * MICRO)
        for staker in self.stakers:
            drawn = float(self._stake.uniform(day, staker.key, question.serial))
            outcome = min(int(np.searchsorted(sums, drawn, side="right")), sums.size - 1)
            if staker.cash >= stake:
                question.benchmark.stake(staker.account, outcome, stake)

    def _settle(self, question: Question, day: int) -> None:
        """The committee's median decides; all who hold anything are paid."""
        section, figure, maker = self.section, question.subject.figure(), question.maker
        keys = np.arange(section.committee, dtype=np.uint64)
        errors = self._report.normal(day, keys, question.serial) * section.report_error
        reports = [round((figure + float(error)) * MICRO) for error in errors]
        answer = aggregate(reports, section.committee, (section.committee - 1) // 3, -MAX_INT64, MAX_INT64) / MICRO
        outcome = bisect_right(question.terms.thresholds, answer)
        staked, right = question.benchmark.staked(), question.benchmark.staked_on(outcome)
        with self.ledger.atomic():
            returned = maker.settle(outcome)
            for trader in (*self.informed, *self.noise, *self.manipulators):
                paid = maker.taken_from(trader.account)
                self.results[trader.kind] += maker.redeem(trader.account) - paid
            for account in maker.holders():
                maker.redeem(account)
            question.benchmark.settle(outcome)
        self.staked, self.staked_right = self.staked + staked, self.staked_right + right
        self.lost += maker.funding - returned
        closing, number = question.closing, len(question.closing)
        self.scores.append((sum((p - (place == outcome)) ** 2 for place, p in enumerate(closing)),
                            1.0 - 1.0 / number, closing[outcome]))
        for place, price in enumerate(closing):
            halfway = question.halfway[place] if question.halfway else math.nan
            self.market.record.row("forecasts", day, question.terms.subject, question.opened, place, halfway, price,
                                   int(place == outcome), figure)
        self.questions.remove(question)

    # Reports --------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        record.series("prediction_markets.open", sum(question.maker.open for question in self.questions))
        record.series("prediction_markets.volume", self.volume / MICRO)
        record.series("prediction_markets.staked",
                      sum(question.benchmark.staked() for question in self.questions) / MICRO)
        growth = self.expected_growth()
        if growth is not None:
            record.series("prediction_markets.cost_growth", growth)

    def finish(self, market: Market) -> None:
        metric = market.record.metric
        metric("prediction_markets.settled", len(self.scores))
        metric("prediction_markets.unfunded", self.unfunded)
        metric("prediction_markets.funding", self.funded / MICRO)
        metric("prediction_markets.sponsor_loss", self.lost / MICRO)
        for kind, result in self.results.items():
            metric(f"prediction_markets.{kind}_result", result / MICRO)
        if self.staked:
            metric("prediction_markets.stakes_right", self.staked_right / self.staked)
        if self.scores:
            for place, name in enumerate(("brier", "brier_uniform", "price_of_truth")):
                metric(f"prediction_markets.{name}", sum(score[place] for score in self.scores) / len(self.scores))

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "prediction_markets.makers_can_pay", self.check_makers
        yield "prediction_markets.money_is_there", self.check_money

    def check_makers(self) -> str | None:
        """Every market holds the most that it may owe, and its shares add up."""
        return next((broken for broken in (question.maker.check() for question in self.questions) if broken), None)

    def check_money(self) -> str | None:
        """The accounts hold what the open markets and benchmarks count, and nothing else."""
        for account, counted in ((self.account, sum(question.maker.held() for question in self.questions)),
                                 (self.stakes_account, sum(q.benchmark.staked() for q in self.questions))):
            held = self.ledger.balance(self.usd, account)
            if held != counted:
                return f"prediction markets hold {held} and count {counted}"
        return None
