"""Terms of an issue of governance tokens: inverse of each other, monotone, and never above the value of all tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.governance.issue import market_value, proceeds, tokens_for
from sim.kernel.fixedpoint import MICRO

amounts = st.integers(1, 10**14)


@given(cash=amounts, supply=amounts, value=amounts)
def test_tokens_are_the_least_that_bring_the_sum(cash: int, supply: int, value: int) -> None:
    tokens = tokens_for(cash, supply, value)
    if tokens is None:
        assert cash >= value
        return
    assert proceeds(tokens, supply, value) >= cash
    assert tokens == 0 or proceeds(tokens - 1, supply, value) < cash


@given(tokens=amounts, more=amounts, supply=amounts, value=amounts)
def test_proceeds_rise_and_never_reach_the_value_of_all(tokens: int, more: int, supply: int, value: int) -> None:
    assert proceeds(tokens, supply, value) <= proceeds(tokens + more, supply, value) < value


def test_by_hand() -> None:
    """100 tokens at 1 dollar less 10 %: a tenth of the value after the issue goes for 11.1 tokens."""
    supply, value = 100 * MICRO, market_value(100 * MICRO, 1 * MICRO, 1000)
    assert value == 90 * MICRO
    assert proceeds(100 * MICRO, supply, value) == 45 * MICRO, "as many again bring half"
    assert tokens_for(45 * MICRO, supply, value) == 100 * MICRO
    assert tokens_for(90 * MICRO, supply, value) is None
    each = [proceeds(n * MICRO, supply, value) / (n * MICRO) for n in (1, 10, 100)]
    assert each[0] > each[1] > each[2], "the price falls with the size of the issue"
