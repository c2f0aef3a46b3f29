"""Comparisons: pairs, intervals against other estimators, what pairing is worth, folders in and out, and the page."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.compare import compare, daily_difference, differs, pair, rows_of, sentence, verdict_on_pairing, worth
from analysis.comparison import compare_sides, load_comparison, side, write_comparison
from analysis.comparison_report import write_comparison_report
from analysis.glossary import Glossary, Term, changed, different
from analysis.load import FolderError
from sim.cli import main


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("batch_folders", Path(__file__).with_name("batch_folders.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write_batch = _writer().write_batch


def table(values: np.ndarray, first: int = 0) -> pd.DataFrame:
    """Figures ``m`` of runs on seeds 100, 101, ..."""
    numbers = range(first, first + len(values))
    index = pd.MultiIndex.from_tuples([(k, 100 + k) for k in numbers], names=["replication", "seed"])
    return pd.DataFrame({"m": values}, index)


def test_pairs_go_by_replication_and_seed() -> None:
    a, b = table(np.arange(5.0)), table(np.arange(5.0), first=2)
    x, y = pair(a, b.iloc[::-1])
    assert x["m"].tolist() == [2.0, 3.0, 4.0]
    assert y["m"].tolist() == [0.0, 1.0, 2.0]
    other_seed = a.rename(index={seed: seed + 1000 for seed in range(100, 105)}, level="seed")
    with pytest.raises(FolderError, match="share no seed"):
        pair(a, other_seed)


def test_intervals_are_those_of_the_paired_and_of_welchs_test() -> None:
    rng = np.random.default_rng(1)
    world = rng.normal(100, 10, 30)
    a, b = world + rng.normal(0, 1, 30), world + rng.normal(2, 1, 30)
    row = compare(table(a), table(b)).loc["m"]
    paired = stats.ttest_rel(b, a).confidence_interval(0.95)
    apart = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((paired.low, paired.high))
    assert (row["unpaired_low"], row["unpaired_high"]) == pytest.approx((apart.low, apart.high))
    assert row["narrowing"] == pytest.approx((apart.high - apart.low) / (paired.high - paired.low))
    assert row["narrowing"] > 3
    alone = np.var(a, ddof=1) + np.var(b, ddof=1)
    assert row["variance_reduction"] == pytest.approx(1 - np.var(b - a, ddof=1) / alone)
    boot = compare(table(a), table(b), method="bootstrap").loc["m"]
    assert (boot["low"], boot["high"]) == pytest.approx((row["low"], row["high"]), abs=0.15)


def test_where_pairing_does_not_help_it_says_so() -> None:
    rng = np.random.default_rng(2)
    found = compare(table(rng.normal(size=40)), table(rng.normal(size=40)))
    row = rows_of(found)["m"]
    assert row["narrowing"] < 1.4
    assert differs(row) is False
    against = {**row, "narrowing": 0.97}
    assert "pairing does not help here" in sentence("m", against, "USD")
    little = worth({**row, "narrowing": 2.0, "variance_reduction": 0.7})
    assert little.startswith("pairing helps, but less than 3 times")
    assert "does not help" not in worth({**row, "narrowing": 4.0, "variance_reduction": 0.9})
    assert "does not help for 1" in verdict_on_pairing(found.assign(narrowing=0.97))


def test_one_pair_has_no_interval_and_equal_pairs_no_width() -> None:
    one = rows_of(compare(table(np.array([1.0])), table(np.array([3.0]))))["m"]
    assert differs(one) is None
    assert sentence("m", one) == "m: 2 in the one pair there is, so no interval."
    equal = rows_of(compare(table(np.array([1.0, 5.0])), table(np.array([1.0, 5.0]))))["m"]
    assert (equal["low"], equal["high"]) == (0.0, 0.0)
    assert math.isinf(equal["narrowing"])


def test_what_one_side_does_not_define_is_left_out() -> None:
    found = compare(table(np.array([1.0, math.nan, 3.0])), table(np.array([2.0, 2.0, 5.0]))).loc["m"]
    assert found["pairs"] == 2
    assert found["difference"] == 1.5
    assert compare(table(np.array([math.nan])), table(np.array([1.0]))).empty


def test_days_are_compared_pair_by_pair() -> None:
    rng = np.random.default_rng(3)
    a = pd.DataFrame(rng.normal(size=(20, 6)))
    b = a + rng.normal(1, 0.1, size=(20, 6))
    found = daily_difference(a, b)
    paired = stats.ttest_rel(b.loc[4], a.loc[4]).confidence_interval(0.95)
    assert (found.loc[4, "low"], found.loc[4, "high"]) == pytest.approx((paired.low, paired.high))
    assert daily_difference(a[[0]], b[[0]])["low"].isna().all()
    smooth = daily_difference(a, b, window=7)
    assert smooth["difference"].isna().sum() == 6


def test_two_variants_of_a_batch_and_back_from_its_folder(tmp_path: Path) -> None:
    folder = write_batch(tmp_path / "batch", failing=(4,))
    found = compare_sides(side(folder), side(folder, "dear"))
    assert found.labels == ("made", "made/dear")
    assert found.about["pairs"] == 19
    assert found.differences.loc["insurance.premium_earned", "narrowing"] > 3
    assert found.about["changes"] == [{"path": "insurance.mcr_gate", "a": 1.0, "b": 1.3}]
    days = found.daily.loc["claims.paid_amount", "difference"].dropna()  # means of a week
    assert days.tolist() == pytest.approx([1000.0] * 34)
    again = load_comparison(write_comparison(found, tmp_path / "out"))
    pd.testing.assert_frame_equal(again.differences, found.differences)
    pd.testing.assert_frame_equal(again.of_pair("insurance.paid_claims"), found.of_pair("insurance.paid_claims"))
    assert again.about == found.about


def test_two_batches_and_two_runs(tmp_path: Path, write_folder: Callable[..., Path]) -> None:
    one = write_batch(tmp_path / "one", variants=("main",), replications=5)
    other = write_batch(tmp_path / "other", variants=("main",), replications=8, name="second")
    found = compare_sides(side(one), side(other))
    assert found.labels == ("made", "second")
    assert found.about["pairs"] == 5
    assert found.about["b"]["without_partner"] == 3
    assert (found.differences["difference"] == 0).all()
    run = write_folder()
    alone = compare_sides(side(run), side(run), series=["amm.price"])
    assert alone.about["pairs"] == 1
    assert alone.labels == ("made (run)", "made (run)")
    assert set(alone.daily.index.get_level_values("series")) <= {"amm.price"}
    with pytest.raises(FolderError, match="single run"):
        side(run, "main")


def test_a_choice_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    folder = write_batch(tmp_path / "batch", replications=2)
    with pytest.raises(FolderError, match="made, made/dear, made/apart"):
        side(folder, "nothing")


def test_the_page_tells_what_differs_and_where_pairing_does_not_help(tmp_path: Path) -> None:
    folder = write_batch(tmp_path / "batch", question="<b>Why?</b>")
    out = write_comparison(compare_sides(side(folder), side(folder, "apart")), tmp_path / "out")
    glossary = Glossary(figures={"insurance.paid_claims": Term("USD", "Paid <i>on</i> claims")})
    page = write_comparison_report(out, glossary).read_text(encoding="utf-8")
    assert "pairing does not help" in page
    assert "Paid &lt;i&gt;on&lt;/i&gt; claims, USD" in page
    assert "&lt;b&gt;Why?&lt;/b&gt;" in page
    assert "insurance.mcr_gate" in page
    assert "<script" not in page
    (out / "comparison.json").write_text('{"format_name": "salus-comparison", "format": 1}')
    with pytest.raises(FolderError, match="do not fit"):
        write_comparison_report(out)


def test_the_command_compares_and_writes_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_batch(tmp_path / "batch")
    assert main(["compare", str(folder), "--variants", "main,dear", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "insurance.premium_earned: 50,141 USD" in told
    assert "times as wide" in told
    assert (tmp_path / "out" / "report.html").is_file()
    assert main(["report", str(tmp_path / "out")]) == 0
    assert main(["compare", str(folder)]) == 2
    assert "--variants" in capsys.readouterr().err
    assert main(["compare", str(folder), str(tmp_path / "none")]) == 2
    assert main(["compare", str(folder), "--variants", "main,dear", "--out", str(folder)]) == 2
    assert "no comparison wrote" in capsys.readouterr().err


def test_settings_that_differ() -> None:
    a = {"name": "x", "insurance": {"gate": 1, "tiers": [1, 2]}, "horizon_days": 5}
    assert different(a, {**a, "name": "y", "insurance": {"gate": 1.0, "tiers": [1]}}) == [
        ("insurance.tiers", [1, 2], [1])]
    assert changed(a, {"insurance.gate": 2, "insurance.other": 3}) == [("insurance.gate", 1, 2)]


def test_another_order_of_summing_is_no_difference() -> None:
    a = np.array([0.3, 0.6, 0.9])
    found = rows_of(compare(table(a), table(a * (1 + 1e-15))))["m"]
    assert (found["low"], found["high"]) == (0.0, 0.0)
