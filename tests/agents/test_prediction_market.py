"""Prediction markets in a market of their own: money, settlement, bounded loss, the insurer's signal, determinism."""



import pytest

from sim import HealthMarket, load_scenario
from sim.kernel.fixedpoint import MICRO

FILE = "scenarios/s3_forecast_signal.yaml"
SMALL = [("horizon_days", "60"), ("population.patients", "40"), ("shocks", "[]"),
         ("prediction_markets.markets", "[{subject: cost_growth, thresholds: [0.002, 0.01], interval_days: 20, "
                                        "trading_days: 8, window_days: 25}]")]


def market(*changes, seed=3):
    return HealthMarket(load_scenario(FILE, [*SMALL, *changes]), seed=seed)


def run(days, *changes, seed=3):
    made = market(*changes, seed=seed)
    for _ in range(days):
        made.step()
        made.invariants.require(made.day)
    return made


@pytest.fixture(scope="module")
def finished():
    made = run(60, ("shocks", "[{day: 0, kind: cost_inflation, size: 0.25, days: 60}]"))
    made.mechanism("prediction_markets").finish(made)
    return made


def test_markets_settle_and_the_sponsor_loses_at_most_its_funding(finished):
    desk, metrics = finished.mechanism("prediction_markets"), finished.record.metrics
    assert metrics["prediction_markets.settled"] == 2
    assert metrics["prediction_markets.sponsor_loss"] <= 2 * 2000  # a gain, where manipulators lose
    assert desk.staked > 0
    rows = finished.record.tables["forecasts"]
    assert len(rows) == 2 * 3
    for day in {row[0] for row in rows}:
        assert sum(row[6] for row in rows if row[0] == day) == 1
        assert sum(row[5] for row in rows if row[0] == day) == pytest.approx(1.0)


def test_what_traders_and_sponsor_win_is_what_others_lose(finished):
    desk = finished.mechanism("prediction_markets")
    assert sum(desk.results.values()) == desk.lost


def test_an_informed_price_beats_equal_chances(finished):
    metrics = finished.record.metrics
    assert metrics["prediction_markets.brier"] < metrics["prediction_markets.brier_uniform"]
    assert metrics["prediction_markets.informed_result"] > 0


def test_a_sponsor_without_money_opens_nothing():
    made = run(5, ("prediction_markets.sponsor_cash", "10.0"))
    desk = made.mechanism("prediction_markets")
    assert desk.unfunded == 1
    assert desk.expected_growth() is None


def test_insurers_follow_the_market_by_its_weight():
    made = run(9)
    insurers, desk = made.mechanism("insurers"), made.mechanism("prediction_markets")
    expected = desk.expected_growth()
    assert expected is not None
    assert insurers.trend(9) == pytest.approx(expected)
    deaf = run(9, ("insurers.forecast_weight", "0.0")).mechanism("insurers")
    assert deaf.trend(9) == deaf.past_trend(9) == pytest.approx(deaf.section.trend_per_year)


def test_manipulators_move_the_price_they_pay_for():
    free, pushed = (run(4, ("prediction_markets.informed", "0"), ("prediction_markets.manipulators", number))
                    .mechanism("prediction_markets").questions[0].maker for number in ("0", "2"))
    assert pushed.prices()[0] > max(free.prices()[0], 0.6)
    assert pushed.held() - pushed.funding > 100 * MICRO


def test_the_same_seed_gives_the_same_prices():
    first, second = (run(10).mechanism("prediction_markets").questions[0].maker for _ in range(2))
    assert first.sold == second.sold
    assert first.held() == second.held()


SUBJECTS = """
stage: 3
name: subjects
question: Do all subjects settle?
horizon_days: 50
population: {patients: 150}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
claims: {}
oracles: {operators: 12}
insurance: {pools: 1}
insurers: {}
liquidity_providers: {providers: 10}
data_vault: {}
research: {researchers: 10}
epidemic: {}
prediction_markets:
  markets:
    - {subject: cost_growth, thresholds: [0.002, 0.01], interval_days: 20, trading_days: 4, window_days: 15}
    - {subject: spending, thresholds: [0.9, 1.1], interval_days: 20, trading_days: 4, window_days: 15}
    - {subject: incidence, thresholds: [0.01, 0.1], interval_days: 20, trading_days: 4, window_days: 15}
    - {subject: trials, thresholds: [0.5], interval_days: 20, trading_days: 4, window_days: 15}
shocks:
  - {day: 5, kind: epidemic_seed, cases: 5}
"""


def test_every_subject_is_asked_and_settled(tmp_path):
    file = tmp_path / "subjects.yaml"
    file.write_text(SUBJECTS)
    made = HealthMarket(load_scenario(str(file)), seed=2)
    for _ in range(50):
        made.step()
        made.invariants.require(made.day)
    rows = made.record.tables["forecasts"]
    assert {row[1] for row in rows} == {"cost_growth", "spending", "incidence", "trials"}
    for day, subject in {(row[0], row[1]) for row in rows}:
        assert sum(row[6] for row in rows if (row[0], row[1]) == (day, subject)) == 1


def test_shares_that_somebody_from_outside_holds_are_paid_at_settlement():
    made = run(3)
    desk = made.mechanism("prediction_markets")
    outsider, maker = made.ledger.open_account("outsider", "traders"), desk.questions[0].maker
    made.ledger.transfer(made.usd, desk.sponsor, outsider, 10 * MICRO, "gift")
    maker.trade(outsider, [MICRO] * len(maker.sold), 10**9)  # one of each outcome: worth a dollar whatever happens
    before = made.ledger.balance(made.usd, outsider)
    for _ in range(26):
        made.step()
        made.invariants.require(made.day)
    assert maker.outcome is not None
    assert not maker.holders()
    assert made.ledger.balance(made.usd, outsider) == before + MICRO


def test_a_treasury_that_sponsors_a_market_has_the_payment_in_its_books():
    made = run(3, ("governance", "{treasury_cash: 1.0e+5}"), ("prediction_markets.sponsor", "treasury"))
    spent = made.mechanism("governance").treasury.spent
    assert spent["prediction_funding"] == made.mechanism("prediction_markets").funded > 0
