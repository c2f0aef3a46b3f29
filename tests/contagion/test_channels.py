"""Channels of contagion: all off, nothing reaches the others; each alone moves its own indicator and no other's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.kernel.fixedpoint import MICRO

CHANNELS = ("runs_on_losses", "runs_on_exits", "informed_exits", "fire_sales", "lapses", "clearing")


def story(market: Any, acts: Any, shocked: bool = True, debt: bool = True) -> dict[str, float]:
    """POOL1 loses half its capital, half its providers leave, then it fails and owes POOL2 money; the indicators."""
    pools, debts = market.mechanism("insurance").pools, market.debts
    acts.days(market, 10)
    if shocked:
        acts.lose(market, 0, 0.5)
    acts.days(market, 2)
    early = _requests(market)
    acts.days(market, 8)
    late = _requests(market)
    if shocked:
        market.mechanism("liquidity_providers").withdraw_capital(0.5, ["POOL1"])
    asked = market.mechanism("liquidity_providers")._exit.bernoulli(market.day, market.mechanism(
        "liquidity_providers").keys, 0.5, -1) if shocked else np.zeros(1, dtype=bool)
    acts.days(market, 4)
    followed = _requests(market) - late
    ordered = int(asked.sum())
    if shocked:
        acts.fail(market, 0)
    if debt:
        debts.owed[market.day + 1] = [(pools[0].accounts.surplus, pools[1].accounts.surplus, 1000 * MICRO, 0)]
    acts.days(market, 5)
    return {"runs_on_losses": late, "early": early, "runs_on_exits": followed, "ordered": ordered,
            "fire_sales": 1.0 - market.mechanism("amm").pool("HLT").spot(),
            "lapses": market.mechanism("lapses").lapsed,
            "clearing": market.mechanism("contagion").total.unpaid}


def _requests(market: Any) -> float:
    return float(market.mechanism("liquidity_providers").books.exits)


def others(market: Any) -> dict[str, list[float]]:
    """Every daily figure of POOL2 and POOL3 that is recorded."""
    return {f"{pool}.{name}": values.tolist() for pool in ("POOL2", "POOL3")
            for name, values in market.record.institutions[pool].items()}


def test_with_every_channel_off_nothing_reaches_the_others(neighbours: Callable[..., Any], acts: Any) -> None:
    calm, shocked = neighbours(), neighbours()
    story(calm, acts, shocked=False, debt=False)
    story(shocked, acts, debt=False)
    assert [failure.institution for failure in shocked.mechanism("contagion").tracer.failures] == ["POOL1"]
    mine, theirs = others(shocked), others(calm)
    assert mine.keys() == theirs.keys()
    for name, values in theirs.items():
        assert np.array_equal(values, mine[name], equal_nan=True), name


def test_with_every_channel_off_no_indicator_moves(neighbours: Callable[..., Any], acts: Any) -> None:
    seen = story(neighbours(), acts)
    assert seen["runs_on_losses"] == 0
    assert seen["runs_on_exits"] == pytest.approx(seen["ordered"], abs=2), "those who were told to leave, and no more"
    assert abs(seen["fire_sales"]) < 1e-9
    assert seen["lapses"] == seen["clearing"] == 0


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_channel_alone_moves_its_own_indicator(
    neighbours: Callable[..., Any], acts: Any, channel: str
) -> None:
    base, seen = story(neighbours(), acts), story(neighbours(on=(channel,)), acts)
    moved = {name for name in ("fire_sales", "lapses", "clearing") if seen[name] > base[name] + 1e-9}
    if channel in ("fire_sales", "lapses", "clearing"):
        assert moved == {channel}
        assert seen["runs_on_losses"] == 0
    elif channel == "runs_on_losses":
        assert moved == set()
        assert seen["runs_on_losses"] > 0
    elif channel == "informed_exits":
        assert moved == set()
        assert seen["early"] > 0, "the informed leave before the others can see the loss"
        assert seen["runs_on_losses"] <= market_informed(neighbours)
    else:
        assert moved == set()
        assert seen["runs_on_losses"] == 0, "nobody was in the queue before"
        assert seen["runs_on_exits"] > base["runs_on_exits"], "others follow those who leave"


def market_informed(neighbours: Callable[..., Any]) -> int:
    """How many of the providers are informed."""
    return int(neighbours().mechanism("liquidity_providers").informed.sum())


def test_uninformed_see_late_without_the_informed_channel(neighbours: Callable[..., Any], acts: Any) -> None:
    """With losses alone nobody leaves within the lead; with the informed as well some do."""
    assert story(neighbours(on=("runs_on_losses",)), acts)["early"] == 0
    assert story(neighbours(on=("runs_on_losses", "informed_exits")), acts)["early"] > 0


def test_sections_have_switches_of_their_own(neighbours: Callable[..., Any], acts: Any) -> None:
    """Without the section contagion the switches stand where the behaviour is."""
    market = neighbours(without=("contagion",))
    providers = [("liquidity_providers", name) for name in ("reacts_to_losses", "reacts_to_exits", "informed_exits")]
    for name, switch in (*providers, ("investments", "fire_sales"), ("lapses", "acting")):
        assert getattr(market.mechanism(name).section, switch) is True
    market = neighbours()
    assert market.mechanism("investments").section.fire_sales is False
    assert market.mechanism("liquidity_providers").section.reacts_to_losses is False
