"""The accumulated price between two observations lies on the straight line, to the unit."""

from sim.contracts.amm.price_history import PriceHistory


def history(keep=100):
    past = PriceHistory(keep)
    for seconds, base, quote in ((0, 0, 0), (10, 70, 30), (30, 110, 430)):
        past.append(seconds, base, quote)
    return past


def test_values_between_and_beyond_observations():
    past = history()
    assert past.at(0) == (0, 0)
    assert past.at(10) == (70, 30)
    assert past.at(5) == (35, 15)
    assert past.at(25) == (100, 330)
    assert past.at(30) == (110, 430)
    assert past.at(-3) == (0, 0)


def test_forgetting_undoes_the_last_observation():
    past = history()
    past.forget_last()
    assert len(past) == 2
    assert past.at(20) == (70, 30)


def test_the_oldest_half_is_dropped_when_there_are_too_many():
    past = history(keep=2)
    past.prune()
    assert len(past) == 2
    assert past.first_time() == 10
    assert past.at(25) == (100, 330)
    past.prune()
    assert len(past) == 2
