"""Properties of the formulas, on amounts of any size."""

from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.amm import constant_product as curve

KEEP, SCALE = curve.fee_fraction(30)
small = st.integers(1, 10**4)
large = st.integers(1, 10**24)
fees = st.sampled_from([0, 1, 5, 30, 100, 1000])


def product_holds_after(amount_in, out, reserve_in, reserve_out, keep, scale):
    balances = reserve_in + amount_in, reserve_out - out
    return curve.product_holds(balances, (reserve_in, reserve_out), (0, out), keep, scale)


@given(large, large, large, fees)
def test_output_is_the_most_that_the_product_allows(amount, reserve_in, reserve_out, fee):
    keep, scale = curve.fee_fraction(fee)
    out = curve.amount_out(amount, reserve_in, reserve_out, keep, scale)
    assert 0 <= out < reserve_out
    assert product_holds_after(amount, out, reserve_in, reserve_out, keep, scale)
    assert not product_holds_after(amount, out + 1, reserve_in, reserve_out, keep, scale)


@given(large, large, large, fees)
def test_input_is_enough_and_at_most_two_units_too_much(wanted, reserve_in, reserve_out, fee):
    keep, scale = curve.fee_fraction(fee)
    wanted = wanted % (reserve_out - 1) + 1 if reserve_out > 1 else 0
    if wanted == 0:
        return
    paid = curve.amount_in(wanted, reserve_in, reserve_out, keep, scale)
    assert curve.amount_out(paid, reserve_in, reserve_out, keep, scale) >= wanted
    if paid > 2:
        assert curve.amount_out(paid - 2, reserve_in, reserve_out, keep, scale) < wanted


@given(large, large, large, large, large)
def test_a_deposit_never_dilutes(amount0, amount1, reserve0, reserve1, supply):
    shares = curve.later_shares(amount0, amount1, reserve0, reserve1, supply)
    before, after = reserve0 * reserve1, (reserve0 + amount0) * (reserve1 + amount1)
    assert after * supply**2 >= before * (supply + shares) ** 2


@given(large, large, large, st.integers(2, 20))
def test_protocol_part_is_at_most_its_share_of_the_growth(root_last, growth, supply, part):
    root = root_last + growth
    shares = curve.protocol_shares(root, root_last, supply, part)
    # shares / (supply + shares) <= growth / (part x root): the protocol owns at most 1/part of the growth
    assert shares * part * root <= growth * (supply + shares)
    assert (shares + 1) * part * root > growth * (supply + shares + 1)


@given(small, small, st.integers(1, 500), st.integers(1, 500), fees)
def test_no_trade_beats_the_best_by_more_than_two_units(reserve0, reserve1, rate0, rate1, fee):
    """Brute force over small inputs and those near the answer: rate0 of asset 0 is worth rate1 of asset 1."""
    keep, scale = curve.fee_fraction(fee)
    plenty = 10**9

    def value(zero_in, paid, out):  # gain in units of the input
        rate_in, rate_out = (rate0, rate1) if zero_in else (rate1, rate0)
        return (out * rate_in - paid * rate_out) / rate_out

    zero_in, paid, out = curve.best_arbitrage(rate0, rate1, reserve0, reserve1, keep, scale, plenty, plenty)
    found = value(zero_in, paid, out)
    assert found >= 0
    for side, (into, outof) in ((True, (reserve0, reserve1)), (False, (reserve1, reserve0))):
        tried = [*range(1, 400), *range(max(1, paid - 200), paid + 200)]
        best = max(value(side, x, curve.amount_out(x, into, outof, keep, scale)) for x in tried)
        assert best <= (found if side == zero_in else 0.0) + 2.0 + 1e-9


def test_arbitrage_is_limited_by_inventory():
    free = curve.best_arbitrage(100, 121, 10**9, 10**9, KEEP, SCALE, 10**12, 10**12)
    held = curve.best_arbitrage(100, 121, 10**9, 10**9, KEEP, SCALE, 10**12, 10**6)
    assert free[0] is False
    assert free[1] > 10**6
    assert held[0] is False
    assert 10**6 - 5 <= held[1] <= 10**6  # the least input that buys the same output
    assert curve.best_arbitrage(100, 121, 10**9, 10**9, KEEP, SCALE, 10**12, 0) == (False, 0, 0)


@given(large, large, st.integers(1, 10**9), st.integers(1, 10**9), fees, large, large)
def test_arbitrage_spends_no_more_than_it_may_for_what_it_gets(reserve0, reserve1, rate0, rate1, fee, most0, most1):
    keep, scale = curve.fee_fraction(fee)
    zero_in, paid, out = curve.best_arbitrage(rate0, rate1, reserve0, reserve1, keep, scale, most0, most1)
    assert 0 <= paid <= (most0 if zero_in else most1)
    if paid:
        into, outof = (reserve0, reserve1) if zero_in else (reserve1, reserve0)
        assert curve.amount_out(paid, into, outof, keep, scale) == out


def test_no_trade_inside_the_band():
    assert curve.best_arbitrage(1000, 1002, 10**12, 10**12, KEEP, SCALE, 10**12, 10**12) == (False, 0, 0)
    assert curve.trade_to_price(1000, 1002, 10**12, 10**12, KEEP, SCALE) == (False, 0)
    assert curve.trade_to_price(1000, 1004, 10**12, 10**12, KEEP, SCALE)[1] > 0


def test_fee_fraction_is_in_lowest_terms():
    assert curve.fee_fraction(30) == (997, 1000)
    assert curve.fee_fraction(0) == (1, 1)
    assert curve.fee_fraction(1) == (9999, 10000)
