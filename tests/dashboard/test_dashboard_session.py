"""The two markets of a page: same seed, in lockstep, freed when replaced; and what is drawn of them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from sim.dashboard.parameters import MAIN, form
from sim.dashboard.pictures import PICTURES, frame, series
from sim.dashboard.session import BASELINE, NOTHING, UNCHANGED, Session, choose, comparisons
from sim.scenario.errors import ScenarioError
from sim.scenario.fields import spot
from sim.scenario.head import Head
from sim.scenario.load import load_scenario
from sim.scenario.registry import section_types


def test_same_seed_and_no_change_give_the_same_days(small: Path) -> None:
    session = Session()
    session.start(choose(small, [("seed", "77")], UNCHANGED))
    session.step(12)
    yours, other = session.yours, session.other
    assert yours is not None
    assert other is not None
    assert (yours.seed_used, other.seed_used, session.day) == (77, 77, 12)
    assert yours.record.daily.keys() == other.record.daily.keys()
    for name, values in yours.record.daily.items():
        np.testing.assert_array_equal(values, other.record.daily[name], err_msg=name)
    session.close()


def test_a_change_changes_yours_only(small: Path) -> None:
    session = Session()
    session.start(choose(small, [("liquidity_providers.opening_scr_ratio", "3.0"), ("population.patients", "300")],
                         UNCHANGED))
    session.step(1)
    assert session.yours is not None
    assert session.other is not None
    mine, theirs = series(session.yours, "insurance.total_capital"), series(session.other, "insurance.total_capital")
    assert mine is not None
    assert theirs is not None
    assert float(mine[0]) > 1.3 * float(theirs[0])
    assert session.other.people.size == 300  # the same world, as large
    session.close()


def test_comparisons(small: Path) -> None:
    scenario = load_scenario(small)
    assert [name for name, _ in comparisons(scenario)] == [UNCHANGED, "variant:calm", BASELINE, NOTHING]
    for name, shocks in ((UNCHANGED, 1), ("variant:calm", 0), (BASELINE, 0)):
        other = choose(small, [], name).other
        assert other is not None
        assert len(other.shocks) == shocks
        assert (other.seed, other.horizon_days, other.section("population").patients) == (5, 40, 400)
    assert choose(small, [], NOTHING).other is None


def test_a_replaced_run_is_freed(small: Path) -> None:
    session = Session()
    session.start(choose(small, [], UNCHANGED))
    session.step(2)
    markets = [weakref.ref(session.yours), weakref.ref(session.other)]
    session.start(choose(small, [], NOTHING))
    gc.collect()
    assert [market() for market in markets] == [None, None]
    session.close()


def test_steps_end_with_the_horizon(small: Path) -> None:
    session = Session()
    session.start(choose(small, [], NOTHING))
    session.step(366)
    assert session.day == session.days == 40
    session.close()


def test_frame_shows_both_markets(small: Path) -> None:
    session = Session()
    assert frame(session)["pictures"] == []
    session.start(choose(small, [("insurers.margin", "0.2")], UNCHANGED))
    assert frame(session)["pictures"] == []  # nothing has happened yet
    session.step(10)
    shown = frame(session)
    assert (shown["day"], shown["days"], shown["label"]) == (10, 40, UNCHANGED)
    assert [one["title"] for one in shown["pictures"]] == [*(one.title for one in PICTURES), "Uninsured by income"]
    assert all(one["image"].startswith("data:image/svg+xml;base64,") for one in shown["pictures"])
    figures = {row["name"]: row for row in shown["figures"]}
    premium = figures["Premiums against claims: earned premium"]
    assert premium["yours"] != premium["other"]
    assert ("shock", "cost_inflation", 8) in [(row["kind"], row["subject"], row["day"]) for row in shown["events"]]
    session.close()


def test_form_reads_the_schema(small: Path) -> None:
    fields = {entry["path"]: entry for entry in form(load_scenario(small))}
    patients = fields["population.patients"]
    assert patients["value"] == "400"
    assert "1 to 5,000,000 (persons)" in patients["allowed"]
    assert patients["slider"] == {"low": 1, "high": 1600, "step": 4}
    assert fields["claims.mode"]["choices"] == ["committee", "optimistic", "automatic"]
    assert all(entry["description"] for entry in fields.values())


def test_what_is_offered_exists() -> None:
    sections = section_types()
    for path in MAIN:
        owner, _, inside = path.partition(".")
        assert spot(sections[owner] if inside else Head, (inside or owner).split(".")) is not None, path


def test_bad_values_are_told_together(small: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        choose(small, [("population.patients", "many"), ("insurance.pools", "0")], UNCHANGED)
    assert {problem.path for problem in caught.value.problems} == {"insurance.pools", "population.patients"}
