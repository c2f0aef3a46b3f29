"""The core of the market as plain Mesa objects: the reference that :mod:`benchmarks.plain_mesa` compares with.

Each patient, pool and provider is a :class:`mesa.Agent` with Python attributes and a daily step; money is whole base
units in Python integers. Rules and parameters are read from a market of columns, so that there is one source of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import mesa
import numpy as np

from sim.kernel.fixedpoint import BPS, MICRO
from sim.model import HealthMarket

MONTH, YEAR = 30, 365

normal_quantile = NormalDist().inv_cdf


class Sector:
    """Somebody outside, with cash."""

    def __init__(self, cash: int = 0) -> None:
        self.cash = cash


class Provider(mesa.Agent):
    """A clinic or hospital; it spends what it receives once a month."""

    def __init__(self, model: PlainMarket, cash: int) -> None:
        super().__init__(model)
        self.cash = self.usual = cash

    def step(self) -> None:
        if self.model.day % MONTH == MONTH - 1 and self.cash > self.usual:
            self.model.firms.cash += self.cash - self.usual
            self.cash = self.usual


class Pool(mesa.Agent):
    """An insurance pool: unearned premium by day, the layers of its waterfall, and claims due."""

    def __init__(self, model: PlainMarket, source: Any) -> None:
        super().__init__(model)
        ledger, accounts, terms = source.ledger, source.accounts, source.plans[0]
        self.unearned: list[int] = source.unearned.ahead().tolist()
        self.layers = [ledger.balance(source.asset, account)
                       for account in (accounts.claims, accounts.surplus, accounts.junior, accounts.senior)]
        self.shares = source.config.shares
        self.deductible, self.coinsurance = terms.deductible, terms.coinsurance_bps
        self.maximum, self.limit = terms.out_of_pocket_max, terms.annual_limit
        self.due: list[tuple[Patient, Provider, int]] = []
        self.earned = self.paid = self.incurred = 0

    def receive(self, premium: int, days: int) -> None:
        """Spread a premium over the days it pays for."""
        done = 0
        for day in range(days):
            part = premium * (day + 1) // days - done
            self.unearned[day] += part
            done += part

    def step(self) -> None:
        """Earn the day's premium, then pay the day's claims."""
        earned = self.unearned.pop(0)
        self.unearned.append(0)
        self.earned += earned
        claims, administration, oracles, treasury, capital = self.shares.split(earned)
        self.model.fees.cash += administration + oracles + treasury
        held = self.layers[2] + self.layers[3]
        junior = capital * self.layers[2] // held if held else capital
        self.layers[0] += claims
        self.layers[2] += junior
        self.layers[3] += capital - junior
        for patient, provider, amount in self.due:
            left = amount
            for layer, balance in enumerate(self.layers):
                part = min(balance, left)
                self.layers[layer] -= part
                left -= part
            provider.cash += amount - left
            self.paid += amount - left
            patient.trust = self.model.memory * patient.trust + (1.0 - self.model.memory) * (amount - left) / amount
        self.due.clear()


class Patient(mesa.Agent):
    """A person: pay, care, cover, trust. All attributes are plain Python values."""

    pool: Pool | None

    def __init__(self, model: PlainMarket, values: dict[str, Any]) -> None:
        super().__init__(model)
        self.__dict__.update(values)
        self.trust = 1.0
        self.debt = self.spent = self.deductible_met = self.own_spent = self.limit_used = self.public_spent = 0

    def step(self) -> None:
        """One day."""
        model = self.model
        if model.day % MONTH == self.payday:
            self.be_paid()
            self.repay()
            if self.pool is not None:
                self.pay_premium(self.pool)
        rates, season, rng = self.rates, model.season_today, model.rng
        if model.lean:
            a, b, c, d = rates[0] * season[0], rates[1] * season[1], rates[2] * season[2], rates[3] * season[3]
            for _ in range(rng.poisson(a + b + c + d)):
                u = rng.random() * (a + b + c + d)
                self.fall_ill(0 if u < a else 1 if u < a + b else 2 if u < a + b + c else 3)
        else:
            for service in range(4):
                for _ in range(rng.poisson(rates[service] * season[service])):
                    self.fall_ill(service)

    def be_paid(self) -> None:
        """Pay, tax, spending on other goods."""
        model = self.model
        pay = self.income * MONTH // YEAR
        payer = self.payer
        if payer.cash < pay:
            return
        payer.cash -= pay
        tax = math.floor(pay * model.tax_rate)
        model.government.cash += tax
        net = pay - tax
        self.cash += net
        wanted = net + round((self.cash - net - self.target) * model.adjustment)
        spending = max(0, min(max(wanted, round(net * model.subsistence)), self.cash - model.floor))
        self.cash -= spending
        model.firms.cash += spending

    def repay(self) -> None:
        """Collect medical debt out of pay."""
        if self.debt > 0:
            share = math.floor(self.income * self.model.garnishable) * MONTH // YEAR
            amount = max(0, min(self.debt, share, self.cash - self.model.floor))
            self.cash -= amount
            self.debt -= amount
            self.model.government.cash += amount

    def pay_premium(self, pool: Pool) -> None:
        """The month's premium: own part and the sponsor's, both or neither."""
        if self.cash >= self.premium_own and self.sponsor.cash >= self.premium_sponsored:
            self.cash -= self.premium_own
            self.sponsor.cash -= self.premium_sponsored
            pool.receive(self.premium_own + self.premium_sponsored, MONTH)
            self.paid_to = self.model.day + MONTH
        elif self.paid_to + self.model.grace <= self.model.day:
            self.pool = None

    def fall_ill(self, service: int) -> None:
        """An episode: is it taken to a provider, what does it cost, who pays what?"""
        model = self.model
        rng = model.rng
        law = model.cost_laws[service]
        kind = law.kind
        cost = self.cost_scale[service] * law.severity(rng.random())
        if service == 3:
            intensive = rng.random() < model.stay[0]
            kind += intensive
            cost *= model.stay[2] if intensive else model.stay[1]
        if rng.random() >= 1.0 - model.response[kind] * model.demand_slope * self.coinsurance**model.demand_exponent:
            return
        amount = round(min(cost, model.largest) * MICRO * model.price_level)
        provider = self.hospital if service == 3 else self.clinic
        self.spent += amount
        model.care += amount
        own = amount
        if self.public_cover:
            own = min(amount * model.public_coinsurance // BPS, max(model.public_maximum - self.public_spent, 0))
            self.public_spent += own
            model.government.cash -= amount - own
            provider.cash += amount - own
        elif self.pool is not None:
            own = self.split(amount, self.pool)
            if amount > own:
                self.pool.incurred += amount - own
                self.pool.due.append((self, provider, amount - own))
        paid = max(0, min(own, self.cash - model.floor))
        self.cash -= paid
        provider.cash += own
        model.government.cash -= own - paid
        self.debt = min(self.debt + own - paid, math.floor(self.income * model.garnishable))

    def split(self, amount: int, pool: Pool) -> int:
        """The insured's own part under the policy's terms."""
        deductible = min(amount, max(pool.deductible - self.deductible_met, 0))
        coinsurance = -(-(amount - deductible) * pool.coinsurance // BPS)
        own = min(deductible + coinsurance, max(pool.maximum - self.own_spent, 0))
        paid = min(amount - own, max(pool.limit - self.limit_used, 0))
        self.deductible_met += deductible
        self.own_spent += own
        self.limit_used += paid
        return amount - paid


@dataclass(frozen=True, slots=True)
class CostLaw:
    """Kind of a service's episodes, and the law of their cost relative to its mean, before scaling."""

    kind: int
    log_sd: float
    tail_share: float
    tail_index: float
    tail_start: float

    def severity(self, u: float) -> float:
        """Quantile at ``u``."""
        if u < 1.0 - self.tail_share:
            return math.exp(self.log_sd * normal_quantile(u)) if u > 0.0 else 0.0
        return self.tail_start * float((1.0 - u) / self.tail_share) ** (-1.0 / self.tail_index)


class PlainMarket(mesa.Model):
    """The market of columns, as it stands after its first day, as plain Mesa objects."""

    def __init__(self, source: HealthMarket, seed: int, lean: bool = False) -> None:
        super().__init__(rng=seed)
        self.lean = lean
        self.day = source.day
        self.care = 0
        self.fees = Sector()
        self._take_rules(source)
        self._take_people(source)

    def _take_rules(self, source: HealthMarket) -> None:
        economy, patients = source.mechanism("economy"), source.mechanism("patients")
        model, ledger, usd = source.mechanism("morbidity").model, source.ledger, source.usd
        self.firms = Sector(ledger.balance(usd, economy.firms))
        self.government = Sector(ledger.balance(usd, economy.government))
        self.tax_rate, self.subsistence = economy.section.tax_rate, economy.section.subsistence_share
        self.adjustment = economy.section.buffer_adjustment_per_year * MONTH / YEAR
        self.floor = economy.consumption_floor
        rules = patients.section
        self.garnishable, self.memory, self.grace = rules.garnishable_share, rules.trust_memory, rules.grace_days
        self.public_coinsurance = int(rules.public_coinsurance * BPS)
        self.public_maximum = int(rules.public_out_of_pocket_max * MICRO)
        self.demand_slope, self.demand_exponent = model.demand.slope, model.demand.exponent
        self.response: list[float] = model.demand.response.tolist()
        self.stay: list[float] = model.stay.tolist()
        self.largest = model.section.largest_episode
        self.season: list[list[float]] = np.diff(model.care.season_days, axis=1).T.tolist()
        self.cost_laws = [CostLaw(kind, *model.cost[service, 2:].tolist()) for service, kind in enumerate((0, 0, 1, 2))]
        prices = source.mechanism("reference_price")
        self.price_level = prices.medical_index / prices.opening_medical_index

    def _take_people(self, source: HealthMarket) -> None:
        people, ledger, economy = source.people, source.ledger, source.mechanism("economy")
        model = source.mechanism("morbidity").model
        every = np.arange(people.size)
        health = model.log_health(people["age"], people["chronic"])
        spread = model.year.log_sd
        frailty = np.log(people["frailty"]) + spread * self.rng.standard_normal(people.size) - 0.5 * spread**2
        rates = model.shape[:, 0] * np.exp(health[:, None] * model.shape[:, 1] + frailty[:, None] * model.shape[:, 2])
        scales = model.cost[:, 0] * np.exp((health + frailty)[:, None] * model.cost[:, 1])
        providers = source.mechanism("providers")
        ids = {account: Provider(self, ledger.balance(source.usd, account)) for account in providers.accounts.tolist()}
        self.pools = [Pool(self, pool) for pool in source.mechanism("insurance").pools]
        firms, government = self.firms, self.government
        columns = {
            "payday": source.mechanism("patients").payday, "income": people["income"], "target": economy.target,
            "cash": ledger.person_balances(source.usd), "public_cover": people["public_cover"], "rates": rates,
            "cost_scale": scales, "coinsurance": source.mechanism("patients").coinsurance(source, every),
            "premium_own": people["premium_own"], "premium_sponsored": people["premium_sponsored"],
            "paid_to": people["paid_to"]}
        lists = {name: column.tolist() for name, column in columns.items()}
        clinics = providers.assign(every, np.zeros(people.size, dtype=np.int64)).tolist()
        hospitals = providers.assign(every, np.full(people.size, 2)).tolist()
        pools, sponsors = people["pool"].tolist(), people["sponsor"].tolist()
        self.patients = []
        for slot in range(people.size):
            values = {name: column[slot] for name, column in lists.items()}
            values |= {
                "pool": self.pools[pools[slot]] if pools[slot] >= 0 else None,
                "payer": firms if economy.paid_by_firms[slot] else government,
                "sponsor": firms if sponsors[slot] == economy.firms else government,
                "clinic": ids[clinics[slot]], "hospital": ids[hospitals[slot]]}
            self.patients.append(Patient(self, values))

    def step(self) -> None:
        """One day, in Mesa's own way: each kind of agent steps in turn."""
        self.day += 1
        self.season_today = self.season[self.day % YEAR]
        by_type = self.agents_by_type
        for kind in (Patient, Pool, Provider):
            by_type[kind].do("step")
